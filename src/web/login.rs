//! A page that does a whole login, for clients that know none of the ways there are.
//! [Client-Server API, "Login Fallback"]
//!
//! [Client-Server API, "Login Fallback"]: https://spec.matrix.org/v1.19/client-server-api/#login-fallback

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::get;

use crate::policy::{ASK_FIRST, LOGIN_POLICY, headers};
use crate::{About, STYLE};
use html_escape::encode_quoted_attribute;

const PATH: &str = "/_matrix/static/client/login";
const SCRIPT: &str = include_str!("login.js");

/// The page, its script and its style sheet.
pub(crate) fn router(about: &About) -> Router {
    let page: Arc<str> = build(&about.server_name).into();
    let page =
        move || async move { (headers("text/html; charset=utf-8", LOGIN_POLICY, ASK_FIRST), String::from(&*page)) };
    let script = || async { (headers("text/javascript; charset=utf-8", LOGIN_POLICY, ASK_FIRST), SCRIPT) };
    let style = || async { (headers("text/css; charset=utf-8", LOGIN_POLICY, ASK_FIRST), STYLE) };
    // The query names the device, and goes along.
    let with_slash = |uri: http::Uri| async move {
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        Redirect::permanent(&format!("{PATH}/{query}")).into_response()
    };
    Router::new()
        .route(PATH, get(with_slash))
        .route(&format!("{PATH}/"), get(page))
        .route(&format!("{PATH}/login.js"), get(script))
        .route(&format!("{PATH}/login.css"), get(style))
}

fn build(server_name: &str) -> String {
    let name = encode_quoted_attribute(server_name);
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in to {name}</title>
<link rel="stylesheet" href="login.css">
</head>
<body>
<main class="card">
<h1>Sign in</h1>
<p id="lead">Your client asks you to sign in to <strong>{name}</strong> here.</p>
<form id="login" novalidate>
<label for="name">Name</label>
<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" autofocus aria-describedby="name-error">
<p class="error" id="name-error" role="alert"></p>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" aria-describedby="password-error">
<p class="error" id="password-error" role="alert"></p>
<button type="submit">Sign in</button>
</form>
<noscript><p class="error">This page needs JavaScript.</p></noscript>
</main>
<script src="login.js"></script>
</body>
</html>
"#
    )
}
