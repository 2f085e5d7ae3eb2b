//! Files as answers: headers that keep browsers from running them, parts of them, and caches.
//!
//! | header | why |
//! |---|---|
//! | `Content-Disposition` | only types that no browser runs are shown by it |
//! | `Content-Security-Policy`, `X-Content-Type-Options` | what is shown runs nothing and is not guessed to be a page |
//! | `Cross-Origin-Resource-Policy` | web clients live on other origins |
//! | `ETag`, `Cache-Control` | the bytes behind a URI never change |

use std::ops::Range;

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use hearth_homeserver::media::{Access, Download, Media, clean_file_name, is_inline};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
        CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE, X_CONTENT_TYPE_OPTIONS,
    },
};
use ruma::http_headers::{ContentDisposition, ContentDispositionType};

use crate::api_error::ApiError;

/// The policy that the specification recommends. [Client-Server API, "Content repository"]
///
/// [Client-Server API, "Content repository"]: https://spec.matrix.org/v1.19/client-server-api/#content-repository
const POLICY: HeaderValue = HeaderValue::from_static(
    "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; style-src 'unsafe-inline'; \
     object-src 'self';",
);

/// For users: their own browser keeps it, and nobody between.
const CACHE_PRIVATE: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

/// For everybody.
const CACHE_PUBLIC: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What is sent besides the file itself.
pub struct FileAnswer<'a> {
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// Who asks.
    pub access: Access,
    /// The file name that the request asks for instead of the uploader's.
    pub file_name: Option<&'a str>,
}

impl FileAnswer<'_> {
    /// Sends the file, the part that was asked for, or the word that the client has it already.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn send(self, media: &Media, download: Download) -> Result<Response, ApiError> {
        let tag = format!("\"{}\"", download.tag);
        let mut headers = self.common_headers(&tag)?;
        if lists_tag(self.headers, &tag) {
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        headers.insert(CONTENT_TYPE, header(&download.content_type)?);
        headers.insert(CONTENT_DISPOSITION, self.disposition(&download)?);
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let (status, part) = match wanted_part(self.headers, &tag, download.bytes) {
            Part::Whole => (StatusCode::OK, 0..download.bytes),
            Part::Some(part) => {
                let (first, last) = (part.start, part.end - 1);
                headers.insert(CONTENT_RANGE, header(&format!("bytes {first}-{last}/{}", download.bytes))?);
                (StatusCode::PARTIAL_CONTENT, part)
            }
            Part::Outside => return unsatisfiable(download.bytes),
        };
        headers.insert(CONTENT_LENGTH, (part.end - part.start).into());
        let stream = media.read(&download, part).await?;
        Ok((status, headers, Body::from_stream(stream)).into_response())
    }

    fn common_headers(&self, tag: &str) -> Result<HeaderMap, ApiError> {
        let mut headers = HeaderMap::with_capacity(12);
        headers.insert(ETAG, header(tag)?);
        headers.insert(CONTENT_SECURITY_POLICY, POLICY);
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
        let cache = match self.access {
            Access::Authenticated => CACHE_PRIVATE,
            Access::Public => CACHE_PUBLIC,
        };
        headers.insert(CACHE_CONTROL, cache);
        Ok(headers)
    }

    fn disposition(&self, download: &Download) -> Result<HeaderValue, ApiError> {
        let kind = if is_inline(&download.content_type) {
            ContentDispositionType::Inline
        } else {
            ContentDispositionType::Attachment
        };
        let name = self.file_name.map_or_else(|| download.file_name.clone(), clean_file_name);
        header(&ContentDisposition::new(kind).with_filename(name).to_string())
    }
}

/// Everything that comes here was checked when it was stored, so that this does not fail.
fn header(text: &str) -> Result<HeaderValue, ApiError> {
    HeaderValue::from_str(text).map_err(ApiError::internal)
}

/// Whether `If-None-Match` lists the tag (RFC 9110, section 13.1.2).
fn lists_tag(headers: &HeaderMap, tag: &str) -> bool {
    let listed = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    listed
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|listed| listed == "*" || listed.strip_prefix("W/").unwrap_or(listed) == tag)
}

/// The part of a file that a request wants.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Some(Range<u64>),
    /// Nothing of it is there.
    Outside,
}

/// By the header `Range` (RFC 9110, section 14.2). What is no single range of bytes counts as none.
fn wanted_part(headers: &HeaderMap, tag: &str, bytes: u64) -> Part {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_other = headers.contains_key(IF_RANGE) && text(IF_RANGE) != Some(tag);
    let ranges = text(RANGE).and_then(|range| range.trim().strip_prefix("bytes="));
    let Some((first, last)) = ranges.filter(|_| !is_other).and_then(|range| range.split_once('-')) else {
        return Part::Whole;
    };
    match (number(first), number(last)) {
        (Some(Some(first)), Some(last)) => {
            if last.is_some_and(|last| last < first) {
                return Part::Whole;
            }
            let end = last.map_or(bytes, |last| last.saturating_add(1)).min(bytes);
            if first < bytes { Part::Some(first..end) } else { Part::Outside }
        }
        (Some(None), Some(Some(0))) => Part::Outside,
        (Some(None), Some(Some(_))) if bytes == 0 => Part::Outside,
        (Some(None), Some(Some(count))) => Part::Some(bytes.saturating_sub(count)..bytes),
        _ => Part::Whole,
    }
}

/// A number, or nothing; none where it is something else.
#[expect(clippy::option_option, reason = "no number, nothing at all, and a number are three things")]
fn number(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(None);
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().map_or(Some(u64::MAX), Some))
}

fn unsatisfiable(bytes: u64) -> Result<Response, ApiError> {
    let error = ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "M_INVALID_PARAM", "The file ends before that range.");
    let mut response = error.into_response();
    response.headers_mut().insert(CONTENT_RANGE, header(&format!("bytes */{bytes}"))?);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    use super::{Part, lists_tag, wanted_part};

    #[test]
    fn single_ranges_are_cut_to_the_file_and_others_are_not_heard() {
        let cases = [
            ("bytes=0-4", Part::Some(0..5)),
            ("bytes=5-", Part::Some(5..10)),
            ("bytes=-3", Part::Some(7..10)),
            ("bytes=-30", Part::Some(0..10)),
            ("bytes=8-99999999999999999999999", Part::Some(8..10)),
            ("bytes=10-", Part::Outside),
            ("bytes=-0", Part::Outside),
            ("bytes=4-2", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("pages=1-2", Part::Whole),
        ];
        for (range, expected) in cases {
            let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(range))]);
            assert_eq!(wanted_part(&headers, "\"t\"", 10), expected, "{range}");
        }
    }

    #[test]
    fn a_range_of_another_version_is_not_heard() {
        let range = (header::RANGE, HeaderValue::from_static("bytes=0-4"));
        for (tag, expected) in [("\"t\"", Part::Some(0..5)), ("\"u\"", Part::Whole)] {
            let headers = HeaderMap::from_iter([range.clone(), (header::IF_RANGE, HeaderValue::from_static(tag))]);
            assert_eq!(wanted_part(&headers, "\"t\"", 10), expected);
        }
    }

    #[test]
    fn a_known_tag_is_found_in_a_list() {
        let lists =
            |text| lists_tag(&HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(text))]), "\"t\"");
        assert!(lists("\"t\"") && lists("*") && lists("\"a\", W/\"t\""));
        assert!(!lists("\"a\"") && !lists("t"));
    }
}
