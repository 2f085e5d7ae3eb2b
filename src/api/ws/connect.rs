//! Opening a socket.

use axum::{
    Extension, Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{WebSocket, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
    routing::any,
};
use hearth_homeserver::users::Users;
use http::HeaderMap;
use tokio::sync::oneshot;

use super::{
    session::Session,
    socket::{Around, Socket},
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

/// Buffers of the library for each direction, in bytes. Its own default would make 10,000 sockets take over a gigabyte.
const BUFFER_BYTES: usize = 4_096;

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
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|_| ApiError::invalid_param("This is no request to open a WebSocket."))?;
    let upgrade = upgrade.protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return Err(ApiError::invalid_param("The subprotocol is `chat.hearth.v1.json`."));
    }
    let session = open_session(state.users(), &headers).await?;
    // Twice the limit is read, so that a client that exceeds it a little can be told.
    let bytes_max = usize::try_from(state.sockets().config().frame_bytes_max).unwrap_or(usize::MAX).saturating_mul(2);
    let (sender, receiver) = oneshot::channel::<WebSocket>();
    let sockets = state.sockets().clone();
    let around = Around { state, calls, address, place: place.map(|Extension(place)| place) };
    // The library has a task of its own wait for the end of the handshake; ours runs where the server knows of it.
    sockets.start(Box::pin(async move {
        if let Ok(socket) = receiver.await {
            Socket::new(socket, around).run(session).await;
        }
    }));
    Ok(upgrade
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(bytes_max)
        .max_frame_size(bytes_max)
        .on_upgrade(async move |socket| drop(sender.send(socket))))
}

/// The session of a client that can send headers with the upgrade.
async fn open_session(users: &Users, headers: &HeaderMap) -> Result<Option<Session>, ApiError> {
    match bearer_token(headers) {
        Some(token) => Ok(Some(Session::open(users, token).await?)),
        None => Ok(None),
    }
}
