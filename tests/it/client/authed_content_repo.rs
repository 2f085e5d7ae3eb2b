//! Downloading files and thumbnails.

use futures_util::future::join_all;
use hearth_homeserver::metrics::{Metered as _, ReadingValue};
use http::{HeaderName, Method, StatusCode, header};
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use serde_json::json;

use crate::harness::{Response, TestServer, encoded, picture};

/// Width, height and content type of an image that came.
#[track_caller]
fn shape(response: Response) -> (u32, u32, String) {
    let content_type = response.header("content-type").to_owned();
    let image = image::load_from_memory(&response.file()).expect("an image");
    (image.width(), image.height(), content_type)
}

fn thumbnails_made(server: &TestServer) -> u64 {
    let mut readings = Vec::new();
    server.homeserver.media.readings(&mut readings);
    let made = readings.into_iter().find(|reading| reading.name == "hearth_media_thumbnails_total");
    match made.expect("a figure").value {
        ReadingValue::Counter(count) => count,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_download_needs_a_user_and_something_to_download() {
    let server = TestServer::start_with(|config| config.users.guests_allowed = true).await;
    let alice = server.register("alice").await;
    let uri = alice.upload("text/plain", "x").await;
    let nobody = server.client();
    for what in [format!("download/{uri}"), format!("download/{uri}/name"), format!("thumbnail/{uri}?width=1&height=1")]
    {
        nobody.get_media(&what).await.fails(401, "M_MISSING_TOKEN");
    }
    nobody.get_media("config").await.fails(401, "M_MISSING_TOKEN");
    assert!(alice.get_media("config").await.ok()["m.upload.size"].is_u64());
    for uri in ["test.hearth/unknown", "elsewhere.org/abc", "test.hearth/..%2f..%2fsecret"] {
        alice.get_media(&format!("download/{uri}")).await.fails(404, "M_NOT_FOUND");
        alice.get_media(&format!("thumbnail/{uri}?width=1&height=1")).await.fails(404, "M_NOT_FOUND");
    }
    alice.get_media("download/not%20a%20server/abc").await.fails(400, "M_INVALID_PARAM");
    let guest = server.client().signed_in(&server.client().post("/register?kind=guest", json!({})).await.ok());
    assert_eq!(guest.get_media(&format!("download/{uri}")).await.file(), b"x");
    guest.request(Method::POST, "/_matrix/media/v3/upload", "x").await.fails(403, "M_GUEST_ACCESS_FORBIDDEN");
}

#[tokio::test]
async fn parts_of_a_file_are_served() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| u8::try_from(n % 251).expect("a byte")).collect();
    let path = format!("/_matrix/client/v1/media/download/{}", alice.upload("video/mp4", bytes.clone()).await);
    let ask = async |range: &str| alice.request_with(Method::GET, &path, &[(header::RANGE, range)], "").await;
    let part = ask("bytes=1000-199999").await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.header("content-range"), "bytes 1000-199999/300000");
    assert_eq!(part.header("content-length"), "199000");
    assert_eq!(part.file(), bytes[1_000..200_000]);
    assert_eq!(ask("bytes=-5").await.file(), bytes[299_995..]);
    assert_eq!(ask("bytes=0-1,5-6").await.file(), bytes, "more than one range is not heard");
    let outside = ask("bytes=300000-").await;
    assert_eq!(outside.header("content-range"), "bytes */300000");
    outside.fails(416, "M_INVALID_PARAM");
    assert_eq!(alice.get(&path).await.header("accept-ranges"), "bytes");
}

#[tokio::test]
async fn whoever_has_the_file_is_not_sent_it_again() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let path = format!("/_matrix/client/v1/media/download/{}", alice.upload("text/plain", "same").await);
    let first = alice.get(&path).await;
    let tag = first.header("etag").to_owned();
    assert_eq!(first.header("cache-control"), "private, max-age=31536000, immutable");
    let again = alice.request_with(Method::GET, &path, &[(header::IF_NONE_MATCH, &tag)], "").await;
    assert_eq!((again.status, again.header("etag"), again.body.len()), (StatusCode::NOT_MODIFIED, &*tag, 0));
    let other = alice.request_with(Method::GET, &path, &[(header::IF_NONE_MATCH, "\"other\"")], "").await;
    assert_eq!(other.file(), b"same");
    let head = alice.request(Method::HEAD, &path, "").await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (StatusCode::OK, "4", 0));
}

#[tokio::test]
async fn a_download_may_have_another_name() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let uri = alice.upload("image/png", "x").await;
    let cases = [
        ("file.png", "inline; filename=file.png"),
        ("name%20with%20spaces", "inline; filename=\"name with spaces\""),
        ("name%3Bwith%3Bsemicolons", "inline; filename=\"name;with;semicolons\""),
        ("%E2%98%95", "inline; filename*=utf-8''%E2%98%95"),
    ];
    for (name, expected) in cases {
        let file = alice.get_media(&format!("download/{uri}/{name}")).await;
        assert_eq!(file.header("content-disposition"), expected);
    }
}

