//! Finding people. [Client-Server API, "User Directory"]
//!
//! [Client-Server API, "User Directory"]: https://spec.matrix.org/v1.19/client-server-api/#user-directory

use axum::extract::State;
use hearth_homeserver::people::Directory;
use ruma::api::client::user_directory::search_users::v3::{Request, Response, User};

use crate::{
    api_error::ApiError,
    caller::Caller,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::{Reply, Result},
};

/// `POST /_matrix/client/v3/user_directory/search`
pub async fn search_user_directory(
    State(directory): State<Directory>,
    State(limits): State<RateLimits>,
    Caller(user): Caller,
    Ruma(body): Ruma<Request>,
) -> Result<Response> {
    limits.check_user(Operation::PeopleSearch, &user)?;
    let limit = usize::try_from(u64::from(body.limit)).unwrap_or(usize::MAX);
    let page = directory.find(&user, &body.search_term, limit).await.map_err(ApiError::internal)?;
    let people = page.people.into_iter().map(|person| {
        let mut user = User::new(person.user_id);
        user.display_name = person.display_name;
        user.avatar_url = person.avatar_url.map(Into::into);
        user
    });
    Ok(Reply(Response::new(people.collect(), page.is_limited)))
}
