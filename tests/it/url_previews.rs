//! Previews of web pages: what they show, how long they are kept, and where they never lead.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::response::{Html, Redirect};
use axum::routing::get;
use hearth_server::config::Config;
use http::header::CONTENT_TYPE;
use image::ImageFormat;
use serde_json::{Value, json};

use crate::harness::{Client, Response, TestServer, encoded, escape, picture};
use crate::media::list_files;

const PAGE: &str = "<html><head><title>The Rock (1996)</title>\
    <meta property=\"og:title\" content=\"The Rock\" /><meta property=\"og:type\" content=\"video.movie\" />\
    <meta property=\"og:url\" content=\"http://www.imdb.com/title/tt0117500/\" />\
    <meta property=\"og:image\" content=\"/test.png\" /></head><body></body></html>";

/// Previews on, and this machine reached.
fn previews(config: &mut Config) {
    config.url_previews.enabled = true;
    config.outbound.allowed_networks = vec!["127.0.0.1".parse().expect("a network")];
}

/// A web site on this machine while `test` runs; `test` gets its base URL.
async fn beside_site(hits: Arc<AtomicUsize>, test: impl AsyncFnOnce(String)) {
    let count = move || hits.fetch_add(1, Ordering::Relaxed);
    let png = encoded(&picture(279, 129), ImageFormat::Png);
    let site = Router::new()
        .route("/page", get(async move || (count(), Html(PAGE)).1))
        .route("/test.png", get(async move || ([(CONTENT_TYPE, "image/png")], png)))
        .route("/lie.png", get(async || ([(CONTENT_TYPE, "image/png")], "<script>")))
        .route("/lying", get(async || Html("<title>t</title><meta property=og:image content=lie.png>")))
        .route("/inside", get(async || Html("<title>t</title><meta property=og:image content=http://[::1]/x.png>")))
        .route("/text", get(async || "just text"))
        .route("/to-page", get(async || Redirect::temporary("/page#part")))
        .route("/to-v6", get(async || Redirect::temporary("http://[::1]/")))
        .route("/to-metadata", get(async || Redirect::permanent("http://169.254.169.254/latest/meta-data/")));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::select! {
        served = axum::serve(listener, site) => panic!("{served:?}"),
        () = test(base) => {}
    }
}

async fn preview(client: &Client, url: &str) -> Response {
    client.get(&format!("/_matrix/client/v1/media/preview_url?url={}", escape(url))).await
}

#[tokio::test]
async fn a_page_is_shown_with_its_image() {
    let server = TestServer::start_with(previews).await;
    let alice = server.register("alice").await;
    let hits = Arc::new(AtomicUsize::new(0));
    beside_site(Arc::clone(&hits), async |base| {
        let url = format!("{base}/page");
        let shown = preview(&alice, &url).await.ok();
        let uri = shown["og:image"].as_str().expect("an image").strip_prefix("mxc://").expect("mxc").to_owned();
        let bytes = alice.get_media(&format!("download/{uri}")).await.file();
        let expected = json!({
            "og:title": "The Rock",
            "og:type": "video.movie",
            "og:url": "http://www.imdb.com/title/tt0117500/",
            "og:image": format!("mxc://{uri}"),
            "og:image:type": "image/png",
            "og:image:width": 279,
            "og:image:height": 129,
            "matrix:image:size": bytes.len(),
        });
        assert_eq!(shown, expected);
        // The old path, a redirect that is another URL, and many at once.
        let old = alice.get(&format!("/_matrix/media/v3/preview_url?url={}&ts=1510610716656", escape(&url))).await.ok();
        assert_eq!(old, shown);
        let many = (0..10).map(|_| preview(&alice, &url));
        for shown_again in futures_util::future::join_all(many).await {
            assert_eq!(shown_again.ok(), shown);
        }
        assert_eq!(hits.load(Ordering::Relaxed), 1);
        assert_eq!(preview(&alice, &format!("{base}/to-page")).await.ok()["og:title"], "The Rock");
        assert_eq!(hits.load(Ordering::Relaxed), 2);
    })
    .await;
}

