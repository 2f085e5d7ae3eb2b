//! Ending one's account for ever. [Client-Server API, "Account management"]
//!
//! [Client-Server API, "Account management"]: https://spec.matrix.org/v1.19/client-server-api/#account-management

use axum::extract::State;
use hearth_homeserver::{flows::Flows, users::Users};
use ruma::api::client::account::{
    ThirdPartyIdRemovalStatus,
    deactivate::v3::{Request, Response},
};

use crate::{
    caller::Caller,
    extract::RumaAuth,
    interactive::reauthenticate,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/account/deactivate`
pub async fn deactivate_account(
    State(users): State<Users>,
    State(flows): State<Flows>,
    State(limits): State<RateLimits>,
    Caller(user): Caller,
    RumaAuth(body): RumaAuth<Request>,
) -> Result<Response> {
    let auth = body.auth.as_ref();
    limits.check_reauthentication(Operation::Reauthentication, &user, body.auth.is_some())?;
    reauthenticate(&users, &user, "deactivateAccount", "/account/deactivate", auth).await?;
    flows.deactivate(&user, body.erase).await?;
    Ok(Reply(Response::new(ThirdPartyIdRemovalStatus::Success)))
}
