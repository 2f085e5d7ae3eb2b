//! A request as the ruma type that describes it, with every limit applied before it is parsed.
//!
//! | what is wrong | answer |
//! |---|---|
//! | body over [`JSON_BODY_BYTES_MAX`] | 413 `M_TOO_LARGE` |
//! | body is not JSON | 400 `M_NOT_JSON` |
//! | JSON too deep, no object, or of the wrong shape | 400 `M_BAD_JSON` |
//! | identifier or number in path or query | 400 `M_INVALID_PARAM` |
//! | parameter absent from the query | 400 `M_MISSING_PARAM` |
//!
//! Floats and too large integers are a matter of the room version (versions 1 to 5 allow them), so
//! they are judged where the event is built, and come back as `M_BAD_JSON` from there.

use axum::{
    body::{Body, BodyDataStream, to_bytes},
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
};
use bytes::Bytes;
use http::{Method, StatusCode, header::CONTENT_LENGTH, request::Parts};
use ruma::api::{
    IncomingRequest, Metadata,
    error::{DeserializationError, HeaderDeserializationError},
};
use serde_json::{Map, Value};

use crate::{
    api_error::ApiError,
    interactive::with_identifier,
    json_check::{JsonFault, check_json},
    state::AppState,
};

/// How many bytes a JSON body may have. An event has 64 KiB at most; room creation with its initial
/// state and uploads of key backups are what needs more.
pub const JSON_BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A request of ruma's type `T`: its path, query and JSON body, checked and parsed.
///
/// An absent body counts as `{}`, since clients leave out bodies of which all fields are optional.
#[derive(Debug)]
pub struct Ruma<T>(pub T);

impl<T: IncomingRequest> FromRequest<AppState> for Ruma<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let path = decoded_path(&mut parts, state).await?;
        let path: Vec<&str> = path.iter().map(|(_, value)| value).collect();
        let body = if T::METHOD == Method::GET { Bytes::new() } else { Box::pin(json_body(&parts, body)).await? };
        let request = http::Request::from_parts(parts, &body[..]);
        T::try_from_http_request_inner(request, &path).map(Self).map_err(|error| refusal(&error))
    }
}

/// A request of ruma's type `T` that user-interactive authentication guards. Its `auth` may have the old form, with
/// `user` where ruma's types want an `identifier`.
#[derive(Debug)]
pub struct RumaAuth<T>(pub T);

impl<T: IncomingRequest> FromRequest<AppState> for RumaAuth<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let path = decoded_path(&mut parts, state).await?;
        let path: Vec<&str> = path.iter().map(|(_, value)| value).collect();
        let body = with_identifier(Box::pin(json_body(&parts, body)).await?);
        let request = http::Request::from_parts(parts, &body[..]);
        T::try_from_http_request_inner(request, &path).map(Self).map_err(|error| refusal(&error))
    }
}

/// A request of ruma's type `T` whose body is a file: path, query and headers are parsed, and the body is left to be
/// read piece by piece, by whoever knows how large it may be.
#[derive(Debug)]
pub struct RumaFile<T> {
    /// The request, with an empty body.
    pub request: T,
    /// The body.
    pub body: BodyDataStream,
    /// How long the body says that it is, in bytes.
    pub announced_bytes: Option<u64>,
}

impl<T: IncomingRequest> FromRequest<AppState> for RumaFile<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let path = decoded_path(&mut parts, state).await?;
        let path: Vec<&str> = path.iter().map(|(_, value)| value).collect();
        let announced_bytes = announced_bytes(&parts);
        let request = http::Request::from_parts(parts, &[][..]);
        let request = T::try_from_http_request_inner(request, &path).map_err(|error| refusal(&error))?;
        Ok(Self { request, body: body.into_data_stream(), announced_bytes })
    }
}

/// A request of ruma's type `T` that is nothing but a path without variables and a query.
///
/// # Errors
/// As [`Ruma`].
pub fn parse_query<T: IncomingRequest>(uri: http::Uri) -> Result<T, ApiError> {
    let mut request = http::Request::new(&[][..]);
    *request.method_mut() = T::METHOD;
    *request.uri_mut() = uri;
    let no_variables: [&str; 0] = [];
    T::try_from_http_request_inner(request, &no_variables).map_err(|error| refusal(&error))
}

