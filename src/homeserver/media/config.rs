//! The section `[media]` of the configuration.

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
