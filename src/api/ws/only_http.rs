//! Which requests go over HTTP alone.

use http::Method;

/// What a client calls with a token that is not the socket's, or without one, or to change the session; what is a file;
/// and what waits for news.
const FAMILIES: [&str; 10] =
    ["account", "auth", "events", "initialSync", "login", "logout", "media", "refresh", "register", "sync"];

/// What may be large, of a room: a socket does not compress.
const LARGE_OF_A_ROOM: [&str; 4] = ["initialSync", "members", "messages", "state"];

/// Why a call does not go over the socket; none if it does.
pub fn refuse_call(method: &Method, path: &str) -> Option<&'static str> {
    if ![Method::GET, Method::PUT, Method::POST, Method::DELETE].contains(method) {
        return Some("A call is a GET, PUT, POST or DELETE.");
    }
    let path = path.split('?').next().unwrap_or_default();
    let Some(path) = path.strip_prefix("/_matrix/client/") else {
        return Some("Only the client-server API is called over a socket: use HTTP.");
    };
    let mut segments = path.trim_end_matches('/').split('/').skip(1);
    match (segments.next().unwrap_or_default(), segments.next(), segments.next(), segments.next()) {
        (family, ..) if FAMILIES.contains(&family) => Some("This goes over HTTP."),
        ("chat.hearth.websocket", ..) => Some("This goes over HTTP."),
        ("rooms", Some(_), Some(what), None) if method == Method::GET && LARGE_OF_A_ROOM.contains(&what) => {
            Some("This may be large, and a socket does not compress: use HTTP.")
        }
        (_, Some("sync"), ..) => Some("A sync is no call."),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::refuse_call;

    #[test]
    fn sessions_files_and_what_is_large_go_over_http() {
        for (method, path) in [
            (Method::POST, "/_matrix/client/v3/login"),
            (Method::POST, "/_matrix/client/v3/logout/all"),
            (Method::POST, "/_matrix/client/r0/refresh"),
            (Method::POST, "/_matrix/client/v3/register?kind=guest"),
            (Method::POST, "/_matrix/client/v3/account/password"),
            (Method::GET, "/_matrix/client/v3/sync?since=1"),
            (Method::GET, "/_matrix/client/v1/media/download/a/b"),
            (Method::POST, "/_matrix/media/v3/upload"),
            (Method::GET, "/_matrix/client/v3/rooms/!a/messages?dir=b"),
            (Method::GET, "/_matrix/client/v3/rooms/!a/members"),
            (Method::GET, "/_matrix/client/v3/rooms/!a/state/"),
            (Method::POST, "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync"),
            (Method::GET, "/_matrix/client/unstable/chat.hearth.websocket/connect"),
            (Method::GET, "/_matrix/federation/v1/version"),
            (Method::PATCH, "/_matrix/client/v3/joined_rooms"),
            (Method::GET, "joined_rooms"),
        ] {
            assert!(refuse_call(&method, path).is_some(), "{method} {path}");
        }
    }

    #[test]
    fn all_else_goes_over_the_socket() {
        for (method, path) in [
            (Method::PUT, "/_matrix/client/v3/rooms/!a/send/m.room.message/1"),
            (Method::PUT, "/_matrix/client/v3/rooms/!a/state/m.room.topic/"),
            (Method::GET, "/_matrix/client/v3/rooms/!a/state/m.room.topic"),
            (Method::GET, "/_matrix/client/v3/rooms/!a/context/$b?limit=1"),
            (Method::GET, "/_matrix/client/v3/rooms/!a/joined_members"),
            (Method::PUT, "/_matrix/client/v3/user/@a/account_data/m.x"),
            (Method::POST, "/_matrix/client/v3/createRoom"),
            (Method::GET, "/_matrix/client/versions"),
        ] {
            assert_eq!(refuse_call(&method, path), None, "{method} {path}");
        }
    }
}
