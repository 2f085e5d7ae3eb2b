//! An error as clients get it.
//!
//! Errors of the server itself (5xx) carry a cause that is logged once, when the answer is made,
//! and that no client sees.

use std::{borrow::Cow, fmt::Display};

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use serde_json::{Map, Value};

/// An error as Matrix writes it: a status, an `errcode`, a sentence, and sometimes more fields.
/// [Client-Server API, "Standard error response"]
///
/// [Client-Server API, "Standard error response"]: https://spec.matrix.org/v1.19/client-server-api/#standard-error-response
#[derive(Debug)]
pub struct ApiError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    /// Absent in the questions of user-interactive authentication.
    errcode: Option<&'static str>,
    message: Cow<'static, str>,
    retry_after_ms: Option<u64>,
    extra: Map<String, Value>,
    /// What the log gets to see, and nobody else.
    cause: Option<String>,
}

impl ApiError {
    /// An error with a code of the specification and a sentence for people.
    pub fn new(status: StatusCode, errcode: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            status,
            errcode: Some(errcode),
            message: message.into(),
            retry_after_ms: None,
            extra: Map::new(),
            cause: None,
        }))
    }

    /// 500 `M_UNKNOWN`: our own failure. The cause goes to the log only.
    pub fn internal(cause: impl Display) -> Self {
        let mut error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "M_UNKNOWN", "Internal server error");
        error.0.cause = Some(cause.to_string());
        error
    }

    /// 503 `M_UNKNOWN`: not now. The cause goes to the log only.
    pub fn unavailable(message: &'static str, cause: impl Display) -> Self {
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "M_UNKNOWN", message);
        error.0.cause = Some(cause.to_string());
        error
    }

    /// 503 `M_UNKNOWN`: a full disk, or too many changes of the same thing; nothing was changed.
    pub fn cannot_store(cause: impl Display) -> Self {
        Self::unavailable("The server cannot store anything at the moment.", cause)
    }

    /// 400 `M_NOT_JSON`.
    pub fn not_json() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "M_NOT_JSON", "The request body is not valid JSON.")
    }

    /// 400 `M_BAD_JSON`.
    pub fn bad_json(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "M_BAD_JSON", message)
    }

    /// 400 `M_INVALID_PARAM`.
    pub fn invalid_param(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "M_INVALID_PARAM", message)
    }

    /// 400 `M_MISSING_PARAM`.
    pub fn missing_param(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "M_MISSING_PARAM", message)
    }

    /// 403 `M_FORBIDDEN`.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "M_FORBIDDEN", message)
    }

    /// 403 `M_FORBIDDEN`, the same for a room that does not exist and for one that the caller is
    /// not in, so that nobody learns which rooms there are.
    pub fn not_in_room() -> Self {
        Self::forbidden("You are not in this room, or it does not exist.")
    }

    /// 404 `M_NOT_FOUND`.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "M_NOT_FOUND", message)
    }

    /// 401 `M_MISSING_TOKEN`.
    pub fn missing_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "M_MISSING_TOKEN", "Missing access token")
    }

    /// 401 `M_UNKNOWN_TOKEN`. `soft_logout` tells the client to keep what it has stored.
    pub fn unknown_token(soft_logout: bool) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "M_UNKNOWN_TOKEN", "Unknown access token").with("soft_logout", soft_logout)
    }

    /// 401 `M_USER_LOCKED`.
    pub fn locked() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "M_USER_LOCKED", "This account is locked").with("soft_logout", true)
    }

    /// 403 `M_USER_SUSPENDED`.
    pub fn suspended() -> Self {
        Self::new(StatusCode::FORBIDDEN, "M_USER_SUSPENDED", "This account is suspended")
    }

    /// 403 `M_GUEST_ACCESS_FORBIDDEN`.
    pub fn guest_forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "M_GUEST_ACCESS_FORBIDDEN", "Guests may not do this")
    }

    /// 403 `M_RESOURCE_LIMIT_EXCEEDED`: the user has as much of something as allowed.
    pub fn resource_limit(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "M_RESOURCE_LIMIT_EXCEEDED", message)
    }

    /// 413 `M_TOO_LARGE`.
    pub fn too_large(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "M_TOO_LARGE", message)
    }

    /// 429 `M_LIMIT_EXCEEDED`, and how long to wait.
    pub fn limit_exceeded(retry_after_ms: u64) -> Self {
        let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, "M_LIMIT_EXCEEDED", "Too many requests");
        error.0.retry_after_ms = Some(retry_after_ms);
        error.with("retry_after_ms", retry_after_ms)
    }

    /// 401 with the stages that are left. [Client-Server API, "User-Interactive Authentication"]
    ///
    /// [Client-Server API, "User-Interactive Authentication"]: https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api
    pub fn interactive(question: Map<String, Value>) -> Self {
        Self(Box::new(Parts {
            status: StatusCode::UNAUTHORIZED,
            errcode: None,
            message: Cow::Borrowed(""),
            retry_after_ms: None,
            extra: question,
            cause: None,
        }))
    }

    /// Adds a field to the body.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0.extra.insert(field.to_owned(), value.into());
        self
    }
}

impl ApiError {
    /// The answer as status and headers, and its body. Logs the cause.
    pub fn into_parts(self) -> (http::response::Parts, String) {
        let Parts { status, errcode, message, retry_after_ms, mut extra, cause } = *self.0;
        if let Some(cause) = cause {
            tracing::error!(%status, %cause, "request failed");
        }
        if let Some(errcode) = errcode {
            extra.insert("errcode".to_owned(), errcode.into());
            extra.insert("error".to_owned(), message.into());
        }
        let (mut parts, ()) = http::Response::new(()).into_parts();
        parts.status = status;
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(retry_after_ms) = retry_after_ms {
            parts.headers.insert(RETRY_AFTER, retry_after_ms.div_ceil(1000).into());
        }
        (parts, Value::Object(extra).to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (parts, body) = self.into_parts();
        Response::from_parts(parts, body.into())
    }
}
