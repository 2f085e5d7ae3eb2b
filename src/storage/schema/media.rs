//! The tables of media: what was uploaded, by whom, which files hold it, thumbnails, and previews of URLs.
//!
//! What a user uploads is counted in the user's lane; the item itself lies by its own `mxc://` URI, so that
//! whoever downloads it needs to know nothing else. The bytes are files beside the database, named by their hash.
//!
//! Owner: media.

use hearth_protocol::UserKey;
use serde::{Deserialize, Serialize};

use crate::{Place, Profile, ScanBy, Table, value};

/// Everything that has an `mxc://` URI. Owner: media.
pub struct MediaItems;
impl Table for MediaItems {
    const NUMBER: u16 = 500;
    const NAME: &'static str = "media_item";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByKey;
    /// The URI without `mxc://`: server name, slash, media id.
    type Key = String;
    type Value = MediaItem;
}
impl ScanBy<()> for MediaItems {}

/// An item of media.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaItem {
    /// The id of the user who uploaded it; none for what the server itself has fetched.
    pub uploader: Option<String>,
    /// When its URI was given out, in milliseconds since 1970.
    pub created_ms: u64,
    /// What has become of it.
    pub state: MediaState,
    /// Served without authentication too: it was stored while that was allowed (C-S API, "freeze").
    pub is_public: bool,
}
value!(MediaItem, 1);

/// What has become of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaState {
    /// The URI was given out, and nothing was uploaded yet.
    Pending {
        /// From when on nothing may be uploaded, in milliseconds since 1970.
        expires_ms: u64,
    },
    /// It is there.
    Stored(StoredMedia),
    /// An administrator removed it; nobody gets it any more.
    Removed,
}

/// What is stored of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMedia {
    /// SHA-256 of the bytes: the name of the file.
    pub hash: [u8; 32],
    /// How many bytes there are.
    pub bytes: u64,
    /// The content type that the uploader gave.
    pub content_type: Option<String>,
    /// The file name that the uploader gave.
    pub file_name: Option<String>,
}

/// What a user has uploaded. Owner: media.
pub struct Uploads;
impl Table for Uploads {
    const NUMBER: u16 = 501;
    const NAME: &'static str = "upload";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    /// User, media id.
    type Key = (UserKey, String);
    type Value = Upload;
}
impl ScanBy<UserKey> for Uploads {}

/// An upload as it counts against its user's quota.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// How many bytes it has.
    pub bytes: u64,
    /// When it was uploaded, in milliseconds since 1970.
    pub uploaded_ms: u64,
}
value!(Upload, 1);

/// Media ids of a user to which nothing was uploaded yet. Owner: media.
pub struct PendingUploads;
impl Table for PendingUploads {
    const NUMBER: u16 = 502;
    const NAME: &'static str = "pending_upload";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    /// User, media id.
    type Key = (UserKey, String);
    type Value = PendingUpload;
}
impl ScanBy<()> for PendingUploads {}
impl ScanBy<UserKey> for PendingUploads {}

/// A media id that waits for its upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingUpload {
    /// When it was given out, in milliseconds since 1970.
    pub created_ms: u64,
    /// From when on nothing may be uploaded, in milliseconds since 1970.
    pub expires_ms: u64,
}
value!(PendingUpload, 1);

/// How much each user has uploaded, for the quota. Owner: media.
pub struct UploadTotals;
impl Table for UploadTotals {
    const NUMBER: u16 = 503;
    const NAME: &'static str = "upload_total";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    type Key = UserKey;
    type Value = UploadTotal;
}

/// The sum of a user's rows in [`Uploads`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadTotal {
    /// All bytes.
    pub bytes: u64,
    /// All items.
    pub items: u64,
}
value!(UploadTotal, 1);

/// What needs a file: a file that has no row here is of no use. Owner: media.
pub struct FileUses;
impl Table for FileUses {
    const NUMBER: u16 = 504;
    const NAME: &'static str = "file_use";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByKey;
    /// SHA-256 of the bytes; the URI without `mxc://`; which thumbnail of it, empty for the item itself.
    type Key = ([u8; 32], String, String);
    type Value = ();
}
impl ScanBy<()> for FileUses {}
impl ScanBy<[u8; 32]> for FileUses {}

/// Thumbnails that were made. Owner: media.
pub struct Thumbnails;
impl Table for Thumbnails {
    const NUMBER: u16 = 505;
    const NAME: &'static str = "thumbnail";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByKey;
    /// The URI without `mxc://`; which thumbnail: method, width and height.
    type Key = (String, String);
    type Value = Thumbnail;
}
impl ScanBy<()> for Thumbnails {}
impl ScanBy<String> for Thumbnails {}

/// A thumbnail that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thumbnail {
    /// SHA-256 of its bytes: the name of its file. The item's own where that is small enough.
    pub hash: [u8; 32],
    /// How many bytes there are.
    pub bytes: u64,
    /// Its content type.
    pub content_type: String,
}
value!(Thumbnail, 1);

/// What was found behind URLs, for previews. Owner: media.
pub struct UrlPreviews;
impl Table for UrlPreviews {
    const NUMBER: u16 = 506;
    const NAME: &'static str = "url_preview";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByKey;
    /// Shelf (the hash's first byte), SHA-256 of the URL.
    type Key = (u8, [u8; 32]);
    type Value = UrlPreview;
}
impl ScanBy<u8> for UrlPreviews {}

/// A preview as clients get it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlPreview {
    /// The answer's JSON.
    pub json: String,
    /// Key in [`MediaItems`] of its image.
    pub image: Option<String>,
    /// When it is fetched anew, in milliseconds since 1970.
    pub expires_ms: u64,
}
value!(UrlPreview, 1);
