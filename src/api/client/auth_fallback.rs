//! Stages of registration on web pages, for clients that do not know them.
//! [Client-Server API, "User-Interactive Authentication API", "Fallback"]
//!
//! [Client-Server API, "User-Interactive Authentication API", "Fallback"]: https://spec.matrix.org/v1.19/client-server-api/#fallback

use axum::{
    body::{Body, to_bytes},
    extract::State,
    response::Response,
};
use hearth_homeserver::users::{FallbackError, FallbackStage, Users};
use ruma::{api::client::uiaa::get_uiaa_fallback_page::v3::Request, exports::serde_html_form};
use serde::Deserialize;

use crate::{
    api_error::ApiError,
    auth_page::{build_done, build_question},
    beyond_ruma::PassStageRequest,
    client_address::ClientAddress,
    extract::{Ruma, RumaFile},
    rate_limit::{Operation, RateLimits},
};

/// How many bytes what is typed into a page may have.
const FORM_BYTES_MAX: usize = 4 * 1024;

/// `GET /_matrix/client/v3/auth/{authType}/fallback/web`
pub async fn get_auth_fallback(State(users): State<Users>, Ruma(body): Ruma<Request>) -> Result<Response, ApiError> {
    let stage = stage_of(body.auth_type.as_str())?;
    users.check_fallback(&body.session, stage)?;
    Ok(build_question(stage, &users.list_policies(), None))
}

/// `POST /_matrix/client/v3/auth/{authType}/fallback/web`
pub async fn pass_auth_fallback(
    State(users): State<Users>,
    State(limits): State<RateLimits>,
    ClientAddress(address): ClientAddress,
    file: RumaFile<PassStageRequest>,
) -> Result<Response, ApiError> {
    limits.check_address(Operation::Registration, address)?;
    let RumaFile { request, body, .. } = file;
    let stage = stage_of(&request.auth_type)?;
    let form = to_bytes(Body::from_stream(body), FORM_BYTES_MAX).await;
    let form = form.map_err(|_| ApiError::too_large("The form is too large."))?;
    let form: Form = serde_html_form::from_bytes(&form).map_err(|error| ApiError::invalid_param(error.to_string()))?;
    match users.pass_fallback(&request.session, stage, form.token).await {
        Ok(()) => Ok(build_done()),
        Err(FallbackError::Stage(fault)) => Ok(build_question(stage, &users.list_policies(), Some(&fault.to_string()))),
        Err(error) => Err(error.into()),
    }
}

/// What is typed into a page.
#[derive(Deserialize)]
struct Form {
    /// The registration token.
    token: Option<String>,
}

fn stage_of(name: &str) -> Result<FallbackStage, ApiError> {
    FallbackStage::of_name(name).ok_or_else(|| ApiError::not_found("This stage has no page."))
}
