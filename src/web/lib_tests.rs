use axum::body::{Body, to_bytes};
use http::{Request, Response};
use tower::ServiceExt as _;

use super::files::EmbeddedFile;
use super::policy::{PAGE_POLICY, UI_POLICY};
use super::{About, Place, router_of};

static FILES: &[EmbeddedFile] = &[
    EmbeddedFile {
        path: "assets/index-abc.js",
        version: "v1",
        plain: b"plain",
        brotli: Some(b"brotli"),
        gzip: Some(b"gzip"),
    },
    EmbeddedFile { path: "index.html", version: "v2", plain: b"<html>", brotli: None, gzip: None },
];

async fn ask_of(
    files: &'static [EmbeddedFile],
    place: &Place,
    path: &str,
    headers: &[(&str, &str)],
) -> (Response<()>, String) {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let router = router_of(files, &about(), place);
    let (parts, body) = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    (Response::from_parts(parts, ()), String::from_utf8(body.to_vec()).unwrap())
}

async fn ask(about: &About, path: &str) -> (Response<()>, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (parts, body) = router_of(&[], about, &root()).oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    (Response::from_parts(parts, ()), String::from_utf8(body.to_vec()).unwrap())
}

fn root() -> Place {
    Place::Below("/".to_owned())
}

fn about() -> About {
    About { server_name: "h.example".to_owned(), version: "1.2.3", base_url: None }
}

#[tokio::test]
async fn the_page_tells_name_and_version() {
    let (head, page) = ask(&about(), "/").await;
    assert_eq!(head.headers()["content-type"], "text/html; charset=utf-8");
    for text in ["h.example", "1.2.3", "Element"] {
        assert!(page.contains(text), "{text} is missing");
    }
}

#[tokio::test]
async fn what_the_operator_wrote_is_no_html() {
    let base_url = Some("\"><script>alert('x')</script>&".to_owned());
    let (_, page) = ask(&About { base_url, ..about() }, "/").await;
    assert!(!page.contains("<script"));
    assert!(page.contains("&quot;&gt;&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&amp;"));
}

#[tokio::test]
async fn every_file_has_the_strict_policy_and_the_page_obeys_it() {
    let (_, page) = ask(&about(), "/").await;
    assert!(!page.contains("style=") && !page.contains("<style") && !page.contains("<script"));
    for path in ["/", "/hearth.css", "/hearth.svg"] {
        let (head, text) = ask(&about(), path).await;
        assert_eq!(head.status(), 200, "{path}");
        assert_eq!(head.headers()["content-security-policy"], PAGE_POLICY);
        assert_eq!(head.headers()["x-content-type-options"], "nosniff");
        let loads = ["src=\"http", "url(", "@import", "<link rel=\"stylesheet\" href=\"http"];
        assert!(loads.iter().all(|load| !text.contains(load)), "{path} loads something from elsewhere");
    }
}

#[tokio::test]
async fn without_the_ui_the_page_says_how_to_build_it() {
    let (_, page) = ask(&about(), "/").await;
    assert!(page.contains("make ui"), "{page}");
    let (_, page) = ask_of(&[], &Place::Nowhere, "/", &[]).await;
    assert!(!page.contains("make ui"), "nobody misses what is switched off");
}

#[tokio::test]
async fn the_ui_is_served_at_the_root() {
    let (head, text) = ask_of(FILES, &root(), "/", &[]).await;
    assert_eq!((head.status().as_u16(), text.as_str()), (200, "<html>"));
    assert_eq!(head.headers()["content-security-policy"], UI_POLICY);
    assert_eq!(head.headers()["cache-control"], "no-cache");
    assert_eq!(head.headers()["content-type"], "text/html; charset=utf-8");
    let (head, _) = ask_of(FILES, &root(), "/elsewhere", &[]).await;
    assert_eq!(head.status(), 404);
}

#[tokio::test]
async fn the_ui_is_served_below_a_path_and_the_page_links_to_it() {
    for path in ["/chat", "chat/"] {
        let place = Place::Below(path.to_owned());
        assert_eq!(ask_of(FILES, &place, "/chat/", &[]).await.1, "<html>");
        assert_eq!(ask_of(FILES, &place, "/chat/assets/index-abc.js", &[]).await.1, "plain");
        let (head, _) = ask_of(FILES, &place, "/chat", &[]).await;
        assert_eq!(head.headers()["location"], "/chat/");
        assert!(ask_of(FILES, &place, "/", &[]).await.1.contains("href=\"/chat/\""));
    }
}

#[tokio::test]
async fn a_hashed_file_is_kept_for_ever_and_sent_in_the_best_form() {
    let path = "/assets/index-abc.js";
    for (accepted, text, encoding) in [
        ("gzip, deflate, br", "brotli", Some("br")),
        ("gzip;q=0.5", "gzip", Some("gzip")),
        ("br;q=0, gzip", "gzip", Some("gzip")),
        ("identity", "plain", None),
    ] {
        let (head, body) = ask_of(FILES, &root(), path, &[("accept-encoding", accepted)]).await;
        assert_eq!(body, text, "{accepted}");
        assert_eq!(head.headers().get("content-encoding").map(|value| value.to_str().unwrap()), encoding);
        assert_eq!(head.headers()["vary"], "accept-encoding");
        assert!(head.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    }
}

#[tokio::test]
async fn what_the_browser_has_is_not_sent_again() {
    let (head, _) = ask_of(FILES, &root(), "/", &[]).await;
    let tag = head.headers()["etag"].to_str().unwrap().to_owned();
    let (head, text) = ask_of(FILES, &root(), "/", &[("if-none-match", &tag)]).await;
    assert_eq!((head.status().as_u16(), text.as_str()), (304, ""));
    let (head, _) = ask_of(FILES, &root(), "/", &[("if-none-match", "\"other\"")]).await;
    assert_eq!(head.status(), 200);
}

#[test]
fn the_policy_of_the_ui_lets_nothing_in_from_elsewhere() {
    for word in ["http:", "https:", "*", "data:", "unsafe"] {
        assert!(!UI_POLICY.contains(word), "{word}");
    }
}

#[tokio::test]
async fn the_login_page_names_the_server_and_keeps_what_the_address_says() {
    let about = About { server_name: "<b>.example".to_owned(), ..about() };
    let (head, page) = ask(&about, "/_matrix/static/client/login/").await;
    assert_eq!(head.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.contains("&lt;b&gt;.example") && !page.contains("<b>.example"));
    assert!(!page.contains("style=") && !page.contains("onclick"), "nothing inline");
    let policy = head.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
    for (file, kind) in [("login.js", "text/javascript"), ("login.css", "text/css")] {
        let (head, text) = ask(&about, &format!("/_matrix/static/client/login/{file}")).await;
        assert!(head.headers()["content-type"].to_str().unwrap().starts_with(kind) && !text.is_empty());
    }
    let (head, _) = ask(&about, "/_matrix/static/client/login?device_id=ABC").await;
    assert_eq!(head.headers()["location"], "/_matrix/static/client/login/?device_id=ABC");
}
