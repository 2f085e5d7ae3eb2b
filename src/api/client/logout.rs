//! Ending sessions. [Client-Server API, "Logout"]
//!
//! [Client-Server API, "Logout"]: https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3logout

use axum::extract::State;
use hearth_homeserver::users::Users;
use ruma::api::client::session::{logout as one, logout_all as all};

use crate::{
    caller::LockedCaller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/logout`
pub async fn logout(
    State(users): State<Users>,
    LockedCaller(user): LockedCaller,
    Ruma(_): Ruma<one::v3::Request>,
) -> Result<one::v3::Response> {
    users.logout(&user).await?;
    Ok(Reply(one::v3::Response::new()))
}

/// `POST /_matrix/client/v3/logout/all`
pub async fn logout_all(
    State(users): State<Users>,
    LockedCaller(user): LockedCaller,
    Ruma(_): Ruma<all::v3::Request>,
) -> Result<all::v3::Response> {
    users.logout_all(&user).await?;
    Ok(Reply(all::v3::Response::new()))
}
