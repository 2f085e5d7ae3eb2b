//! What is new. [Client-Server API, "Syncing"]
//!
//! [Client-Server API, "Syncing"]: https://spec.matrix.org/v1.19/client-server-api/#syncing

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use hearth_homeserver::{
    sync::{StateForm, Sync, SyncRequest, TIMEOUT_MS_MAX},
    users::{LocalUser, Users},
};
use hearth_protocol::SyncFilter;
use http::Uri;
use ruma::api::{
    Metadata as _,
    client::sync::sync_events::v3::{Filter, Request},
    path_builder::PathBuilder as _,
};
use serde::Deserialize;

use crate::{
    api_error::ApiError,
    caller::GuestCaller,
    extract::{Apart, Boxed, Ruma, parse_query},
    query::Query,
    reply::JsonText,
    server_sent::Delivery,
};

/// Parameters that ruma does not know, or not as they were written.
#[derive(Debug, Deserialize)]
pub struct Unstable {
    #[serde(rename = "org.matrix.msc4222.use_state_after", default)]
    use_state_after: bool,
    filter: Option<String>,
}

/// What stands in the head of a request.
type Head = (State<Sync>, State<Users>, GuestCaller, Delivery, Query<Unstable>);

/// `GET /_matrix/client/v3/sync`
#[expect(clippy::manual_async_fn, reason = "that would have room for each argument twice, and thousands wait")]
pub fn sync(
    Apart((State(sync), State(users), GuestCaller(user), delivery, Query(unstable))): Apart<Head>,
    Ruma(Boxed(mut body)): Ruma<Boxed<Request>>,
) -> impl Future<Output = Result<Response, ApiError>> + Send {
    async move {
        let stream = match delivery {
            Delivery::Once(waiting) => {
                // In a box, which is gone before the request waits.
                let request = Box::pin(read_request(&sync, &users, &user, body, unstable)).await?;
                let news = Box::pin(sync.next(&user, &request, waiting.stop()));
                return Ok(JsonText::of(&waiting.for_news(&user, news).await?)?.into_response());
            }
            Delivery::Stream(stream) => stream,
        };
        if let Some(last) = stream.last_event_id() {
            body.since = Some(last.to_owned());
        }
        let request = Box::pin(read_request(&sync, &users, &user, body, unstable)).await?;
        Ok(stream.open(sync, user, request))
    }
}

/// What a sync asks for whose path and query came over a socket.
///
/// # Errors
/// As over HTTP; and 400 for what has to go over HTTP, since it may be large and a socket does not compress.
pub async fn read_path(sync: &Sync, users: &Users, user: &LocalUser, path: &str) -> Result<SyncRequest, ApiError> {
    let uri: Uri = path.parse().map_err(|_| ApiError::invalid_param("`path` is no path with a query."))?;
    if !Request::PATH_BUILDER.all_paths().any(|known| known == uri.path()) {
        return Err(ApiError::invalid_param("`path` is not that of a sync."));
    }
    let Query(unstable) = Query::<Unstable>::try_from_uri(&uri)?;
    let Boxed(body): Boxed<Request> = parse_query(uri)?;
    if body.full_state || body.since.as_deref().unwrap_or_default().is_empty() {
        return Err(ApiError::invalid_param("A sync without `since`, or with `full_state`, goes over HTTP."));
    }
    read_request(sync, users, user, body, unstable).await
}

/// What a request asks for, whichever way it came.
async fn read_request(
    sync: &Sync,
    users: &Users,
    user: &LocalUser,
    body: Box<Request>,
    unstable: Unstable,
) -> Result<SyncRequest, ApiError> {
    let since = body.since.as_deref().filter(|since| !since.is_empty());
    let since = since.map(|since| sync.parse_token(since)).transpose();
    let since = since.map_err(|_| ApiError::invalid_param("`since` is not a token of this server."))?;
    let mut request = SyncRequest::new(since);
    if let Some(filter) = body.filter {
        request.filter = load_filter(sync, users, user, filter, unstable.filter.as_deref()).await?;
    }
    request.full_state = body.full_state;
    request.timeout_ms =
        body.timeout.map_or(0, |timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX).min(TIMEOUT_MS_MAX));
    request.set_presence = body.set_presence;
    request.state_form = match (body.use_state_after, unstable.use_state_after) {
        (true, _) => StateForm::After,
        (false, true) => StateForm::AfterUnstable,
        (false, false) => StateForm::Before,
    };
    Ok(request)
}

/// The filter, from its own text: ruma's type leaves out what the specification says of relations.
async fn load_filter(
    sync: &Sync,
    users: &Users,
    user: &LocalUser,
    filter: Filter,
    text: Option<&str>,
) -> Result<Arc<SyncFilter>, ApiError> {
    let filter_id = match filter {
        Filter::FilterDefinition(_) => {
            let filter = sync.compile_filter(text.unwrap_or("{}"));
            return filter.map_err(|_| ApiError::invalid_param("The filter is not valid."));
        }
        Filter::FilterId(filter_id) => filter_id,
        _ => return Err(ApiError::invalid_param("Not a filter.")),
    };
    if filter_id.starts_with('{') {
        return Err(ApiError::invalid_param("The filter is not valid."));
    }
    let stored = users.load_filter(&user.user_id, &filter_id).await.map_err(ApiError::internal)?;
    let stored = stored.ok_or_else(|| ApiError::not_found("Unknown filter."))?;
    sync.compile_filter(stored.get()).map_err(ApiError::internal)
}