#[tokio::test]
async fn a_preview_is_kept_for_a_while_and_goes_with_its_image() {
    let server = TestServer::start_with(|config| {
        previews(config);
        config.url_previews.lifetime_s = 60;
    })
    .await;
    let alice = server.register("alice").await;
    let hits = Arc::new(AtomicUsize::new(0));
    beside_site(Arc::clone(&hits), async |base| {
        let url = format!("{base}/page");
        let first = preview(&alice, &url).await.ok();
        server.clock.advance(59_000);
        assert_eq!(preview(&alice, &url).await.ok(), first);
        server.clock.advance(1_000);
        let second = preview(&alice, &url).await.ok();
        assert_ne!(second["og:image"], first["og:image"]);
        assert_eq!(hits.load(Ordering::Relaxed), 2);
        let image = |shown: &Value| shown["og:image"].as_str().expect("an image").replace("mxc://", "download/");
        alice.get_media(&image(&first)).await.fails(404, "M_NOT_FOUND");
        alice.get_media(&image(&second)).await.file();
        assert_eq!(server.homeserver.media.sweep_previews().await.expect("swept"), 0);
        server.clock.advance(60_000);
        assert_eq!(server.homeserver.media.sweep_previews().await.expect("swept"), 1);
        alice.get_media(&image(&second)).await.fails(404, "M_NOT_FOUND");
        assert!(list_files(&server).is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_no_page_shows_what_there_is() {
    let server = TestServer::start_with(previews).await;
    let alice = server.register("alice").await;
    beside_site(Arc::default(), async |base| {
        assert_eq!(preview(&alice, &format!("{base}/text")).await.ok(), json!({}));
        assert_eq!(preview(&alice, &format!("{base}/test.png")).await.ok()["og:image:width"], 279);
        for path in ["lying", "inside"] {
            assert_eq!(preview(&alice, &format!("{base}/{path}")).await.ok(), json!({ "og:title": "t" }), "{path}");
        }
        preview(&alice, &format!("{base}/missing")).await.fails(404, "M_NOT_FOUND");
    })
    .await;
    preview(&alice, "http://127.0.0.1:1/").await.fails(404, "M_NOT_FOUND");
    for bad in ["", "nonsense", "ftp://example.org/", "file:///etc/passwd", "mxc://test.hearth/abc"] {
        preview(&alice, bad).await.fails(400, "M_INVALID_PARAM");
    }
    alice.get("/_matrix/client/v1/media/preview_url").await.fails(400, "M_MISSING_PARAM");
}

#[tokio::test]
async fn no_preview_leads_inside() {
    let server = TestServer::start_with(|config| config.url_previews.enabled = true).await;
    let alice = server.register("alice").await;
    let hits = Arc::new(AtomicUsize::new(0));
    beside_site(Arc::clone(&hits), async |base| {
        let port = base.rsplit(':').next().expect("a port").to_owned();
        let hosts = ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0", "10.0.0.1"];
        for host in hosts {
            preview(&alice, &format!("http://{host}:{port}/page")).await.fails(403, "M_FORBIDDEN");
        }
    })
    .await;
    assert_eq!(hits.load(Ordering::Relaxed), 0);
    let open = TestServer::start_with(previews).await;
    let bob = open.register("bob").await;
    beside_site(hits, async |base| {
        for path in ["to-v6", "to-metadata"] {
            preview(&bob, &format!("{base}/{path}")).await.fails(403, "M_FORBIDDEN");
        }
    })
    .await;
    assert!(list_files(&open).is_empty());
}

#[tokio::test]
async fn previews_are_only_where_and_for_whom_they_are_wanted() {
    let off = TestServer::start().await;
    let alice = off.register("alice").await;
    preview(&alice, "https://example.org/").await.fails(403, "M_FORBIDDEN");
    preview(&off.client(), "https://example.org/").await.fails(401, "M_MISSING_TOKEN");
    let listed = TestServer::start_with(|config| {
        previews(config);
        config.url_previews.allowed_urls = vec!["127.0.0.1".to_owned()];
        config.url_previews.denied_urls = vec!["127.0.0.1/page".to_owned()];
    })
    .await;
    let bob = listed.register("bob").await;
    let hits = Arc::new(AtomicUsize::new(0));
    beside_site(Arc::clone(&hits), async |base| {
        preview(&bob, "https://example.org/").await.fails(403, "M_FORBIDDEN");
        preview(&bob, &format!("{base}/page")).await.fails(403, "M_FORBIDDEN");
        preview(&bob, &format!("{base}/to-page")).await.fails(403, "M_FORBIDDEN");
        preview(&bob, &format!("{base}/text")).await.ok();
    })
    .await;
    assert_eq!(hits.load(Ordering::Relaxed), 0);
}
