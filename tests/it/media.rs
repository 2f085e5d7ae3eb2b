//! Files from people who mean harm, and connections that end half-way: harmless, and nothing is left of them.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use http::{Method, header};
use image::ImageFormat;

use crate::harness::{Response, TestServer, encoded, picture};

const UPLOAD: &str = "/_matrix/media/v3/upload";

/// All files below the media folder, those of uploads under way included.
pub fn list_files(server: &TestServer) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![server.data.path().join("media")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// A PNG of zeros only, one bit a pixel: a hundred and sixty times as large when it is unpacked, and
/// thirty-two times that as pixels of four bytes.
fn bomb(side: u32) -> Vec<u8> {
    let row_bytes = side.div_ceil(8) + 1;
    let header = [&side.to_be_bytes()[..], &side.to_be_bytes()[..], &[1, 0, 0, 0, 0]].concat();
    let chunks = [chunk(*b"IHDR", &header), chunk(*b"IDAT", &packed_zeros(row_bytes * side)), chunk(*b"IEND", &[])];
    [&b"\x89PNG\r\n\x1a\n"[..], &chunks.concat()].concat()
}

fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("a length");
    let body = [&kind[..], data].concat();
    let sum = body.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    });
    [&length.to_be_bytes()[..], &body, &(!sum).to_be_bytes()].concat()
}

/// A zlib stream (RFC 1950, 1951) of so many zeros, or a few more: one literal, then repetitions of 258.
fn packed_zeros(count: u32) -> Vec<u8> {
    let repetitions = count.div_ceil(258);
    let mut bits = String::from("110"); // The last block; fixed codes, lowest bit first.
    bits.push_str("00110000");
    for _ in 0..repetitions {
        bits.push_str("1100010100000"); // Length 258, distance 1.
    }
    bits.push_str("0000000");
    let mut stream = vec![0x78, 0x01];
    for byte in bits.as_bytes().chunks(8) {
        stream.push(byte.iter().enumerate().fold(0, |byte, (at, bit)| byte | ((bit - b'0') << at)));
    }
    let zeros = repetitions * 258 + 1;
    stream.extend((((zeros % 65_521) << 16) | 1).to_be_bytes());
    stream
}

#[tokio::test]
async fn a_decompression_bomb_is_not_unpacked() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let small = alice.upload("image/png", bomb(1_000)).await;
    let fine = alice.get_media(&format!("thumbnail/{small}?width=96&height=96&method=crop")).await.file();
    assert_eq!(image::load_from_memory(&fine).expect("an image").width(), 96, "what is made here is an image indeed");
    let bytes = bomb(20_000);
    assert!(bytes.len() < 400_000);
    let uri = alice.upload("image/png", bytes.clone()).await;
    for query in ["width=32&height=32", "width=800&height=600&method=crop", "width=9999&height=9999"] {
        alice.get_media(&format!("thumbnail/{uri}?{query}")).await.fails(413, "M_TOO_LARGE");
    }
    assert_eq!(alice.get_media(&format!("download/{uri}")).await.file(), bytes);
}

