//! Frames as text: reading those of clients, writing ours.
//!
//! A body within a frame is never parsed here: it is copied as it stands.

use std::{borrow::Cow, collections::BTreeMap};

use http::{
    HeaderMap, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// How long an id or a `conn_id` may be, in bytes.
const ID_BYTES_MAX: usize = 255;

/// A frame of a client.
#[derive(Debug)]
pub enum ClientFrame<'a> {
    Auth { token: Cow<'a, str> },
    Sync { id: String, conn_id: String, path: Cow<'a, str> },
    Stop { id: String },
    Ack { id: String, seq: u64 },
    Call(CallFrame<'a>),
    Cancel { id: String },
    Ping,
    Pong,
}

/// A request to an endpoint.
#[derive(Debug)]
pub struct CallFrame<'a> {
    pub id: String,
    pub method: Cow<'a, str>,
    pub path: Cow<'a, str>,
    pub headers: BTreeMap<String, String>,
    /// JSON as it stood in the frame.
    pub body: Option<&'a RawValue>,
}

/// All fields that a frame may have; which of them must be there, its `op` says.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    op: Cow<'a, str>,
    #[serde(borrow)]
    token: Option<Cow<'a, str>>,
    id: Option<String>,
    conn_id: Option<String>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    path: Option<Cow<'a, str>>,
    headers: Option<BTreeMap<String, String>>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    seq: Option<u64>,
}

/// Reads a client's frame.
///
/// # Errors
/// What is wrong with it, for whoever writes the client.
pub fn parse_frame(text: &str) -> Result<ClientFrame<'_>, &'static str> {
    let fields: Fields = serde_json::from_str(text).map_err(|_| "A frame is a JSON object with `op`.")?;
    Ok(match &*fields.op {
        "auth" => ClientFrame::Auth { token: fields.token.ok_or("`auth` needs `token`.")? },
        "sync" => ClientFrame::Sync {
            id: require_id(fields.id)?,
            conn_id: require_id(fields.conn_id).map_err(|_| "`sync` needs `conn_id`, of 1 to 255 bytes.")?,
            path: fields.path.ok_or("`sync` needs `path`.")?,
        },
        "stop" => ClientFrame::Stop { id: require_id(fields.id)? },
        "ack" => ClientFrame::Ack { id: require_id(fields.id)?, seq: fields.seq.ok_or("`ack` needs `seq`.")? },
        "call" => ClientFrame::Call(CallFrame {
            id: require_id(fields.id)?,
            method: fields.method.ok_or("`call` needs `method`.")?,
            path: fields.path.ok_or("`call` needs `path`.")?,
            headers: fields.headers.unwrap_or_default(),
            body: fields.body,
        }),
        "cancel" => ClientFrame::Cancel { id: require_id(fields.id)? },
        "ping" => ClientFrame::Ping,
        "pong" => ClientFrame::Pong,
        _ => return Err("There is no such `op`."),
    })
}

fn require_id(id: Option<String>) -> Result<String, &'static str> {
    id.filter(|id| !id.is_empty() && id.len() <= ID_BYTES_MAX).ok_or("The frame needs `id`, of 1 to 255 bytes.")
}

/// A body of a sync: the very bytes that HTTP would have answered.
///
/// # Errors
/// When the body cannot be JSON: a mistake in the code.
pub fn write_body(id: &str, seq: u64, body: &impl Serialize) -> serde_json::Result<String> {
    let head = format!(r#"{{"op":"sync","id":{},"seq":{seq},"body":"#, quoted(id));
    let mut frame = head.into_bytes();
    serde_json::to_writer(&mut frame, body)?;
    frame.push(b'}');
    String::from_utf8(frame).map_err(serde::ser::Error::custom)
}

/// Whether an answer ends a sync or replies to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// The sync ended as HTTP would have ended it.
    Error,
    /// The answer to a call.
    Reply,
}

/// An answer as HTTP would have given it. `body` is JSON, or empty.
pub fn write_answer(kind: AnswerKind, id: &str, status: StatusCode, headers: &HeaderMap, body: &str) -> String {
    let op = match kind {
        AnswerKind::Error => "error",
        AnswerKind::Reply => "reply",
    };
    let told = [CONTENT_TYPE, RETRY_AFTER];
    let headers: BTreeMap<&str, &str> =
        told.iter().filter_map(|name| Some((name.as_str(), headers.get(name)?.to_str().ok()?))).collect();
    let headers = serde_json::to_string(&headers).expect("text is JSON");
    let body = if body.is_empty() { "null" } else { body };
    format!(r#"{{"op":"{op}","id":{},"status":{},"headers":{headers},"body":{body}}}"#, quoted(id), status.as_u16())
}

/// The greeting of an accepted token.
#[derive(Serialize)]
pub struct Hello<'a> {
    pub op: &'static str,
    pub user_id: &'a str,
    pub device_id: &'a str,
    pub heartbeat_ms: u32,
    pub limits: Limits,
}

/// What a client may do, as `hello` and `/capabilities` tell it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Limits {
    pub frame_bytes_max: u32,
    pub calls_in_flight_max: u32,
    pub ack_window_frames: u32,
    pub ack_window_bytes: u32,
}

/// Any small frame.
pub fn write_frame(frame: &impl Serialize) -> String {
    serde_json::to_string(frame).expect("text and numbers are JSON")
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text is JSON")
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
