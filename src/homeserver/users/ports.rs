//! What users need of parts that stand further up, given at assembly.

use ruma::{RoomAliasId, UserId};

/// Names that others have claimed.
pub trait ExclusiveNames: Send + Sync {
    /// Whether the id lies in an exclusive namespace of an application service (`M_EXCLUSIVE`).
    fn is_exclusive(&self, user: &UserId) -> bool;

    /// Whether a room may be given the alias: by a service if it lies in a namespace of its own, and by whomever if it
    /// lies in no exclusive one of another service (`M_EXCLUSIVE`).
    fn may_make_alias(&self, _alias: &RoomAliasId, _service: Option<&str>) -> bool {
        true
    }

    /// Whether the alias lies in a namespace of this service, which then may do with it what it likes.
    fn owns_alias(&self, _alias: &RoomAliasId, _service: &str) -> bool {
        false
    }
}

/// Nobody has claimed a name.
pub struct NoExclusiveNames;

impl ExclusiveNames for NoExclusiveNames {
    fn is_exclusive(&self, _user: &UserId) -> bool {
        false
    }
}
