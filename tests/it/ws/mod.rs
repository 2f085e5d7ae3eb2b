//! The WebSocket extension and server-sent events, over real connections. Each frame is held against
//! `api-spec/websocket.yaml`.

mod calls;
mod closing;
mod events;
mod http2;
mod pushing;
mod revoking;
