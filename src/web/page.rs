//! The text of the page.

use html_escape::encode_quoted_attribute;

use crate::About;

/// For whoever built the program without Node.
const MISSING: &str = "<h2>The chat for the browser is missing</h2>\n\
<p>This program was built without it. Install Node.js 22 or newer with npm, and run <code>make ui</code>, \
then <code>make build</code>, in Hearth's source; <code>make run</code> does both. \
Other clients work without it:</p>\n";

/// The page as HTML. `ui` is the path of the web UI, if it is served elsewhere; `missing` says that it
/// would be served, but was not built.
pub(crate) fn build_page(about: &About, ui: Option<&str>, missing: bool) -> String {
    let name = encode_quoted_attribute(&about.server_name);
    let address = match &about.base_url {
        Some(url) => format!("<code>{}</code>", encode_quoted_attribute(url)),
        None => "the address of this page".to_owned(),
    };
    let chat = match ui {
        Some(path) => {
            format!("<p><a href=\"{}/\">Open the chat</a> in this browser.</p>\n", encode_quoted_attribute(path))
        }
        None if missing => MISSING.to_owned(),
        None => String::new(),
    };
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hearth on {name}</title>
<link rel="icon" href="/hearth.svg">
<link rel="stylesheet" href="/hearth.css">
</head>
<body>
<main>
<img src="/hearth.svg" alt="" width="64" height="64">
<h1>Hearth runs here</h1>
<p>This is the Matrix homeserver <strong>{name}</strong>, Hearth {version}.</p>
{chat}<h2>Connect with Element</h2>
<ol>
<li>Open <a href="https://app.element.io" rel="noreferrer">app.element.io</a>, or any other Matrix client.</li>
<li>Choose “Sign in” or “Create account”, then “Edit” beside the homeserver.</li>
<li>As “Other homeserver” enter {address}, and continue.</li>
</ol>
<p>Your user id will look like <code>@name:{name}</code>.</p>
</main>
</body>
</html>
"#,
        version = encode_quoted_attribute(about.version),
    )
}
