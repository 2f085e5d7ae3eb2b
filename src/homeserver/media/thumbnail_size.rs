//! Which thumbnails there are: what clients ask for, rounded up to a few sizes.
//! [Client-Server API, "Thumbnails"]
//!
//! Clients ask for the size that they show, and those are many. Rounding up keeps the number of thumbnails of
//! an item small, whatever is asked for, and no thumbnail is smaller than what was asked for.
//!
//! [Client-Server API, "Thumbnails"]: https://spec.matrix.org/v1.19/client-server-api/#thumbnails

use super::error::MediaError;

/// How an image becomes smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// What exceeds the wanted shape is cut off.
    Crop,
    /// It keeps its shape and fits into the wanted one.
    Scale,
}

/// Boxes to scale into: those of the specification, and two for large and dense screens.
const BOXES: [(u32, u32); 7] = [(32, 32), (96, 96), (160, 120), (320, 240), (640, 480), (800, 600), (1600, 1200)];

/// Lengths of the longer side to crop to.
const SIDES: [u32; 8] = [32, 64, 96, 128, 256, 512, 800, 1600];

/// The shorter side when cropping is a multiple of this part of the longer one.
const SHAPES: u32 = 16;

/// One of the thumbnails that an item can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ThumbnailSize {
    pub(super) method: Method,
    /// Width and height to fit into or to fill; none for the image's own size.
    pub(super) pixels: Option<(u32, u32)>,
    pub(super) is_animated: bool,
}

impl ThumbnailSize {
    /// The smallest that serves the wish.
    pub(super) fn round_up(method: Method, width: u64, height: u64, is_animated: bool) -> Result<Self, MediaError> {
        if width == 0 || height == 0 {
            return Err(MediaError::BadSize);
        }
        let pixels = match (u32::try_from(width), u32::try_from(height)) {
            (Ok(width), Ok(height)) => match method {
                Method::Scale => BOXES.into_iter().find(|(w, h)| width <= *w && height <= *h),
                Method::Crop => round_up_crop(width, height),
            },
            _ => None,
        };
        Ok(Self { method, pixels, is_animated })
    }

    /// Its name within the item.
    pub(super) fn name(&self) -> String {
        let method = match self.method {
            Method::Crop => "crop",
            Method::Scale => "scale",
        };
        let animated = if self.is_animated { "-animated" } else { "" };
        match self.pixels {
            Some((width, height)) => format!("{method}-{width}x{height}{animated}"),
            None => format!("{method}-whole{animated}"),
        }
    }

    /// The part of an image of this size that is taken (x, y, width, height), and the size that it gets;
    /// none if the image is small enough as it is.
    pub(super) fn plan(&self, width: u32, height: u32) -> Option<Plan> {
        let (box_width, box_height) = self.pixels?;
        if width <= box_width && height <= box_height {
            return None;
        }
        Some(match self.method {
            Method::Scale => {
                let to = shrink(width, height, box_width, box_height);
                Plan { from: (0, 0, width, height), to }
            }
            Method::Crop => plan_crop((width, height), (box_width, box_height)),
        })
    }
}

/// What to cut out of an image, and the size to bring it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Left, top, width and height.
    pub(super) from: (u32, u32, u32, u32),
    /// Width and height, never more than those of `from`.
    pub(super) to: (u32, u32),
}

fn round_up_crop(width: u32, height: u32) -> Option<(u32, u32)> {
    let longer = width.max(height);
    let side = SIDES.into_iter().find(|side| longer <= *side)?;
    // In sixteenths of the longer side, rounded up.
    let shorter = u64::from(width.min(height)) * u64::from(SHAPES);
    let parts = u32::try_from(shorter.div_ceil(u64::from(longer))).unwrap_or(SHAPES).clamp(1, SHAPES);
    let shorter = side * parts / SHAPES;
    Some(if width >= height { (side, shorter) } else { (shorter, side) })
}