/// What a browser makes of the answer: saved, shown as what it says, or run.
#[track_caller]
fn assert_not_run(answer: &Response) {
    let kind = answer.header("content-type").to_lowercase();
    let is_page = ["html", "xml", "svg", "javascript", "pdf"].iter().any(|page| kind.contains(page));
    assert!(!is_page || answer.header("content-disposition").starts_with("attachment"), "{answer:?}");
    assert!(answer.header("content-security-policy").contains("script-src 'none'"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_polyglot_file_is_only_what_it_says() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    // A GIF for an image decoder (of some ten thousand pixels each way), a script and a page for whoever guesses.
    let mut bytes = b"GIF89a/*".to_vec();
    bytes.extend(b"*/=1;alert(document.domain);/*<html><script>alert(1)</script></html>*/");
    for content_type in ["image/gif", "text/html", "application/javascript", "IMAGE/SVG+XML"] {
        let uri = alice.upload(content_type, bytes.clone()).await;
        let answer = alice.get_media(&format!("download/{uri}/page.html")).await;
        assert_not_run(&answer);
        assert_eq!(answer.header("content-type"), content_type);
        assert_eq!(answer.file(), bytes);
        alice.get_media(&format!("thumbnail/{uri}?width=32&height=32")).await.fails(413, "M_TOO_LARGE");
    }
}

#[tokio::test]
async fn an_svg_with_a_script_is_saved_and_never_drawn() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    for content_type in ["image/svg+xml", "image/svg", "text/xml", "image/png"] {
        let uri = alice.upload(content_type, svg).await;
        assert_not_run(&alice.get_media(&format!("download/{uri}")).await);
        let thumbnail = alice.get_media(&format!("thumbnail/{uri}?width=32&height=32")).await;
        thumbnail.fails(400, "M_UNKNOWN");
    }
}

#[tokio::test]
async fn a_lying_content_type_deceives_nobody() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let page = alice.upload("image/png", "<html><script>alert(1)</script></html>").await;
    let answer = alice.get_media(&format!("download/{page}")).await;
    assert_eq!((answer.header("content-type"), answer.header("content-disposition")), ("image/png", "inline"));
    assert_not_run(&answer);
    // A JPEG that is said to be text: its thumbnail says what it is.
    let jpeg = encoded(&picture(50, 50), ImageFormat::Jpeg);
    let uri = alice.upload("text/html", jpeg).await;
    let thumbnail = alice.get_media(&format!("thumbnail/{uri}?width=96&height=96")).await;
    assert_eq!(thumbnail.header("content-type"), "image/jpeg");
    // What is no content type at all is forgotten.
    for bad in ["nonsense", "text/html\u{e9}", "a/b/c d"] {
        let headers = [(header::CONTENT_TYPE, bad)];
        let answer = alice.request_with(Method::POST, UPLOAD, &headers, "x").await;
        if answer.status.is_success() {
            let uri = answer.ok()["content_uri"].as_str().expect("a URI").replace("mxc://", "");
            let answer = alice.get_media(&format!("download/{uri}")).await;
            assert_eq!(answer.header("content-type"), "application/octet-stream", "{bad}");
        }
    }
}

#[tokio::test]
async fn a_path_in_a_file_name_leads_nowhere() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let cases = [
        ("..%2F..%2Fetc%2Fpasswd", "attachment; filename=passwd"),
        ("C%3A%5Cboot.ini", "attachment; filename=boot.ini"),
        ("x%0D%0ASet-Cookie%3A%20a%3Db", "attachment; filename=\"xSet-Cookie: a=b\""),
        ("%22%3B%20filename%3D%22a.exe", "attachment; filename=\"\\\"; filename=\\\"a.exe\""),
        ("..", "attachment"),
        ("%00", "attachment"),
        ("gnp%E2%80%AEexe", "attachment; filename=gnpexe"),
    ];
    for (name, expected) in cases {
        let answer = alice.request(Method::POST, &format!("{UPLOAD}?filename={name}"), "x").await.ok();
        let uri = answer["content_uri"].as_str().expect("a URI").replace("mxc://", "");
        let file = alice.get_media(&format!("download/{uri}")).await;
        assert_eq!(file.header("content-disposition"), expected);
        assert!(file.headers.get("set-cookie").is_none());
        if name != ".." {
            let file = alice.get_media(&format!("download/{uri}/{name}")).await;
            assert_eq!(file.header("content-disposition"), expected);
        }
    }
    assert_eq!(list_files(&server).len(), 1, "one file of one byte");
    let outside = server.data.path().join("media");
    assert!(list_files(&server).iter().all(|path| path.starts_with(outside.join("files"))));
}

/// A body that stops in the middle, with an error or for ever.
fn broken_body(with_error: bool) -> Body {
    let piece = Bytes::from(vec![7; 65_536]);
    let begin = stream::repeat(piece).take(20).map(Ok::<_, std::io::Error>);
    let error = stream::iter(with_error.then(|| Err(std::io::Error::other("gone"))));
    Body::from_stream(begin.chain(error).chain(stream::pending()))
}

