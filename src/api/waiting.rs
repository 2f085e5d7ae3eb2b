//! Requests that wait for news: each ends with the session that it belongs to, as sockets do.
//!
//! A request is authenticated when it comes; by the time it has news to tell, its session may be over.

use std::{convert::Infallible, pin::Pin};

use axum::extract::FromRequestParts;
use hearth_homeserver::{Stop, users::LocalUser};
use http::request::Parts;

use crate::{api_error::ApiError, caller::access_token, state::AppState, ws::Sockets};

/// With which token a request came that waits.
pub struct Waiting {
    pub(crate) sockets: Sockets,
    pub(crate) stop: Stop,
    /// None of an application service: it has no session that could end.
    pub(crate) token: Option<String>,
}

impl FromRequestParts<AppState> for Waiting {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let token = access_token(parts, state.config().token_in_query);
        let token = token.filter(|token| state.services().find_by_token(token).is_none());
        Ok(Self { sockets: state.sockets().clone(), stop: state.stop().clone(), token })
    }
}

impl Waiting {
    /// Ends the waiting early when the server stops.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Waits for news of a user. They come in a box, since a future that takes another has room for it twice.
    ///
    /// # Errors
    /// 401 as soon as the token is revoked, and also when there are news by then; else as `news` says.
    pub async fn for_news<T, E>(
        &self,
        user: &LocalUser,
        mut news: Pin<Box<impl Future<Output = Result<T, E>>>>,
    ) -> Result<T, ApiError>
    where
        ApiError: From<E>,
    {
        let Some(token) = self.token.as_deref() else { return Ok(news.await?) };
        let seat = self.sockets.wait(user);
        loop {
            // Also at first: the session may have ended before it was listened to.
            Box::pin(self.sockets.users().authenticate(token)).await?;
            tokio::select! {
                news = news.as_mut() => {
                    Box::pin(self.sockets.users().authenticate(token)).await?;
                    return Ok(news?);
                }
                () = seat.rung() => {}
            }
        }
    }
}
