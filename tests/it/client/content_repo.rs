//! Uploading files, URIs that are given out before, and the old paths of downloads.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use hearth_protocol::Lane;
use hearth_storage::Page;
use hearth_storage::schema::media::{MediaItems, PendingUploads};
use http::{Method, StatusCode, header};
use serde_json::json;

use crate::harness::{Client, TestServer};
use crate::media::list_files;

const UPLOAD: &str = "/_matrix/media/v3/upload";

/// A body without an announced length, in pieces of 64 KiB.
fn pieces(count: usize) -> Body {
    let piece = Bytes::from(vec![b'x'; 65_536]);
    Body::from_stream(stream::repeat(piece).take(count).map(Ok::<_, Infallible>))
}

async fn create(client: &Client) -> String {
    let answer = client.post("/_matrix/media/v1/create", json!({})).await.ok();
    answer["content_uri"].as_str().expect("a URI").strip_prefix("mxc://").expect("mxc").to_owned()
}

async fn upload_to(client: &Client, uri: &str, bytes: &'static str) -> crate::harness::Response {
    client.request_with(Method::PUT, &format!("{UPLOAD}/{uri}"), &[(header::CONTENT_TYPE, "text/plain")], bytes).await
}

#[tokio::test]
async fn an_upload_comes_back_as_it_was() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    let path = format!("{UPLOAD}?filename=War%20and%20Peace.txt");
    let answer = alice.request_with(Method::POST, &path, &headers, "Well, Prince").await.ok();
    let uri = answer["content_uri"].as_str().expect("a URI").strip_prefix("mxc://test.hearth/").expect("ours");
    let file = bob.get_media(&format!("download/test.hearth/{uri}")).await;
    assert_eq!(file.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(file.header("content-disposition"), "inline; filename=\"War and Peace.txt\"");
    assert_eq!(file.header("content-length"), "12");
    assert_eq!(file.file(), b"Well, Prince");
}

#[tokio::test]
async fn an_upload_without_type_and_name_is_only_bytes() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let answer = alice.request(Method::POST, UPLOAD, "").await.ok();
    let uri = answer["content_uri"].as_str().expect("a URI").strip_prefix("mxc://").expect("mxc");
    let file = alice.get_media(&format!("download/{uri}")).await;
    assert_eq!(file.header("content-type"), "application/octet-stream");
    assert_eq!(file.header("content-disposition"), "attachment");
    assert_eq!(file.file(), b"");
}

#[tokio::test]
async fn a_stranger_uploads_nothing() {
    let server = TestServer::start().await;
    let nobody = server.client();
    nobody.request(Method::POST, UPLOAD, "x").await.fails(401, "M_MISSING_TOKEN");
    nobody.request(Method::PUT, &format!("{UPLOAD}/test.hearth/abc"), "x").await.fails(401, "M_MISSING_TOKEN");
    nobody.post("/_matrix/media/v1/create", json!({})).await.fails(401, "M_MISSING_TOKEN");
    nobody.get("/_matrix/media/v3/config").await.fails(401, "M_MISSING_TOKEN");
    assert!(list_files(&server).is_empty());
}

#[tokio::test]
async fn what_is_too_large_is_refused_announced_or_not_and_nothing_stays() {
    let server = TestServer::start_with(|config| config.media.upload_bytes_max = 100_000).await;
    let alice = server.register("alice").await;
    let config = alice.get("/_matrix/media/v3/config").await.ok();
    assert_eq!(config, json!({ "m.upload.size": 100_000 }));
    assert_eq!(alice.get("/_matrix/media/r0/config").await.ok(), config);
    let announced = [(header::CONTENT_LENGTH, "100001")];
    alice.request_with(Method::POST, UPLOAD, &announced, Body::empty()).await.fails(413, "M_TOO_LARGE");
    alice.request(Method::POST, UPLOAD, pieces(2)).await.fails(413, "M_TOO_LARGE");
    assert!(list_files(&server).is_empty());
    alice.request(Method::POST, UPLOAD, pieces(1)).await.ok();
}