#[tokio::test]
async fn an_upload_that_is_cut_off_leaves_nothing() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    alice.request(Method::POST, UPLOAD, broken_body(true)).await.fails(400, "M_UNKNOWN");
    assert_eq!(list_files(&server), Vec::<PathBuf>::new());
    let announced = [(header::CONTENT_LENGTH, "10")];
    alice.request_with(Method::POST, UPLOAD, &announced, "short").await.fails(400, "M_UNKNOWN");
    assert_eq!(list_files(&server), Vec::<PathBuf>::new());
    // The client goes away: the request is dropped where it stands.
    let going = alice.request(Method::POST, UPLOAD, broken_body(false));
    assert!(tokio::time::timeout(Duration::from_millis(200), going).await.is_err());
    assert_eq!(list_files(&server), Vec::<PathBuf>::new());
    let stopped = Body::from_stream(stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"fine"))]));
    let uri = alice.upload("text/plain", stopped).await;
    assert_eq!(alice.get_media(&format!("download/{uri}")).await.file(), b"fine");
}

/// A name on the shelf for a hash.
fn shelf_path(media: &Path, hash: &str) -> PathBuf {
    media.join("files").join(&hash[..2]).join(&hash[2..4]).join(hash)
}

#[tokio::test]
async fn what_a_killed_server_left_of_uploads_is_cleared_away() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let uri = alice.upload("text/plain", "needed").await;
    let needed = list_files(&server).pop().expect("a file");
    let hash = needed.file_name().expect("a name").to_str().expect("text");
    // Killed in the middle of a body; between shelf and row; and between row and the end of the claim.
    let media = server.data.path().join("media");
    let orphan = "ab".repeat(32);
    fs::create_dir_all(shelf_path(&media, &orphan).parent().expect("a folder")).expect("a folder");
    fs::write(shelf_path(&media, &orphan), "orphan").expect("a file");
    for name in ["XYZ.part".to_owned(), format!("{orphan}.XYZ.claim"), format!("{hash}.XYZ.claim")] {
        fs::write(media.join("inbox").join(name), "half").expect("a file");
    }
    assert_eq!(server.homeserver.media.sweep().await.expect("swept"), 3);
    assert_eq!(list_files(&server), std::slice::from_ref(&needed));
    assert_eq!(server.homeserver.media.check().await.expect("checked"), Vec::<String>::new());
    assert_eq!(alice.get_media(&format!("download/{uri}")).await.file(), b"needed");
}

#[tokio::test]
async fn a_check_finds_files_without_rows_and_rows_without_files() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let uri = alice.upload("image/png", encoded(&picture(300, 300), ImageFormat::Png)).await;
    alice.get_media(&format!("thumbnail/{uri}?width=32&height=32")).await.file();
    let media = server.homeserver.media.clone();
    assert_eq!(media.check().await.expect("checked"), Vec::<String>::new());
    for file in list_files(&server) {
        fs::remove_file(file).expect("removed");
    }
    let orphan = "cd".repeat(32);
    fs::create_dir_all(shelf_path(&server.data.path().join("media"), &orphan).parent().expect("a folder"))
        .expect("made");
    fs::write(shelf_path(&server.data.path().join("media"), &orphan), "orphan").expect("a file");
    let findings = media.check().await.expect("checked");
    assert_eq!(findings.len(), 3, "{findings:?}");
    assert!(findings[0].starts_with(&format!("mxc://{uri}: its file")), "{findings:?}");
    assert!(findings[1].contains("the file of the thumbnail scale-32x32"), "{findings:?}");
    assert!(findings[2].contains("is of no use"), "{findings:?}");
}

#[tokio::test]
async fn what_an_administrator_removes_is_gone() {
    let server = TestServer::start_with(|config| config.media.user_bytes_max = Some(10)).await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (hers, his) = (alice.upload("text/plain", "same bytes").await, bob.upload("text/plain", "same bytes").await);
    let name = ruma::server_name!("test.hearth");
    let media = &server.homeserver.media;
    let id = |uri: &str| uri.split('/').next_back().expect("an id").to_owned();
    media.remove(name, &id(&hers)).await.expect("removed");
    alice.get_media(&format!("download/{hers}")).await.fails(404, "M_NOT_FOUND");
    assert_eq!(alice.get_media(&format!("download/{his}")).await.file(), b"same bytes");
    assert!(media.remove(name, &id(&hers)).await.is_err(), "twice");
    alice.request(Method::PUT, &format!("{UPLOAD}/{hers}"), "x").await.fails(404, "M_NOT_FOUND");
    alice.upload("text/plain", "0123456789").await;
    media.remove(name, &id(&his)).await.expect("removed");
    assert_eq!(list_files(&server).len(), 1, "only the new file is left");
}
