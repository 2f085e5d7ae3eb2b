//! Notices of an administrator to users.

use axum::extract::State;
use hearth_homeserver::admin::{Notice, Notices};
use ruma::OwnedEventId;
use serde_json::json;

use crate::{
    api_error::ApiError,
    caller::AdminCaller,
    extract::Ruma,
    reply::JsonText,
    synapse_requests::{self as requests, NoticeOnce},
};

/// `POST /_synapse/admin/v1/send_server_notice`
pub async fn send_server_notice(
    State(notices): State<Notices>,
    _: AdminCaller,
    Ruma(body): Ruma<requests::Notice>,
) -> Result<JsonText, ApiError> {
    answer(&send(&notices, body, None).await?)
}

/// `PUT /_synapse/admin/v1/send_server_notice/{txnId}`
pub async fn send_server_notice_once(
    State(notices): State<Notices>,
    _: AdminCaller,
    Ruma(body): Ruma<NoticeOnce>,
) -> Result<JsonText, ApiError> {
    answer(&send(&notices, body.notice, Some(body.txn_id)).await?)
}

async fn send(notices: &Notices, wish: requests::Notice, txn_id: Option<String>) -> Result<OwnedEventId, ApiError> {
    let notice = Notice { kind: wish.kind, state_key: wish.state_key, content: wish.content, txn_id };
    Ok(notices.send(&wish.user_id, notice).await?)
}

fn answer(event_id: &OwnedEventId) -> Result<JsonText, ApiError> {
    JsonText::of(&json!({ "event_id": event_id }))
}
