use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use hearth_homeserver::metrics::Metered as _;
use hearth_protocol::SeededRng;
use http::{Method, Request, StatusCode};
use tower::ServiceExt as _;

use super::{OTHER, ROUTES_MAX, RequestStats, around_request};
use crate::system::SystemClock;
use crate::telemetry::write_exposition;

fn stats() -> RequestStats {
    RequestStats::new(Arc::new(SystemClock::new()), &SeededRng::new(1))
}

fn router(stats: &RequestStats) -> Router {
    Router::new()
        .route("/rooms/{room}", get(|| async { "ok" }))
        .route(
            "/panic/{planned}",
            get(|Path(planned): Path<String>| async move { assert!(planned.is_empty(), "as planned") }),
        )
        .layer(from_fn_with_state(stats.clone(), around_request))
}

async fn ask(router: &Router, path: &str) -> axum::response::Response {
    let request = Request::get(path).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

fn shown(stats: &RequestStats) -> String {
    let mut readings = Vec::new();
    stats.readings(&mut readings);
    write_exposition(&readings)
}

#[tokio::test]
async fn requests_are_counted_by_route_never_by_path() {
    let stats = stats();
    let router = router(&stats);
    for path in ["/rooms/!a", "/rooms/!b?access_token=secret", "/nowhere"] {
        ask(&router, path).await;
    }
    let shown = shown(&stats);
    let counted = "hearth_requests_total{method=\"GET\",route=\"/rooms/{room}\",status=\"200\"} 2";
    assert!(shown.contains(counted), "{shown}");
    assert!(shown.contains("route=\"other\",status=\"404\"} 1"), "{shown}");
    assert!(shown.contains("hearth_request_duration_seconds_count{method=\"GET\",route=\"/rooms/{room}\"} 2"));
    assert!(shown.contains("hearth_requests_under_way 0"));
    assert!(!shown.contains("secret") && !shown.contains("!a"));
}

#[tokio::test]
async fn a_panic_is_a_500_and_harms_nobody_else() {
    let stats = stats();
    let router = router(&stats);
    let response = ask(&router, "/panic/now").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let body = to_bytes(response.into_body(), 1_000).await.unwrap();
    assert_eq!(&body[..], br#"{"errcode":"M_UNKNOWN","error":"Internal server error"}"#);
    assert_eq!(ask(&router, "/rooms/x").await.status(), StatusCode::OK);
    assert!(shown(&stats).contains("hearth_request_panics_total 1"));
}

#[tokio::test]
async fn every_request_has_an_id_of_its_own() {
    let router = router(&stats());
    let first = ask(&router, "/rooms/x").await.headers()["x-request-id"].clone();
    assert_ne!(first, ask(&router, "/rooms/x").await.headers()["x-request-id"]);
}

#[test]
fn invented_routes_and_statuses_do_not_pile_up() {
    let stats = stats();
    for n in 0..ROUTES_MAX + 50 {
        stats.record(&Method::GET, &n.to_string(), StatusCode::from_u16(418).unwrap(), 1);
    }
    assert_eq!(stats.0.routes.read().len(), ROUTES_MAX + 1);
    assert!(shown(&stats).contains(&format!("route=\"{OTHER}\",status=\"400\"}} 50")));
}