#[tokio::test]
async fn thumbnails_have_at_least_the_wanted_size_and_the_wanted_shape() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let cases = [
        ("width=32&height=32&method=scale", (32, 16)),
        ("width=100&height=100&method=scale", (160, 80)),
        ("width=320&height=240", (320, 160)),
        ("width=96&height=96&method=crop", (96, 96)),
        ("width=100&height=50&method=crop", (128, 64)),
        ("width=5000&height=5000&method=crop", (600, 300)),
        ("width=640&height=480&method=scale", (600, 300)),
    ];
    for (format, content_type) in
        [(ImageFormat::Png, "image/png"), (ImageFormat::Jpeg, "image/jpeg"), (ImageFormat::WebP, "image/webp")]
    {
        let original = encoded(&picture(600, 300), format);
        let uri = alice.upload("application/octet-stream", original.clone()).await;
        for (query, (width, height)) in cases {
            let answer = alice.get_media(&format!("thumbnail/{uri}?{query}")).await;
            assert!(answer.header("content-disposition").starts_with("inline; filename=thumbnail."));
            if (width, height) == (600, 300) {
                assert_eq!(answer.header("content-type"), content_type);
                assert_eq!(answer.file(), original, "{query}: a small image is its own thumbnail");
            } else {
                assert_eq!(shape(answer), (width, height, "image/jpeg".to_owned()), "{content_type} {query}");
            }
        }
    }
}

#[tokio::test]
async fn what_shows_through_stays_so() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let glass = DynamicImage::from(RgbaImage::from_pixel(200, 200, Rgba([9, 9, 9, 100])));
    let uri = alice.upload("image/png", encoded(&glass, ImageFormat::Png)).await;
    let answer = alice.get_media(&format!("thumbnail/{uri}?width=96&height=96&method=crop")).await;
    let thumbnail = image::load_from_memory(&answer.file()).expect("an image").into_rgba8();
    assert_eq!(thumbnail.get_pixel(50, 50)[3], 100);
}

#[tokio::test]
async fn a_thumbnail_that_is_asked_for_by_many_is_made_once_and_kept() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let uri = alice.upload("image/png", encoded(&picture(900, 900), ImageFormat::Png)).await;
    let path = format!("thumbnail/{uri}?width=96&height=96&method=crop");
    let answers = join_all((0..20).map(|_| alice.get_media(&path))).await;
    let tags: Vec<_> = answers.iter().map(|answer| answer.header("etag").to_owned()).collect();
    assert!(tags.iter().all(|tag| *tag == tags[0]), "{tags:?}");
    assert_eq!(thumbnails_made(&server), 1);
    alice.get_media(&path).await.file();
    assert_eq!(thumbnails_made(&server), 1);
    let known = [(HeaderName::from_static("if-none-match"), tags[0].as_str())];
    let again = alice.request_with(Method::GET, &format!("/_matrix/client/v1/media/{path}"), &known, "").await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn only_images_have_thumbnails_of_a_size() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let uri = alice.upload("application/pdf", "%PDF-1.7").await;
    alice.get_media(&format!("thumbnail/{uri}?width=32&height=32")).await.fails(400, "M_UNKNOWN");
    let png = encoded(&picture(100, 100), ImageFormat::Png);
    let cut = alice.upload("image/png", png[..png.len() / 2].to_vec()).await;
    alice.get_media(&format!("thumbnail/{cut}?width=32&height=32")).await.fails(400, "M_UNKNOWN");
    let whole = alice.upload("image/png", png).await;
    for query in ["width=0&height=32", "width=-1&height=32", "width=x&height=1", "width=32&height=32&method=zoom"] {
        alice.get_media(&format!("thumbnail/{whole}?{query}")).await.fails(400, "M_INVALID_PARAM");
    }
    alice.get_media(&format!("thumbnail/{whole}?width=32")).await.fails(400, "M_MISSING_PARAM");
}

#[tokio::test]
async fn too_many_thumbnails_at_a_time_are_put_off() {
    let tune = |config: &mut hearth_server::config::Config| {
        (config.media.thumbnail_jobs_max, config.media.thumbnail_waiting_max) = (1, 0);
    };
    let server = TestServer::start_with(tune).await;
    let alice = server.register("alice").await;
    let uri = alice.upload("image/png", encoded(&picture(2_000, 2_000), ImageFormat::Png)).await;
    let path = |side: u32| format!("thumbnail/{uri}?width={side}&height={side}&method=crop");
    let (small, large) = (path(96), path(512));
    let (first, second) = tokio::join!(alice.get_media(&small), alice.get_media(&large));
    first.file();
    second.fails(429, "M_LIMIT_EXCEEDED");
    alice.get_media(&large).await.file();
}
