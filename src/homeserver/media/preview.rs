//! Previews of web pages that users link to: fetched through the one outbound client, kept for a while.
//! [Client-Server API, `GET /_matrix/client/v1/media/preview_url`]
//!
//! [Client-Server API, `GET /_matrix/client/v1/media/preview_url`]: https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediapreview_url

use bytes::Bytes;
use hearth_storage::Page;
use hearth_storage::schema::media::{UrlPreview, UrlPreviews};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::config::UrlPreviewConfig;
use super::decode::{DecodeLimits, image_size};
use super::error::{MediaError, PreviewError};
use super::handle::{Media, settle};
use super::preview_page::{PageFacts, read_page};
use super::under_way::UnderWay;
use super::url_pattern::UrlPattern;
use crate::outbound::{Fetch, FetchError, Fetched, Outbound, Url};

/// The longest URL that is previewed, in bytes.
const URL_BYTES_MAX: usize = 4_096;

/// Who fetches what now, and what may be fetched.
pub(super) struct Previews {
    pub(super) config: UrlPreviewConfig,
    outbound: Outbound,
    allowed: Vec<UrlPattern>,
    denied: Vec<UrlPattern>,
    turns: Semaphore,
    under_way: UnderWay<[u8; 32]>,
}

impl Previews {
    pub(super) fn new(config: UrlPreviewConfig, outbound: Outbound) -> Self {
        let patterns = |list: &[String]| list.iter().map(|text| UrlPattern::new(text)).collect();
        Self {
            allowed: patterns(&config.allowed_urls),
            denied: patterns(&config.denied_urls),
            turns: Semaphore::new(config.jobs_max.clamp(1, Semaphore::MAX_PERMITS)),
            under_way: UnderWay::default(),
            outbound,
            config,
        }
    }

    fn may_ask(&self, url: &Url) -> bool {
        let lists = |patterns: &[UrlPattern]| patterns.iter().any(|pattern| pattern.matches(url));
        (self.allowed.is_empty() || lists(&self.allowed)) && !lists(&self.denied)
    }

    async fn fetch(
        &self,
        url: Url,
        accept: &'static str,
        bytes_max: usize,
        is_cut: bool,
    ) -> Result<Fetched, FetchError> {
        let fetch = Fetch {
            url,
            accept,
            languages: &self.config.languages,
            redirects_max: self.config.redirects_max,
            timeout_ms: self.config.timeout_ms,
            bytes_max,
            is_cut,
            may_ask: &|url| self.may_ask(url),
        };
        self.outbound.get(fetch).await
    }
}

/// The row of a URL.
type PreviewKey = (u8, [u8; 32]);

/// How many rows are looked at in one read.
const ROWS_MAX: usize = 1_000;

/// On how many shelves the rows lie.
const SHELVES: u8 = 16;

fn preview_key(url: &Url) -> PreviewKey {
    let hash: [u8; 32] = Sha256::digest(url.as_str()).into();
    (hash[0] % SHELVES, hash)
}

impl Media {
    /// What a preview shows of the page at a URL, as the JSON that clients get.
    pub async fn require_preview(&self, url: &str) -> Result<String, PreviewError> {
        let previews = &self.0.previews;
        if !previews.config.enabled {
            return Err(PreviewError::SwitchedOff);
        }
        let mut url = Url::parse(url.trim()).map_err(|_| PreviewError::BadUrl)?;
        if url.as_str().len() > URL_BYTES_MAX || !matches!(url.scheme(), "http" | "https") {
            return Err(PreviewError::BadUrl);
        }
        url.set_fragment(None);
        if !previews.may_ask(&url) {
            return Err(PreviewError::Denied);
        }
        let key = preview_key(&url);
        if let Some(known) = self.load_preview(&key).await?.filter(|known| self.now_ms() < known.expires_ms) {
            return Ok(known.json);
        }
        previews.under_way.alone(&key.1, self.make_preview(&key, url)).await
    }

    async fn load_preview(&self, key: &PreviewKey) -> Result<Option<UrlPreview>, MediaError> {
        Ok(self.0.env.store.get::<UrlPreviews>(key).await?)
    }

