//! Opening a socket.

use axum::{Extension, Router, extract::State, response::Response, routing::any};
use hearth_homeserver::users::Users;
use http::{HeaderMap, header::USER_AGENT};
use hyper_util::rt::TokioIo;

use super::{
    session::Session,
    socket::{Around, Socket},
    upgrade::UpgradeRequest,
    wire::Wire,
};
use crate::{
    api_error::ApiError,
    caller::bearer_token,
    client_address::{ClientAddress, ConnectionPlace},
    state::AppState,
};

/// Where sockets are opened: by GET, and by CONNECT over HTTP/2.
const CONNECT_PATH: &str = "/_matrix/client/unstable/chat.hearth.websocket/connect";

/// The one subprotocol.
const SUBPROTOCOL: &str = "chat.hearth.v1.json";

/// What serves the calls of all sockets.
#[derive(Clone)]
struct CallRouter(Router);

/// The route of sockets, whose calls `calls` serves.
pub fn router(calls: Router) -> Router<AppState> {
    Router::new().route(CONNECT_PATH, any(connect)).layer(Extension(CallRouter(calls)))
}

async fn connect(
    State(state): State<AppState>,
    Extension(CallRouter(calls)): Extension<CallRouter>,
    place: Option<Extension<ConnectionPlace>>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    request: UpgradeRequest,
) -> Result<Response, ApiError> {
    if !request.offers(SUBPROTOCOL) {
        return Err(ApiError::invalid_param("The subprotocol is `chat.hearth.v1.json`."));
    }
    let session = open_session(state.users(), &headers).await?;
    let frame_bytes_max = state.sockets().config().frame_bytes_max;
    let sockets = state.sockets().clone();
    let user_agent = headers.get(USER_AGENT).cloned();
    let around = Around { state, calls, address, user_agent, place: place.map(|Extension(place)| place) };
    let (connection, response) = request.accept(SUBPROTOCOL);
    sockets.start(Box::pin(async move {
        // It fails when the client goes away before the handshake is over.
        if let Ok(connection) = connection.await {
            let wire = Wire::new(TokioIo::new(connection), usize::try_from(frame_bytes_max).unwrap_or(usize::MAX));
            Socket::new(wire, around).run(session).await;
        }
    }));
    Ok(response)
}

/// The session of a client that can send headers with the upgrade.
async fn open_session(users: &Users, headers: &HeaderMap) -> Result<Option<Session>, ApiError> {
    match bearer_token(headers) {
        Some(token) => Ok(Some(Session::open(users, token).await?)),
        None => Ok(None),
    }
}
