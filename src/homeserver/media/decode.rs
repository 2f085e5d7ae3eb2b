//! Images into smaller images: decoding, turning, resizing, encoding. Slow, so always off the event loop.
//!
//! The bytes come from anybody. What an image is, is told by its first bytes, never by what its uploader says;
//! how large it is, is read and compared with the limits before a pixel is decoded; and only formats whose
//! decoders are written in safe Rust are decoded at all. AVIF is not among them: its decoders in Rust either are
//! bound to a C library or have the unsafe interface of one, and bring assembly along.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Seek};

use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{
    AnimationDecoder as _, DynamicImage, Frame, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, imageops,
};

use super::thumbnail_size::{Plan, ThumbnailSize};

/// Quality of thumbnails without transparency, of 100.
const JPEG_QUALITY: u8 = 82;

/// How many frames of an animation are kept; of a longer one the thumbnail is still.
const FRAMES_MAX: usize = 150;

/// How many pixels all frames of an animated thumbnail may have together; of a larger one it is still.
const FRAME_PIXELS_MAX: u64 = 12_000_000;

/// An image that is this many times larger is first made smaller by averaging, which is quick.
const AVERAGE_ABOVE: u32 = 3;

/// What may be decoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct DecodeLimits {
    /// Pixels of an image.
    pub(super) pixels_max: u64,
}

/// Bytes of memory for a pixel: eight bits for each of four colours.
const PIXEL_BYTES: u64 = 4;

/// Why there is no thumbnail.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    /// No image of a format that is decoded here, or a broken one.
    #[error("not an image")]
    NotAnImage,
    /// More pixels than allowed.
    #[error("too many pixels")]
    TooLarge,
    /// The file could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<ImageError> for DecodeError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooLarge,
            ImageError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Self::Io(error),
            _ => Self::NotAnImage,
        }
    }
}

/// What became of an image.
#[derive(Debug)]
pub(super) enum Made {
    /// It is small enough to be its own thumbnail.
    Itself {
        /// What it is by its bytes.
        content_type: &'static str,
    },
    /// A smaller one.
    Encoded {
        /// What it is.
        content_type: &'static str,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// Makes one thumbnail.
pub(super) fn make_thumbnail(file: File, size: &ThumbnailSize, limits: DecodeLimits) -> Result<Made, DecodeError> {
    let again = file.try_clone()?;
    let reader = ImageReader::new(BufReader::new(file)).with_guessed_format()?;
    let format = reader.format().ok_or(DecodeError::NotAnImage)?;
    let content_type = content_type_of(format).ok_or(DecodeError::NotAnImage)?;
    let mut decoder = limited(reader, limits)?;
    let orientation = decoder.orientation()?;
    let plan = plan_for(size, decoder.dimensions(), orientation);
    let is_animated = may_be_animated(format, &again, limits)?;
    if plan.is_none() && (size.is_animated || !is_animated) {
        return Ok(Made::Itself { content_type });
    }
    if let (true, true, Some(plan)) = (size.is_animated, is_animated, plan)
        && let Some(bytes) = make_animation(format, again, plan, limits)?
    {
        return Ok(Made::Encoded { content_type: "image/gif", bytes });
    }
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    let image = match plan {
        Some(plan) => resize(&image, plan),
        None => image,
    };
    encode(image)
}

/// The size of an image by its first bytes, as it is shown; none if it is none that is decoded here.
pub(super) fn image_size(bytes: &[u8], limits: DecodeLimits) -> Option<(&'static str, u32, u32)> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let content_type = content_type_of(reader.format()?)?;
    let mut decoder = limited(reader, limits).ok()?;
    let orientation = decoder.orientation().ok()?;
    let (width, height) = turned(decoder.dimensions(), orientation);
    Some((content_type, width, height))
}

/// A decoder that has read the image's size, which is allowed.
fn limited<'a, R: BufRead + Seek + 'a>(
    mut reader: ImageReader<R>,
    limits: DecodeLimits,
) -> Result<impl ImageDecoder + 'a, DecodeError> {
    reader.limits(library_limits(limits));
    let decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let is_large = u64::from(width) * u64::from(height) > limits.pixels_max;
    if is_large || decoder.total_bytes() > limits.pixels_max.saturating_mul(PIXEL_BYTES) {
        return Err(DecodeError::TooLarge);
    }
    Ok(decoder)
}

fn library_limits(limits: DecodeLimits) -> Limits {
    let mut library = Limits::default();
    library.max_alloc = Some(limits.pixels_max.saturating_mul(PIXEL_BYTES));
    library
}

fn content_type_of(format: ImageFormat) -> Option<&'static str> {
    match format {
        ImageFormat::Png => Some("image/png"),
        ImageFormat::Jpeg => Some("image/jpeg"),
        ImageFormat::Gif => Some("image/gif"),
        ImageFormat::WebP => Some("image/webp"),
        _ => None,
    }
}

