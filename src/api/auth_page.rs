//! The pages on which a stage of registration is passed. Everything that comes from elsewhere is escaped; no page loads
//! anything, and the only script that runs is the one below, by its hash.

use std::{fmt::Write as _, sync::LazyLock};

use axum::response::{Html, IntoResponse, Response};
use hearth_homeserver::users::{FallbackStage, Policy};
use html_escape::encode_quoted_attribute;
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
};
use ruma::serde::{Base64, base64::Standard};
use sha2::{Digest as _, Sha256};

/// As the specification wants it (C-S API, "Fallback").
const SCRIPT: &str = r#"
if (window.onAuthDone) {
    window.onAuthDone();
} else if (window.opener && window.opener.postMessage) {
    window.opener.postMessage("authDone", "*");
}
"#;

const STYLE: &str = "
:root { color-scheme: light dark; --ground: #fbf7f2; --surface: #fff; --ink: #2b211b; --line: #ebe0d5; --edge: #9b8b7d; --fire: #b3420f; --on-fire: #fff; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #1d1714; --surface: #251e1a; --ink: #f2e9e1; --line: #3a2f29; --edge: #75675d; --fire: #ff9d5c; --on-fire: #23130a; --bad: #ff9a90; }
}
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--ink); font: 1.05rem/1.5 system-ui, sans-serif; }
main { box-sizing: border-box; width: min(26rem, 100vw - 2rem); margin: 1rem 0; padding: 1.5rem 1.75rem 1.75rem; border: 1px solid var(--line); border-radius: 1.25rem; background: var(--surface); overflow-wrap: anywhere; }
h1 { margin: 0 0 0.75rem; font-size: 1.5rem; }
p { margin: 0.5rem 0; }
ul { padding-left: 1.25rem; }
a { color: var(--fire); }
input, button { box-sizing: border-box; width: 100%; margin-top: 0.75rem; padding: 0.6rem 0.8rem; border: 1px solid var(--edge); border-radius: 0.75rem; background: var(--ground); color: inherit; font: inherit; }
button { margin-top: 1.25rem; border-color: transparent; background: var(--fire); color: var(--on-fire); font-weight: 600; cursor: pointer; }
:focus-visible { outline: 2px solid var(--fire); outline-offset: 1px; }
.error { color: var(--bad); }
";

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    // Browsers compare the padded form; 32 bytes are padded by one character.
    let hash = |text: &str| format!("{}=", Base64::<Standard, _>::new(Sha256::digest(text).to_vec()).encode());
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    HeaderValue::try_from(policy).expect("a policy of plain letters")
});

/// The page that asks for what a stage needs. `fault` says why the last try was not taken.
pub fn build_question(stage: FallbackStage, policies: &[Policy], fault: Option<&str>) -> Response {
    let mut form = String::new();
    if let Some(fault) = fault {
        let _ = writeln!(form, "<p class=\"error\" role=\"alert\">{}</p>", encode_quoted_attribute(fault));
    }
    let status = if fault.is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    match stage {
        FallbackStage::Dummy => form.push_str("<p>Please go on to make your account.</p>\n"),
        FallbackStage::Terms => push_policies(&mut form, policies),
        FallbackStage::RegistrationToken => form.push_str(
            "<label for=\"token\">This server asks for a registration token. Enter the one that you were given:</label>\n\
             <input id=\"token\" name=\"token\" required maxlength=\"64\" autocomplete=\"off\" autocapitalize=\"off\" spellcheck=\"false\" autofocus>\n",
        ),
    }
    let (title, button) = match stage {
        FallbackStage::Dummy => ("Make an account", "Go on"),
        FallbackStage::Terms => ("Terms of this server", "I accept"),
        FallbackStage::RegistrationToken => ("Registration token", "Go on"),
    };
    let body = format!("<form method=\"post\">\n{form}<button type=\"submit\">{button}</button>\n</form>");
    page(status, title, &body)
}

/// The page that tells the client that the stage is passed.
pub fn build_done() -> Response {
    let body =
        format!("<p>Thank you. You may close this window and go back to your client.</p>\n<script>{SCRIPT}</script>");
    page(StatusCode::OK, "Done", &body)
}

fn push_policies(form: &mut String, policies: &[Policy]) {
    form.push_str("<p>To make an account, please read and accept:</p>\n<ul>\n");
    for Policy { version, language, url, name, .. } in policies {
        let (url, language, name, version) = (
            encode_quoted_attribute(url),
            encode_quoted_attribute(language),
            encode_quoted_attribute(name),
            encode_quoted_attribute(version),
        );
        let _ = writeln!(
            form,
            "<li><a href=\"{url}\" hreflang=\"{language}\" lang=\"{language}\" target=\"_blank\" \
             rel=\"noopener noreferrer\">{name}</a> (version {version})</li>"
        );
    }
    form.push_str("</ul>\n");
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    );
    let headers: [(HeaderName, HeaderValue); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY.clone()),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        // The address holds the session.
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, Html(html)).into_response()
}
