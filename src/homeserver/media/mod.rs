//! Media: what users upload, how it is kept and served, thumbnails of it, and previews of web pages.
//!
//! The bytes are files named by their SHA-256, so that the same file is kept once; what has an `mxc://` URI is a
//! row. A file is whole and on disk before the row that needs it is committed, and a file that no row needs is
//! removed: a crash leaves neither an item without its file nor a file without an item.
//!
//! Nothing here holds a whole upload or download in memory, or decodes an image before its size is known to be harmless.

mod check;
mod config;
mod content_type;
mod create;
mod decode;
mod download;
mod error;
mod fetched;
mod file_name;
mod handle;
mod inbox;
mod preview;
mod preview_page;
mod remote;
mod removal;
mod shelf;
mod sweeper;
mod thumbnail;
mod thumbnail_size;
mod under_way;
mod upload;
mod url_pattern;

pub use config::{MediaConfig, UrlPreviewConfig};
pub use content_type::is_inline;
pub use create::CreatedMedia;
pub use download::{Access, Download};
pub use error::{MediaError, PreviewError};
pub use file_name::clean_file_name;
pub use handle::{Media, MediaSetup};
pub use remote::{NoRemoteMedia, RemoteMedia};
pub use thumbnail::WantedThumbnail;
pub use thumbnail_size::Method;
pub use upload::Described;
