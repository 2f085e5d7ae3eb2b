//! The router of the metrics listener: `/metrics`, `/health`, `/ready`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::BoxFuture;
use hearth_homeserver::metrics::Metered;
use http::{StatusCode, header};

use super::exposition::write_exposition;

/// Asked whether the server can serve; the error says in a few words why not.
pub type Probe = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

#[derive(Clone)]
struct Observed {
    sources: Arc<[Arc<dyn Metered>]>,
    ready: Probe,
}

/// Shows the figures of `sources`, and what `ready` says.
pub fn observation_router(sources: Vec<Arc<dyn Metered>>, ready: Probe) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(|| async { "the process lives\n" }))
        .route("/ready", get(readiness))
        .with_state(Observed { sources: sources.into(), ready })
}

async fn metrics(State(observed): State<Observed>) -> Response {
    let mut readings = Vec::new();
    for source in observed.sources.iter() {
        source.readings(&mut readings);
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, write_exposition(&readings)).into_response()
}

async fn readiness(State(observed): State<Observed>) -> Response {
    match (observed.ready)().await {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::body::{Body, to_bytes};
    use hearth_homeserver::metrics::{Counter, Metered, Reading};
    use http::Request;
    use tower::ServiceExt as _;

    use super::{Probe, observation_router};

    #[derive(Default)]
    struct Counted(Counter);

    impl Metered for Counted {
        fn readings(&self, out: &mut Vec<Reading>) {
            out.push(Reading::counter("counted_total", "Counted.", self.0.value()));
        }
    }

    async fn ask(ready: Result<(), String>, path: &str) -> (u16, String) {
        let counted = Arc::new(Counted::default());
        counted.0.add(7);
        let probe: Probe = Arc::new(move || {
            let ready = ready.clone();
            Box::pin(async move { ready })
        });
        let router = observation_router(vec![counted], probe);
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn figures_and_probes() {
        assert!(ask(Ok(()), "/metrics").await.1.contains("counted_total 7\n"));
        assert_eq!(ask(Err("the disk is full".to_owned()), "/health").await.0, 200);
        assert_eq!(ask(Ok(()), "/ready").await, (200, "ready\n".to_owned()));
        let (status, text) = ask(Err("the disk is full".to_owned()), "/ready").await;
        assert_eq!((status, text.as_str()), (503, "not ready: the disk is full\n"));
        assert_eq!(ask(Ok(()), "/_matrix/client/versions").await.0, 404);
    }
}
