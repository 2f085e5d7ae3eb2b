//! Calls of a socket: each goes through the router as a request of its own would.

use std::{collections::HashMap, net::IpAddr};

use axum::{
    Router,
    body::{Body, to_bytes},
    response::Response,
};
use futures_util::{
    StreamExt as _,
    future::{AbortHandle, Abortable, BoxFuture},
    stream::FuturesUnordered,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri,
    header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, USER_AGENT},
};

use super::{
    frame::{AnswerKind, CallFrame, write_answer},
    only_http::refuse_call,
};
use crate::{api_error::ApiError, client_address::PeerAddress};

/// The largest answer that goes into a frame, in bytes.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// Headers of a call that its handler may see.
const HEADERS_PASSED: [HeaderName; 2] = [ACCEPT_LANGUAGE, CONTENT_TYPE];

/// How long a client waits that has too many calls under way, in milliseconds.
const RETRY_AFTER_MS: u64 = 100;

/// As whom and whence calls are made.
pub struct Origin<'a> {
    pub token: &'a str,
    pub address: Option<IpAddr>,
    pub user_agent: Option<&'a HeaderValue>,
}

/// Those that are under way.
pub struct Calls {
    router: Router,
    in_flight_max: usize,
    running: FuturesUnordered<Abortable<BoxFuture<'static, Reply>>>,
    handles: HashMap<String, AbortHandle>,
}

/// The answer to a call.
pub struct Reply {
    id: String,
    frame: String,
}

impl Calls {
    /// None under way. `router` serves them.
    pub fn new(router: Router, in_flight_max: u32) -> Self {
        let in_flight_max = usize::try_from(in_flight_max).unwrap_or(usize::MAX);
        Self { router, in_flight_max, running: FuturesUnordered::new(), handles: HashMap::new() }
    }

    /// Starts a call; gives the reply if it is refused.
    ///
    /// # Errors
    /// When a call with this id is under way.
    pub fn start(&mut self, call: CallFrame<'_>, origin: &Origin<'_>) -> Result<Option<String>, &'static str> {
        if self.handles.contains_key(&call.id) {
            return Err("A call with this `id` is under way.");
        }
        if self.handles.len() >= self.in_flight_max {
            return Ok(Some(write_error(AnswerKind::Reply, &call.id, ApiError::limit_exceeded(RETRY_AFTER_MS))));
        }
        let request = match build_request(&call, origin) {
            Ok(request) => request,
            Err(error) => return Ok(Some(write_error(AnswerKind::Reply, &call.id, error))),
        };
        let (handle, registration) = AbortHandle::new_pair();
        self.handles.insert(call.id.clone(), handle);
        let running: BoxFuture<'static, Reply> = Box::pin(run(self.router.clone(), call.id, request));
        self.running.push(Abortable::new(running, registration));
        Ok(None)
    }

    /// Nobody waits for any of them any more.
    pub fn cancel_all(&mut self) {
        self.running.clear();
        self.handles.clear();
    }

    /// Nobody waits for this call any more.
    pub fn cancel(&mut self, id: &str) {
        if let Some(handle) = self.handles.remove(id) {
            handle.abort();
        }
    }

    /// Waits for a reply; for ever when no call is under way. Dropping the future loses nothing.
    pub async fn next(&mut self) -> String {
        loop {
            match self.running.next().await {
                Some(Ok(reply)) => {
                    self.handles.remove(&reply.id);
                    return reply.frame;
                }
                // Cancelled.
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }
}

fn build_request(call: &CallFrame<'_>, origin: &Origin<'_>) -> Result<Request<Body>, ApiError> {
    let invalid = || ApiError::invalid_param("`method` or `path` is none.");
    let method = Method::from_bytes(call.method.as_bytes()).map_err(|_| invalid())?;
    if let Some(reason) = refuse_call(&method, &call.path) {
        return Err(ApiError::invalid_param(reason));
    }
    let uri: Uri = call.path.parse().map_err(|_| invalid())?;
    let has_token = |name: &String| name.eq_ignore_ascii_case(AUTHORIZATION.as_str());
    let in_query = uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("access_token=")));
    if in_query || call.headers.keys().any(has_token) {
        return Err(ApiError::invalid_param("A call has the socket's token: with another one it goes over HTTP."));
    }
    let body = call.body.map_or_else(Body::empty, |body| Body::from(body.get().to_owned()));
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = pass_headers(call);
    let bearer = HeaderValue::try_from(format!("Bearer {}", origin.token)).map_err(|_| invalid())?;
    request.headers_mut().insert(AUTHORIZATION, bearer);
    if let Some(agent) = origin.user_agent {
        request.headers_mut().insert(USER_AGENT, agent.clone());
    }
    if let Some(address) = origin.address {
        request.extensions_mut().insert(PeerAddress(address));
    }
    Ok(request)
}

fn pass_headers(call: &CallFrame<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let json = HeaderValue::from_static("application/json");
    headers.insert(ACCEPT, json.clone());
    if call.body.is_some() {
        headers.insert(CONTENT_TYPE, json);
    }
    for (name, value) in &call.headers {
        let passed = HEADERS_PASSED.into_iter().find(|passed| name.eq_ignore_ascii_case(passed.as_str()));
        if let (Some(name), Ok(value)) = (passed, HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    headers
}

async fn run(router: Router, id: String, request: Request<Body>) -> Reply {
    let response = match tower::ServiceExt::oneshot(router, request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let frame = write_response(AnswerKind::Reply, &id, response).await;
    Reply { id, frame }
}

/// An error as a frame.
pub fn write_error(kind: AnswerKind, id: &str, error: ApiError) -> String {
    let (parts, body) = error.into_parts();
    write_answer(kind, id, parts.status, &parts.headers, &body)
}

/// What a handler answered as a frame.
async fn write_response(kind: AnswerKind, id: &str, response: Response) -> String {
    let (parts, body) = response.into_parts();
    let is_json = parts.headers.get(CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().starts_with(b"application/json"));
    let body = match to_bytes(body, ANSWER_BYTES_MAX).await {
        Ok(body) if is_json => String::from_utf8(body.into()).ok(),
        Ok(_) | Err(_) => None,
    };
    match body {
        Some(body) => write_answer(kind, id, parts.status, &parts.headers, &body),
        None => write_error(kind, id, ApiError::invalid_param("The answer is too large, or no JSON: use HTTP.")),
    }
}