fn announced_bytes(parts: &Parts) -> Option<u64> {
    parts.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A request together with its whole body, of an operation that takes over fields that it does not know.
#[derive(Debug)]
pub struct WithContent<T> {
    /// What ruma knows of it.
    pub request: T,
    /// The body's fields, known ones among them.
    pub content: Map<String, Value>,
}

impl<T: Metadata> Metadata for WithContent<T> {
    const METHOD: Method = T::METHOD;
    const RATE_LIMITED: bool = T::RATE_LIMITED;
    type Authentication = T::Authentication;
    type PathBuilder = T::PathBuilder;
    const PATH_BUILDER: T::PathBuilder = T::PATH_BUILDER;
}

impl<T: IncomingRequest> IncomingRequest for WithContent<T> {
    type EndpointError = T::EndpointError;
    type OutgoingResponse = T::OutgoingResponse;

    fn try_from_http_request_inner(request: http::Request<&[u8]>, path: &[&str]) -> Result<Self, DeserializationError> {
        let content = serde_json::from_slice(request.body())?;
        Ok(Self { request: T::try_from_http_request_inner(request, path)?, content })
    }
}

/// A request in a box, of an operation that waits: a future keeps room for its arguments as often as they are handed on.
#[derive(Debug)]
pub struct Boxed<T>(pub Box<T>);

impl<T: Metadata> Metadata for Boxed<T> {
    const METHOD: Method = T::METHOD;
    const RATE_LIMITED: bool = T::RATE_LIMITED;
    type Authentication = T::Authentication;
    type PathBuilder = T::PathBuilder;
    const PATH_BUILDER: T::PathBuilder = T::PATH_BUILDER;
}

impl<T: IncomingRequest> IncomingRequest for Boxed<T> {
    type EndpointError = T::EndpointError;
    type OutgoingResponse = T::OutgoingResponse;

    fn try_from_http_request_inner(request: http::Request<&[u8]>, path: &[&str]) -> Result<Self, DeserializationError> {
        T::try_from_http_request_inner(request, path).map(|request| Self(Box::new(request)))
    }
}

/// What a handler that waits takes from the head of a request, extracted in a future of its own: it is gone before the
/// handler runs, where otherwise the handler's would have room for it all the time.
#[derive(Debug)]
pub struct Apart<T>(pub T);

impl<T: FromRequestParts<AppState> + Send> FromRequestParts<AppState> for Apart<T> {
    type Rejection = T::Rejection;

    fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> impl Future<Output = Result<Self, T::Rejection>> + Send {
        let extracted = Box::pin(T::from_request_parts(parts, state));
        async move { extracted.await.map(Self) }
    }
}

/// The path's variables, percent-decoded.
async fn decoded_path(parts: &mut Parts, state: &AppState) -> Result<RawPathParams, ApiError> {
    RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| ApiError::invalid_param("The path is not valid UTF-8 when percent-decoded."))
}

/// Reads a JSON body within its limits.
async fn json_body(parts: &Parts, body: Body) -> Result<Bytes, ApiError> {
    if announced_bytes(parts).is_some_and(|bytes| bytes > JSON_BODY_BYTES_MAX as u64) {
        return Err(too_large());
    }
    let body = to_bytes(body, JSON_BODY_BYTES_MAX).await.map_err(|error| {
        // Either the limit, or the client went away and reads no answer.
        tracing::debug!(%error, "request body not read");
        too_large()
    })?;
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match check_json(&body) {
        // serde would read an array as the fields of a type, in their order.
        Ok(()) if body.trim_ascii_start().first() != Some(&b'{') => {
            Err(ApiError::bad_json("The request body must be a JSON object."))
        }
        Ok(()) => Ok(body),
        Err(JsonFault::NotJson) => Err(ApiError::not_json()),
        Err(JsonFault::TooDeep) => Err(ApiError::bad_json("The JSON is nested too deep.")),
    }
}

fn too_large() -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "M_TOO_LARGE", "The request body is too large.")
}

/// The parsers' messages name fields and positions of the client's own request, nothing of ours.
fn refusal(error: &DeserializationError) -> ApiError {
    match error {
        DeserializationError::Utf8(_) => ApiError::not_json(),
        // The whole body was found to be JSON before, so what is wrong now is its shape.
        DeserializationError::Json(error) => ApiError::bad_json(error.to_string()),
        DeserializationError::Header(HeaderDeserializationError::MissingHeader(name)) => {
            ApiError::new(StatusCode::BAD_REQUEST, "M_MISSING_PARAM", format!("Missing header {name}."))
        }
        error => {
            let message = error.to_string();
            let missing = message.starts_with("missing field");
            let errcode = if missing { "M_MISSING_PARAM" } else { "M_INVALID_PARAM" };
            ApiError::new(StatusCode::BAD_REQUEST, errcode, message)
        }
    }
}
