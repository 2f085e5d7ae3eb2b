//! What users need of parts that stand further up, given at assembly.

use ruma::UserId;

/// Names that others have claimed.
pub trait ExclusiveNames: Send + Sync {
    /// Whether the id lies in an exclusive namespace of an application service (`M_EXCLUSIVE`).
    fn is_exclusive(&self, user: &UserId) -> bool;
}

/// Nobody has claimed a name.
pub struct NoExclusiveNames;

impl ExclusiveNames for NoExclusiveNames {
    fn is_exclusive(&self, _user: &UserId) -> bool {
        false
    }
}
