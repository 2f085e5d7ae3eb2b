//! The sections `[media]` and `[url_previews]` of the configuration.

use crate::settings;

settings! {
    /// Files that users upload, and thumbnails of them.
    pub struct MediaConfig {
        /// How large an upload may be, in bytes.
        pub upload_bytes_max: u64 = 100 * 1024 * 1024,
        /// How much a user may have uploaded altogether, in bytes; left out, any amount.
        pub user_bytes_max: Option<u64> = None,
        /// How many media ids without an upload a user may have at a time.
        pub pending_uploads_max: usize = 100,
        /// How long a media id waits for its upload, in seconds.
        pub pending_lifetime_s: u64 = 24 * 60 * 60,
        /// How long a download may wait for its upload, in milliseconds.
        pub download_wait_ms_max: u64 = 60_000,
        /// Media that is uploaded while this is on can be downloaded without authentication as well, at the
        /// old paths below `/_matrix/media`. Switching it off later freezes them: what was uploaded before stays.
        pub unauthenticated_access: bool = false,
        /// How many pixels an image may have of which a thumbnail is made. Each takes up to four bytes of memory.
        pub thumbnail_pixels_max: u64 = 50_000_000,
        /// How large the file of an image may be of which a thumbnail is made, in bytes.
        pub thumbnail_source_bytes_max: u64 = 50 * 1024 * 1024,
        /// How many thumbnails are made at the same time.
        pub thumbnail_jobs_max: usize = 2,
        /// How many thumbnails may wait to be made; further ones are told to come back later.
        pub thumbnail_waiting_max: usize = 100,
    }
}

settings! {
    /// Previews of web pages that users link to. The server fetches the page: it learns what users link to, and the
    /// page's server learns this server's address, so they are off unless they are wanted.
    pub struct UrlPreviewConfig {
        /// Whether there are previews.
        pub enabled: bool = false,
        /// The only URLs that are fetched, as `host` or `host/path`, where the host may begin with `*.` for all
        /// names below it, and the path is the beginning of one; empty for all.
        pub allowed_urls: Vec<String> = Vec::new(),
        /// URLs that are never fetched, written in the same way.
        pub denied_urls: Vec<String> = Vec::new(),
        /// In which languages pages are asked for (`Accept-Language`).
        pub languages: String = "en".to_owned(),
        /// How much of a page is read, in bytes.
        pub page_bytes_max: usize = 1024 * 1024,
        /// How large the image of a page may be, in bytes.
        pub image_bytes_max: usize = 8 * 1024 * 1024,
        /// How long fetching a page may take, and again its image, in milliseconds.
        pub timeout_ms: u64 = 10_000,
        /// How many redirects are followed.
        pub redirects_max: usize = 5,
        /// How long a preview is kept before the page is fetched anew, in seconds.
        pub lifetime_s: u64 = 60 * 60,
        /// How many pages are fetched at the same time; further requests are told to come back later.
        pub jobs_max: usize = 16,
    }
}