    async fn make_preview(&self, key: &PreviewKey, url: Url) -> Result<String, PreviewError> {
        let old = self.load_preview(key).await?;
        if let Some(known) = old.as_ref().filter(|known| self.now_ms() < known.expires_ms) {
            return Ok(known.json.clone());
        }
        let previews = &self.0.previews;
        let _turn = previews.turns.try_acquire().map_err(|_| PreviewError::Busy)?;
        let accept = "text/html,application/xhtml+xml;q=0.9,image/*;q=0.5";
        let page = previews.fetch(url, accept, previews.config.page_bytes_max.max(1), true).await?;
        let (json, image) = self.describe(page).await?;
        let lifetime_ms = previews.config.lifetime_s.saturating_mul(1_000);
        let row = UrlPreview { json, image, expires_ms: self.now_ms().saturating_add(lifetime_ms) };
        let mut txn = self.0.env.store.txn();
        txn.put::<UrlPreviews>(key, &row);
        self.0.env.store.commit(txn).await.map_err(MediaError::from)?;
        if let Some(image) = old.and_then(|old| old.image) {
            self.forget_item(&image).await?;
        }
        Ok(row.json)
    }

    /// The answer for what came, and its image's key.
    async fn describe(&self, page: Fetched) -> Result<(String, Option<String>), PreviewError> {
        let content_type = page.content_type.clone().unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let mut facts = PageFacts::default();
        let mut image_url = None;
        if essence == "text/html" || essence == "application/xhtml+xml" {
            let body = page.body.clone();
            let read = tokio::task::spawn_blocking(move || read_page(&body, &content_type));
            facts = read.await.unwrap_or_default();
            image_url = facts.take("og:image").and_then(|image| page.url.join(&image).ok());
        } else if essence.starts_with("image/") {
            image_url = Some(page.url.clone());
        }
        let mut answer: Map<String, Value> =
            facts.properties.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let image = match image_url {
            Some(url) => self.add_image(url, &mut answer).await?,
            None => None,
        };
        Ok((Value::Object(answer).to_string(), image))
    }

    /// Fetches and stores a page's image. A preview does without one that cannot be had.
    async fn add_image(&self, url: Url, answer: &mut Map<String, Value>) -> Result<Option<String>, PreviewError> {
        let previews = &self.0.previews;
        let bytes_max = previews.config.image_bytes_max;
        let Ok(found) = previews.fetch(url, "image/*", bytes_max, false).await else { return Ok(None) };
        let limits = DecodeLimits { pixels_max: self.0.config.thumbnail_pixels_max };
        let Some((content_type, width, height)) = image_size(&found.body, limits) else { return Ok(None) };
        let bytes: Bytes = found.body;
        let key = self.store_fetched(&bytes, content_type).await?;
        answer.insert("og:image".to_owned(), format!("mxc://{key}").into());
        answer.insert("og:image:type".to_owned(), content_type.into());
        answer.insert("og:image:width".to_owned(), width.into());
        answer.insert("og:image:height".to_owned(), height.into());
        answer.insert("matrix:image:size".to_owned(), bytes.len().into());
        Ok(Some(key))
    }

    /// Removes previews that ran out, with their images; says how many.
    pub async fn sweep_previews(&self) -> Result<usize, MediaError> {
        let mut swept = 0;
        for shelf in 0..SHELVES {
            let mut page = Page::first(ROWS_MAX);
            loop {
                let found = self.0.env.store.scan::<UrlPreviews, _>(&shelf, page.clone()).await?;
                let last = found.rows.last().map(|(key, _)| *key);
                for (key, row) in found.rows.into_iter().filter(|(_, row)| row.expires_ms <= self.now_ms()) {
                    swept += usize::from(self.drop_preview(&key, row).await?);
                }
                match last {
                    Some(last) if found.more => page = page.behind(last),
                    _ => break,
                }
            }
        }
        Ok(swept)
    }

    /// Removes a preview, unless it was fetched anew meanwhile; says whether it did.
    async fn drop_preview(&self, key: &PreviewKey, row: UrlPreview) -> Result<bool, MediaError> {
        let mut txn = self.0.env.store.txn();
        txn.assert_eq::<UrlPreviews>(key, &row);
        txn.delete::<UrlPreviews>(key);
        if settle(self.0.env.store.commit(txn).await)?.is_none() {
            return Ok(false);
        }
        if let Some(image) = row.image {
            self.forget_item(&image).await?;
        }
        Ok(true)
    }
}
