//! Around each request: an id, a tracing span, containment of panics, and figures by route.
//!
//! One layer does all four, since each layer costs an allocation a request.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use hearth_homeserver::metrics::{Counter, Gauge, Histogram, Metered, Reading};
use hearth_protocol::{Rng, random_string};
use http::{HeaderValue, Method, StatusCode, header};
use parking_lot::RwLock;
use tracing::Instrument as _;

use crate::system::SystemClock;

/// How many pairs of method and route are told apart; further ones are counted under [`OTHER`].
const ROUTES_MAX: usize = 1_000;

/// What requests without a route are counted under.
const OTHER: &str = "other";

/// The header that names a request in the logs to whoever sent it.
const REQUEST_ID: &str = "x-request-id";

/// Statuses that are counted one by one; any other one counts as the first of its hundred.
const STATUSES: [u16; 22] =
    [100, 200, 201, 204, 300, 302, 304, 400, 401, 403, 404, 405, 409, 413, 415, 429, 499, 500, 502, 503, 504, 507];

/// Figures of all requests, and what ids are made of. Cheap to clone.
#[derive(Clone)]
pub struct RequestStats(Arc<Inner>);

struct Inner {
    clock: Arc<SystemClock>,
    /// Tells the ids of this process from those of an earlier one.
    id_start: String,
    id_count: AtomicU64,
    under_way: Gauge,
    panics: Counter,
    routes: RwLock<HashMap<(Method, String), Arc<RouteStats>>>,
}

struct RouteStats {
    by_status: [Counter; STATUSES.len()],
    duration: Histogram,
}

impl RouteStats {
    fn new() -> Self {
        Self { by_status: std::array::from_fn(|_| Counter::default()), duration: Histogram::of_durations_us() }
    }
}

impl RequestStats {
    /// No requests yet.
    pub fn new(clock: Arc<SystemClock>, rng: &dyn Rng) -> Self {
        Self(Arc::new(Inner {
            clock,
            id_start: random_string(rng, 6),
            id_count: AtomicU64::new(0),
            under_way: Gauge::default(),
            panics: Counter::default(),
            routes: RwLock::default(),
        }))
    }

    fn next_id(&self) -> String {
        format!("{}-{}", self.0.id_start, self.0.id_count.fetch_add(1, Ordering::Relaxed))
    }

    fn route(&self, method: &Method, route: &str) -> Arc<RouteStats> {
        let key = (method.clone(), route.to_owned());
        if let Some(stats) = self.0.routes.read().get(&key) {
            return Arc::clone(stats);
        }
        let mut routes = self.0.routes.write();
        let key = if routes.len() < ROUTES_MAX { key } else { (Method::GET, OTHER.to_owned()) };
        Arc::clone(routes.entry(key).or_insert_with(|| Arc::new(RouteStats::new())))
    }

    fn record(&self, method: &Method, route: &str, status: StatusCode, duration_us: u64) {
        let stats = self.route(method, route);
        let index = STATUSES
            .binary_search(&status.as_u16())
            .or_else(|_| STATUSES.binary_search(&(status.as_u16() / 100 * 100)));
        if let Ok(index) = index {
            stats.by_status[index].increment();
        }
        stats.duration.record(duration_us);
    }
}

/// A request under way; it is counted until it is dropped, also half-way.
struct UnderWay(RequestStats);

impl UnderWay {
    fn begin(stats: RequestStats) -> Self {
        stats.0.under_way.add(1);
        Self(stats)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.under_way.add(-1);
    }
}

/// The layer: runs the rest of the request inside a span, and turns a panic into a 500.
pub fn around_request(
    State(stats): State<RequestStats>,
    request: Request,
    next: Next,
) -> impl Future<Output = Response> + Send {
    let id = stats.next_id();
    let method = standard_method(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or(OTHER, MatchedPath::as_str);
    let span = tracing::info_span!("request", id, %method, route);
    let under_way = UnderWay::begin(stats);
    let started_us = under_way.0.0.clock.monotonic_us();
    // In a box: the future below would have room for the request as often as it is handed on.
    let answering = Box::pin(AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()));
    async move {
        let answer = answering.await;
        let stats = &under_way.0;
        let mut response = answer.unwrap_or_else(|_| {
            stats.0.panics.increment();
            panic_response()
        });
        let duration_us = stats.0.clock.monotonic_us().saturating_sub(started_us);
        let (route, status) = (matched.as_ref().map_or(OTHER, MatchedPath::as_str), response.status());
        stats.record(&method, route, status, duration_us);
        tracing::debug!(parent: &span, status = status.as_u16(), us = duration_us, "answered");
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
}

/// The method, if it is a usual one: a peer may invent any number of others.
fn standard_method(method: &Method) -> Method {
    match *method {
        Method::GET | Method::POST | Method::PUT | Method::DELETE | Method::OPTIONS | Method::HEAD | Method::PATCH => {
            method.clone()
        }
        _ => Method::TRACE,
    }
}

/// The hook of the logs has told of the panic already. CORS stands within the router, so it is repeated here:
/// a browser would otherwise not show the error to the client.
fn panic_response() -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    let body = r#"{"errcode":"M_UNKNOWN","error":"Internal server error"}"#;
    (StatusCode::INTERNAL_SERVER_ERROR, headers, body).into_response()
}

impl Metered for RequestStats {
    fn readings(&self, out: &mut Vec<Reading>) {
        let under_way = u64::try_from(self.0.under_way.value()).unwrap_or_default();
        out.push(Reading::gauge("hearth_requests_under_way", "Requests that are not answered yet.", under_way));
        let help = "Requests whose handling panicked.";
        out.push(Reading::counter("hearth_request_panics_total", help, self.0.panics.value()));
        for ((method, route), stats) in self.0.routes.read().iter() {
            for (status, counter) in STATUSES.iter().zip(&stats.by_status).filter(|(_, counter)| counter.value() > 0) {
                let help = "Requests by method, route and status.";
                let reading = Reading::counter("hearth_requests_total", help, counter.value());
                let reading = reading.with("method", method.as_str()).with("route", route);
                out.push(reading.with("status", status.to_string()));
            }
            let help = "How long requests took.";
            let reading = Reading::histogram("hearth_request_duration_seconds", help, &stats.duration);
            out.push(reading.with("method", method.as_str()).with("route", route));
        }
    }
}

#[cfg(test)]
#[path = "requests_tests.rs"]
mod tests;
