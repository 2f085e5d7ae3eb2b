//! What is believed of the content type that an uploader gave.
//!
//! It is served as it was given, since clients count on it; whether a browser may show it by itself is
//! decided by a list. [Client-Server API, "Serving inline content"]
//!
//! [Client-Server API, "Serving inline content"]: https://spec.matrix.org/v1.19/client-server-api/#serving-inline-content

/// The content type of what has none.
pub(super) const UNKNOWN: &str = "application/octet-stream";

/// The longest content type that is kept, in bytes.
const CONTENT_TYPE_BYTES_MAX: usize = 255;

/// Types that no browser takes for a page of its own.
const INLINE: &[&str] = &[
    "text/css",
    "text/plain",
    "text/csv",
    "application/json",
    "application/ld+json",
    "image/jpeg",
    "image/gif",
    "image/png",
    "image/apng",
    "image/webp",
    "image/avif",
    "video/mp4",
    "video/webm",
    "video/ogg",
    "video/quicktime",
    "audio/mp4",
    "audio/webm",
    "audio/aac",
    "audio/mpeg",
    "audio/ogg",
    "audio/wave",
    "audio/wav",
    "audio/x-wav",
    "audio/x-pn-wav",
    "audio/flac",
    "audio/x-flac",
];

/// Whether content of this type may be shown by a browser rather than saved.
pub fn is_inline(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    INLINE.iter().any(|known| known.eq_ignore_ascii_case(essence))
}

/// The content type if it has the form of one (`type/subtype`, then parameters), else none.
pub(super) fn check_content_type(given: &str) -> Option<String> {
    let given = given.trim();
    let is_visible = given.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let essence = given.split(';').next().unwrap_or_default().trim();
    let (kind, subtype) = essence.split_once('/')?;
    let sound = is_visible && given.len() <= CONTENT_TYPE_BYTES_MAX && is_token(kind) && is_token(subtype);
    sound.then(|| given.to_owned())
}

/// RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::{check_content_type, is_inline};

    #[test]
    fn parameters_and_case_do_not_matter_for_the_list() {
        assert!(is_inline("Text/Plain; charset=utf-8"));
        for active in ["text/html", "image/svg+xml", "application/pdf", "text/plainx", "application/xhtml+xml", ""] {
            assert!(!is_inline(active), "{active}");
        }
    }

    #[test]
    fn what_is_no_content_type_is_none() {
        assert_eq!(check_content_type(" image/png "), Some("image/png".to_owned()));
        for bad in
            ["", "png", "image/", "/png", "a b/c", "image/png\r\nX: y", "text/plain; x=\u{e9}", &"a/b".repeat(99)]
        {
            assert_eq!(check_content_type(bad), None, "{bad:?}");
        }
    }
}