#[tokio::test]
async fn a_quota_holds_for_each_user() {
    let server = TestServer::start_with(|config| config.media.user_bytes_max = Some(100_000)).await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.request(Method::POST, UPLOAD, pieces(1)).await.ok();
    alice.request(Method::POST, UPLOAD, pieces(1)).await.fails(403, "M_FORBIDDEN");
    let uri = create(&alice).await;
    alice.request(Method::PUT, &format!("{UPLOAD}/{uri}"), pieces(1)).await.fails(403, "M_FORBIDDEN");
    bob.request(Method::POST, UPLOAD, pieces(1)).await.ok();
    assert_eq!(list_files(&server).len(), 1, "the same bytes are kept once");
}

#[tokio::test]
async fn uploads_at_the_same_time_do_not_slip_under_the_quota() {
    let server = TestServer::start_with(|config| config.media.user_bytes_max = Some(200_000)).await;
    let alice = server.register("alice").await;
    let uploads = (0..8).map(|_| alice.request(Method::POST, UPLOAD, pieces(1)));
    let answers = futures_util::future::join_all(uploads).await;
    let stored = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    assert_eq!(stored, 3);
}

#[tokio::test]
async fn a_uri_is_given_out_first_and_filled_later() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let answer = alice.post("/_matrix/media/v1/create", json!({})).await.ok();
    assert_eq!(answer["unused_expires_at"], 1_767_225_600_000_u64 + 24 * 60 * 60 * 1_000);
    let uri = answer["content_uri"].as_str().expect("a URI").strip_prefix("mxc://").expect("mxc").to_owned();
    let early = bob.get_media(&format!("download/{uri}?timeout_ms=10")).await;
    early.fails(504, "M_NOT_YET_UPLOADED");
    let early = bob.get_media(&format!("thumbnail/{uri}?width=32&height=32&timeout_ms=0")).await;
    early.fails(504, "M_NOT_YET_UPLOADED");
    upload_to(&bob, &uri, "no").await.fails(403, "M_FORBIDDEN");
    assert_eq!(upload_to(&alice, &uri, "yes").await.ok(), json!({}));
    upload_to(&alice, &uri, "again").await.fails(409, "M_CANNOT_OVERWRITE_MEDIA");
    assert_eq!(bob.get_media(&format!("download/{uri}")).await.file(), b"yes");
}

#[tokio::test]
async fn nothing_is_uploaded_to_a_uri_that_was_not_given_out_or_ran_out() {
    let server = TestServer::start_with(|config| config.media.pending_lifetime_s = 60).await;
    let alice = server.register("alice").await;
    for uri in ["test.hearth/abc", "elsewhere.org/abc", "test.hearth/..%2f..%2fetc"] {
        upload_to(&alice, uri, "x").await.fails(404, "M_NOT_FOUND");
    }
    let uri = create(&alice).await;
    server.clock.advance(60_000);
    upload_to(&alice, &uri, "x").await.fails(404, "M_NOT_FOUND");
    alice.get_media(&format!("download/{uri}")).await.fails(404, "M_NOT_FOUND");
    let ordinary = alice.upload("text/plain", "x").await;
    upload_to(&alice, &ordinary, "y").await.fails(409, "M_CANNOT_OVERWRITE_MEDIA");
    assert_eq!(alice.get_media(&format!("download/{ordinary}")).await.file(), b"x");
}

#[tokio::test]
async fn only_so_many_uris_wait_for_their_upload() {
    let tune = |config: &mut hearth_server::config::Config| {
        (config.media.pending_uploads_max, config.media.pending_lifetime_s) = (2, 60);
    };
    let server = TestServer::start_with(tune).await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let first = create(&alice).await;
    create(&alice).await;
    let refused = alice.post("/_matrix/media/v1/create", json!({})).await.fails(429, "M_LIMIT_EXCEEDED");
    assert_eq!(refused["retry_after_ms"], 60_000);
    create(&bob).await;
    upload_to(&alice, &first, "x").await.ok();
    create(&alice).await;
    server.clock.advance(60_000);
    create(&alice).await;
    create(&alice).await;
}

