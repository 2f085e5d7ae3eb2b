//! What the operator and the administrators of this server do, and what comes to their ears: reports by users, and
//! notices to them.
//!
//! It stands above everything else here: it may use all, and nothing may use it.

mod notices;
mod reports;

pub use notices::{Notice, NoticeError, Notices};
pub use reports::{ReportError, ReportInfo, Reporting};