/// The largest size of the image's shape that fits into the box.
fn shrink(width: u32, height: u32, box_width: u32, box_height: u32) -> (u32, u32) {
    let scaled = |length: u32, by: u32, of: u32| {
        let length = u64::from(length) * u64::from(by) / u64::from(of);
        u32::try_from(length).unwrap_or(u32::MAX).max(1)
    };
    if u64::from(width) * u64::from(box_height) >= u64::from(height) * u64::from(box_width) {
        (box_width.min(width), scaled(height, box_width, width).min(height))
    } else {
        (scaled(width, box_height, height).min(width), box_height.min(height))
    }
}

/// The middle of the image in the wanted shape, never made larger.
fn plan_crop((width, height): (u32, u32), (to_width, to_height): (u32, u32)) -> Plan {
    // The largest part of the image in the shape of the box.
    let (from_width, from_height) =
        if u64::from(width) * u64::from(to_height) >= u64::from(height) * u64::from(to_width) {
            let wide = u64::from(height) * u64::from(to_width) / u64::from(to_height);
            (u32::try_from(wide).unwrap_or(width).clamp(1, width), height)
        } else {
            let high = u64::from(width) * u64::from(to_height) / u64::from(to_width);
            (width, u32::try_from(high).unwrap_or(height).clamp(1, height))
        };
    let (left, top) = ((width - from_width) / 2, (height - from_height) / 2);
    Plan { from: (left, top, from_width, from_height), to: (to_width.min(from_width), to_height.min(from_height)) }
}

#[cfg(test)]
mod tests {
    use super::{Method, Plan, ThumbnailSize};

    fn size(method: Method, width: u64, height: u64) -> ThumbnailSize {
        ThumbnailSize::round_up(method, width, height, false).unwrap()
    }

    #[test]
    fn wishes_are_rounded_up() {
        let cases = [
            (Method::Scale, 30, 30, Some((32, 32))),
            (Method::Scale, 33, 10, Some((96, 96))),
            (Method::Scale, 640, 480, Some((640, 480))),
            (Method::Scale, 800, 601, Some((1600, 1200))),
            (Method::Scale, 1601, 1, None),
            (Method::Crop, 96, 96, Some((96, 96))),
            (Method::Crop, 60, 60, Some((64, 64))),
            (Method::Crop, 100, 50, Some((128, 64))),
            (Method::Crop, 50, 100, Some((64, 128))),
            (Method::Crop, 1, 1600, Some((100, 1600))),
            (Method::Crop, u64::MAX, 1, None),
        ];
        for (method, width, height, expected) in cases {
            assert_eq!(size(method, width, height).pixels, expected, "{width}x{height}");
        }
        assert!(ThumbnailSize::round_up(Method::Crop, 0, 5, false).is_err());
    }

    #[test]
    fn there_are_few_sizes_whatever_is_asked_for() {
        let mut names = std::collections::HashSet::new();
        for width in 1..400 {
            for height in 1..400 {
                names.insert(size(Method::Crop, width * 5, height * 5).name());
                names.insert(size(Method::Scale, width * 5, height * 5).name());
            }
        }
        assert!(names.len() <= 8 * 31 + 9, "{}", names.len());
    }

    #[test]
    fn images_keep_their_shape_and_never_grow() {
        let scale = size(Method::Scale, 320, 240);
        assert_eq!(scale.plan(320, 240), None);
        assert_eq!(scale.plan(2000, 1000), Some(Plan { from: (0, 0, 2000, 1000), to: (320, 160) }));
        assert_eq!(scale.plan(100, 5000), Some(Plan { from: (0, 0, 100, 5000), to: (4, 240) }));
        assert_eq!(scale.plan(100_000, 1), Some(Plan { from: (0, 0, 100_000, 1), to: (320, 1) }));
        let crop = size(Method::Crop, 96, 96);
        assert_eq!(crop.plan(90, 90), None);
        assert_eq!(crop.plan(300, 200), Some(Plan { from: (50, 0, 200, 200), to: (96, 96) }));
        assert_eq!(crop.plan(300, 40), Some(Plan { from: (130, 0, 40, 40), to: (40, 40) }));
    }
}
