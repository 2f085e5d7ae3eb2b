use std::fs::File;
use std::io::{Cursor, Seek as _, Write as _};

use image::codecs::gif::{GifDecoder, GifEncoder};
use image::codecs::jpeg::JpegEncoder;
use image::{AnimationDecoder as _, DynamicImage, Frame, ImageEncoder as _, ImageFormat, Rgb, RgbImage, RgbaImage};

use super::{DecodeError, DecodeLimits, Made, image_size, make_thumbnail};
use crate::media::thumbnail_size::{Method, ThumbnailSize};

const LIMITS: DecodeLimits = DecodeLimits { pixels_max: 1_000_000 };

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

fn scale(width: u64, height: u64, is_animated: bool) -> ThumbnailSize {
    ThumbnailSize::round_up(Method::Scale, width, height, is_animated).unwrap()
}

#[track_caller]
fn encoded(made: Made) -> (&'static str, Vec<u8>) {
    match made {
        Made::Encoded { content_type, bytes } => (content_type, bytes),
        Made::Itself { content_type } => panic!("the {content_type} itself"),
    }
}

/// Red at the left, blue at the right.
fn flag(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) })
}

/// Exif that says: turn by 90 degrees clockwise to show.
fn exif_turned() -> Vec<u8> {
    let entry = [0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0];
    [&b"II*\0\x08\0\0\0"[..], &[1, 0], &entry, &[0; 4]].concat()
}

#[test]
fn a_photograph_is_turned_as_its_camera_says() {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(exif_turned()).unwrap();
    encoder.encode_image(&flag(400, 200)).unwrap();
    assert_eq!(image_size(&bytes, LIMITS), Some(("image/jpeg", 200, 400)));
    let (_, thumbnail) = encoded(make_thumbnail(file(&bytes), &scale(160, 120, false), LIMITS).unwrap());
    let image = image::load_from_memory(&thumbnail).unwrap().into_rgb8();
    assert_eq!(image.dimensions(), (60, 120));
    assert!(image.get_pixel(30, 10)[0] > 200, "red is on top");
    assert!(image.get_pixel(30, 110)[2] > 200, "blue is below");
}

fn animation(frames: usize, width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 30);
    for number in 0..frames {
        let shade = u8::try_from(number % 256).unwrap();
        let frame = RgbaImage::from_pixel(width, height, image::Rgba([shade, 0, 0, 255]));
        encoder.encode_frame(Frame::new(frame)).unwrap();
    }
    drop(encoder);
    bytes
}

fn frame_count(gif: &[u8]) -> usize {
    GifDecoder::new(Cursor::new(gif)).unwrap().into_frames().count()
}

#[test]
fn an_animation_moves_only_where_it_may() {
    let gif = animation(5, 200, 100);
    let (content_type, still) = encoded(make_thumbnail(file(&gif), &scale(96, 96, false), LIMITS).unwrap());
    assert_eq!(content_type, "image/jpeg");
    assert_eq!(image::load_from_memory(&still).unwrap().width(), 96);
    let (content_type, moving) = encoded(make_thumbnail(file(&gif), &scale(96, 96, true), LIMITS).unwrap());
    assert_eq!((content_type, frame_count(&moving)), ("image/gif", 5));
    // Small enough to be its own thumbnail, but then it would move.
    let small = make_thumbnail(file(&gif), &scale(320, 240, true), LIMITS).unwrap();
    assert!(matches!(small, Made::Itself { content_type: "image/gif" }));
    let (content_type, _) = encoded(make_thumbnail(file(&gif), &scale(320, 240, false), LIMITS).unwrap());
    assert_eq!(content_type, "image/jpeg");
}

#[test]
fn a_very_long_animation_stands_still() {
    let gif = animation(200, 100, 100);
    let (content_type, _) = encoded(make_thumbnail(file(&gif), &scale(32, 32, true), LIMITS).unwrap());
    assert_eq!(content_type, "image/jpeg");
}

#[test]
fn what_is_too_large_or_no_image_is_refused() {
    let mut png = Vec::new();
    DynamicImage::from(RgbImage::new(1_001, 1_000)).write_to(&mut Cursor::new(&mut png), ImageFormat::Png).unwrap();
    let size = scale(32, 32, false);
    assert!(matches!(make_thumbnail(file(&png), &size, LIMITS), Err(DecodeError::TooLarge)));
    for bad in [&b""[..], b"text", b"GIF89a", &png[..40], b"BM\0\0\0\0\0\0\0\0\0\0\0\0"] {
        assert!(matches!(make_thumbnail(file(bad), &size, LIMITS), Err(DecodeError::NotAnImage)), "{bad:?}");
        assert_eq!(image_size(bad, LIMITS), None);
    }
}
