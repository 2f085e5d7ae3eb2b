//! Parameters of a query beside those that the ruma type of a request knows.

use axum::extract::FromRequestParts;
use http::{Uri, request::Parts};
use serde::de::DeserializeOwned;

use crate::api_error::ApiError;

/// Some of a query's parameters. What is wrong with them is said as Matrix says it: 400 `M_INVALID_PARAM`.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> Query<T> {
    /// The parameters in an address.
    ///
    /// # Errors
    /// 400 `M_INVALID_PARAM`: one of them is there twice, or of the wrong kind.
    pub fn try_from_uri(uri: &Uri) -> Result<Self, ApiError> {
        match axum::extract::Query::try_from_uri(uri) {
            Ok(axum::extract::Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => {
                tracing::debug!(%rejection, "query not understood");
                Err(ApiError::invalid_param("A parameter of the query is there twice, or of the wrong kind."))
            }
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::try_from_uri(&parts.uri)
    }
}
