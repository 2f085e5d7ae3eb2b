//! Telling the operator of what should not be here. [Client-Server API, "Reporting Content"]
//!
//! [Client-Server API, "Reporting Content"]: https://spec.matrix.org/v1.19/client-server-api/#reporting-content

use axum::extract::State;
use hearth_homeserver::admin::Reporting;
use ruma::api::client::{
    reporting::report_user::v3 as user_report,
    room::{report_content::v3 as event_report, report_room::v3 as room_report},
};

use crate::{
    caller::Caller,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/rooms/{roomId}/report`
pub async fn report_room(
    State(reporting): State<Reporting>,
    State(limits): State<RateLimits>,
    Caller(user): Caller,
    Ruma(body): Ruma<room_report::Request>,
) -> Result<room_report::Response> {
    limits.check_user(Operation::Report, &user)?;
    reporting.report_room(&user, &body.room_id, body.reason).await?;
    Ok(Reply(room_report::Response::new()))
}

/// `POST /_matrix/client/v3/rooms/{roomId}/report/{eventId}`
pub async fn report_event(
    State(reporting): State<Reporting>,
    State(limits): State<RateLimits>,
    Caller(user): Caller,
    Ruma(body): Ruma<event_report::Request>,
) -> Result<event_report::Response> {
    limits.check_user(Operation::Report, &user)?;
    reporting.report_event(&user, &body.room_id, &body.event_id, body.reason.unwrap_or_default()).await?;
    Ok(Reply(event_report::Response::new()))
}

/// `POST /_matrix/client/v3/users/{userId}/report`
pub async fn report_user(
    State(reporting): State<Reporting>,
    State(limits): State<RateLimits>,
    Caller(user): Caller,
    Ruma(body): Ruma<user_report::Request>,
) -> Result<user_report::Response> {
    limits.check_user(Operation::Report, &user)?;
    reporting.report_user(&user, &body.user_id, body.reason).await?;
    Ok(Reply(user_report::Response::new()))
}
