//! What a browser sees at `/`: that Hearth runs here, and how to connect a client.
//!
//! The page loads nothing from elsewhere, runs no script, and knows nothing of the homeserver
//! but what [`About`] says.

mod page;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use http::{HeaderName, HeaderValue, header};

/// What the page tells.
#[derive(Clone, Debug)]
pub struct About {
    /// The name that ends the ids of this server's users.
    pub server_name: String,
    /// The version that runs.
    pub version: &'static str,
    /// The address for clients, if the configuration has one.
    pub base_url: Option<String>,
}

/// Nothing but this server's own style sheet and icon.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = include_str!("hearth.css");
const ICON: &str = include_str!("hearth.svg");

/// Serves `/`, and the style sheet and icon of the page.
pub fn router(about: &About) -> Router {
    let page: Arc<str> = page::build_page(about).into();
    Router::new()
        .route("/", get(show_page).with_state(page))
        .route("/hearth.css", get(|| async { file("text/css; charset=utf-8", STYLE) }))
        .route("/hearth.svg", get(|| async { file("image/svg+xml", ICON) }))
}

async fn show_page(State(page): State<Arc<str>>) -> impl IntoResponse {
    file("text/html; charset=utf-8", String::from(&*page))
}

fn file(kind: &'static str, text: impl IntoResponse) -> impl IntoResponse {
    let headers: [(HeaderName, HeaderValue); 5] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, text)
}

#[cfg(test)]
#[path = "lib_tests.rs"]
mod tests;
