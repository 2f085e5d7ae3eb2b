use axum::body::{Body, to_bytes};
use http::{Request, Response};
use tower::ServiceExt as _;

use super::{About, POLICY, router};

async fn ask(about: &About, path: &str) -> (Response<()>, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (parts, body) = router(about).oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    (Response::from_parts(parts, ()), String::from_utf8(body.to_vec()).unwrap())
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
    assert!(page.contains("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;"));
}

#[tokio::test]
async fn every_file_has_the_strict_policy_and_the_page_obeys_it() {
    let (_, page) = ask(&about(), "/").await;
    assert!(!page.contains("style=") && !page.contains("<style") && !page.contains("<script"));
    for path in ["/", "/hearth.css", "/hearth.svg"] {
        let (head, text) = ask(&about(), path).await;
        assert_eq!(head.status(), 200, "{path}");
        assert_eq!(head.headers()["content-security-policy"], POLICY);
        assert_eq!(head.headers()["x-content-type-options"], "nosniff");
        let loads = ["src=\"http", "url(", "@import", "<link rel=\"stylesheet\" href=\"http"];
        assert!(loads.iter().all(|load| !text.contains(load)), "{path} loads something from elsewhere");
    }
}