#[tokio::test]
async fn a_download_waits_for_its_upload() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let uri = create(&alice).await;
    let path = format!("download/{uri}");
    let upload = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        upload_to(&alice, &uri, "there").await.ok();
    };
    let (file, ()) = tokio::join!(alice.get_media(&path), upload);
    assert_eq!(file.file(), b"there");
}

#[tokio::test]
async fn the_old_paths_serve_nothing_new_unless_they_may() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let (uri, nobody) = (alice.upload("text/plain", "x").await, server.client());
    for version in ["v3", "r0", "v1"] {
        for client in [&alice, &nobody] {
            let base = format!("/_matrix/media/{version}");
            client.get(&format!("{base}/download/{uri}")).await.fails(404, "M_NOT_FOUND");
            client.get(&format!("{base}/download/{uri}/name.txt")).await.fails(404, "M_NOT_FOUND");
            let thumbnail = format!("{base}/thumbnail/{uri}?width=32&height=32");
            client.get(&thumbnail).await.fails(404, "M_NOT_FOUND");
        }
    }
    let pending = create(&alice).await;
    nobody.get(&format!("/_matrix/media/v3/download/{pending}?timeout_ms=0")).await.fails(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn the_old_paths_serve_what_was_stored_while_they_might() {
    let server = TestServer::start_with(|config| config.media.unauthenticated_access = true).await;
    let alice = server.register("alice").await;
    let (uri, nobody) = (alice.upload("text/plain", "x").await, server.client());
    for version in ["v3", "r0", "v1"] {
        let file = nobody.get(&format!("/_matrix/media/{version}/download/{uri}")).await;
        assert!(file.header("cache-control").starts_with("public"), "{}", file.header("cache-control"));
        assert_eq!(file.file(), b"x");
        let named = nobody.get(&format!("/_matrix/media/{version}/download/{uri}/other.txt")).await;
        assert_eq!(named.header("content-disposition"), "inline; filename=other.txt");
    }
    let pending = create(&alice).await;
    nobody.get(&format!("/_matrix/media/v3/download/{pending}?timeout_ms=0")).await.fails(504, "M_NOT_YET_UPLOADED");
}

#[tokio::test]
async fn uploads_are_counted_against_a_limit() {
    let tune = |config: &mut hearth_server::config::Config| {
        config.rate_limits.enabled = true;
        (config.rate_limits.upload_per_second, config.rate_limits.upload_burst) = (0.1, 2);
    };
    let server = TestServer::start_with(tune).await;
    let alice = server.register("alice").await;
    let uri = create(&alice).await;
    upload_to(&alice, &uri, "x").await.ok();
    alice.request(Method::POST, UPLOAD, "x").await.fails(429, "M_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn uris_that_ran_out_are_cleared_away_though_nobody_asks() {
    let server = TestServer::start_with(|config| config.media.pending_lifetime_s = 60).await;
    let alice = server.register("alice").await;
    let uris = [create(&alice).await, create(&alice).await];
    upload_to(&alice, &uris[0], "x").await.ok();
    let count = async || {
        let store = &server.homeserver.env.store;
        let pending = store.scan::<PendingUploads, _>(&(), Page::first(10)).await.expect("rows").rows;
        let items = store.scan::<MediaItems, _>(&(), Page::first(10)).await.expect("rows").rows;
        (pending.len(), items.len())
    };
    assert_eq!(server.homeserver.media.sweep_pending().await.expect("a sweep"), 0);
    assert_eq!(count().await, (1, 2), "what may still be uploaded to stays");
    server.clock.advance(60_000);
    assert_eq!(server.homeserver.media.sweep_pending().await.expect("a sweep"), 1);
    // The item may lie on another lane, and goes there as an effect.
    let store = &server.homeserver.env.store;
    for lane in (0..store.lanes()).map(Lane) {
        assert!(store.wait_applied(lane, store.head(lane)).await, "effects are applied");
    }
    assert_eq!(count().await, (0, 1), "what was uploaded stays");
    upload_to(&alice, &uris[1], "x").await.fails(404, "M_NOT_FOUND");
}