/// Whether the file moves. A GIF is taken to do so: to know, one would have to decode it.
fn may_be_animated(format: ImageFormat, file: &File, limits: DecodeLimits) -> Result<bool, DecodeError> {
    let reader = || -> std::io::Result<_> {
        let mut file = file.try_clone()?;
        file.rewind()?;
        Ok(BufReader::new(file))
    };
    Ok(match format {
        ImageFormat::Gif => true,
        ImageFormat::WebP => WebPDecoder::new(reader()?)?.has_animation(),
        ImageFormat::Png => PngDecoder::with_limits(reader()?, library_limits(limits))?.is_apng()?,
        _ => false,
    })
}

/// Width and height as the image is shown.
fn turned((width, height): (u32, u32), orientation: Orientation) -> (u32, u32) {
    match orientation {
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            (height, width)
        }
        _ => (width, height),
    }
}

fn plan_for(size: &ThumbnailSize, dimensions: (u32, u32), orientation: Orientation) -> Option<Plan> {
    let (width, height) = turned(dimensions, orientation);
    size.plan(width, height)
}

fn resize(image: &DynamicImage, plan: Plan) -> DynamicImage {
    let (left, top, width, height) = plan.from;
    let (to_width, to_height) = plan.to;
    let part = image.crop_imm(left, top, width, height);
    let (rough_width, rough_height) = (to_width.saturating_mul(2), to_height.saturating_mul(2));
    if width / to_width >= AVERAGE_ABOVE && height / to_height >= AVERAGE_ABOVE {
        let rough = part.thumbnail_exact(rough_width, rough_height);
        return rough.resize_exact(to_width, to_height, imageops::FilterType::CatmullRom);
    }
    part.resize_exact(to_width, to_height, imageops::FilterType::CatmullRom)
}

/// As JPEG, or as PNG where something shows through.
fn encode(image: DynamicImage) -> Result<Made, DecodeError> {
    let mut bytes = Vec::new();
    if image.color().has_alpha() {
        let image = image.into_rgba8();
        if image.pixels().any(|pixel| pixel[3] != u8::MAX) {
            image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
            return Ok(Made::Encoded { content_type: "image/png", bytes });
        }
        return encode_jpeg(&DynamicImage::from(image));
    }
    encode_jpeg(&image)
}

fn encode_jpeg(image: &DynamicImage) -> Result<Made, DecodeError> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode_image(&image.to_rgb8())?;
    Ok(Made::Encoded { content_type: "image/jpeg", bytes })
}

/// An animated GIF; none if it would be too large, or has one frame only.
fn make_animation(
    format: ImageFormat,
    mut file: File,
    plan: Plan,
    limits: DecodeLimits,
) -> Result<Option<Vec<u8>>, DecodeError> {
    file.rewind()?;
    let reader = BufReader::new(file);
    let frames = match format {
        ImageFormat::Gif => {
            let mut decoder = GifDecoder::new(reader)?;
            decoder.set_limits(library_limits(limits))?;
            decoder.into_frames()
        }
        ImageFormat::WebP => WebPDecoder::new(reader)?.into_frames(),
        ImageFormat::Png => PngDecoder::with_limits(reader, library_limits(limits))?.apng()?.into_frames(),
        _ => return Ok(None),
    };
    let mut small = Vec::new();
    for frame in frames {
        let frame = frame?;
        let pixels = u64::from(plan.to.0) * u64::from(plan.to.1) * (small.len() as u64 + 1);
        if small.len() >= FRAMES_MAX || pixels > FRAME_PIXELS_MAX {
            return Ok(None);
        }
        let delay = frame.delay();
        let image = resize(&DynamicImage::from(frame.into_buffer()), plan).into_rgba8();
        small.push(Frame::from_parts(image, 0, 0, delay));
    }
    if small.len() < 2 {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 10);
    encoder.set_repeat(Repeat::Infinite)?;
    encoder.encode_frames(small)?;
    drop(encoder);
    Ok(Some(bytes))
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
