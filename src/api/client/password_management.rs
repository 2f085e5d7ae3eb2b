//! Changing one's password. [Client-Server API, "Account management"]
//!
//! [Client-Server API, "Account management"]: https://spec.matrix.org/v1.19/client-server-api/#account-management

use axum::extract::State;
use hearth_homeserver::users::{EndSessions, Users};
use ruma::api::client::account::change_password::v3::{Request, Response};

use crate::{
    caller::Caller,
    extract::RumaAuth,
    interactive::reauthenticate,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/account/password`
pub async fn change_password(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    Caller(user): Caller,
    RumaAuth(body): RumaAuth<Request>,
) -> Result<Response> {
    users.check_may_change_password()?;
    users.check_new_password(Some(&body.new_password))?;
    limits.check_reauthentication(Operation::Reauthentication, &user, body.auth.is_some())?;
    reauthenticate(&users, &user, "changePassword", "/account/password", body.auth.as_ref()).await?;
    let others = if body.logout_devices { EndSessions::All } else { EndSessions::Keep };
    users.change_password(&user, body.new_password, others).await?;
    Ok(Reply(Response::new()))
}
