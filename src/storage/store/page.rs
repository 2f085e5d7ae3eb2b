//! Pages of a scan: bounds, a limit, a direction, and how to go on behind the last row.

use std::ops::Bound;

use crate::{
    codec::{Key, successor},
    engine::{Range, limits::PAGE_ROWS_MAX},
    table::{Table, encode_address},
};

/// Which rows of a prefix a scan gives. The bounds are whole keys: `from` is always the lower one,
/// `to` the upper one, whatever the direction.
#[derive(Debug, Clone)]
pub struct Page<K> {
    /// Lower bound, the beginning of the prefix without it.
    pub from: Option<Bound<K>>,
    /// Upper bound, the end of the prefix without it.
    pub to: Option<Bound<K>>,
    /// Most rows; cut to [`PAGE_ROWS_MAX`].
    pub limit: usize,
    /// From the greatest key downwards.
    pub reverse: bool,
}

impl<K> Page<K> {
    /// The first rows of the prefix.
    #[must_use]
    pub fn first(limit: usize) -> Self {
        Page { from: None, to: None, limit, reverse: false }
    }

    /// The last rows of the prefix, the last one first.
    #[must_use]
    pub fn last(limit: usize) -> Self {
        Page { from: None, to: None, limit, reverse: true }
    }

    /// Only keys at or above `key`.
    #[must_use]
    pub fn from(mut self, key: K) -> Self {
        self.from = Some(Bound::Included(key));
        self
    }

    /// Only keys above `key`.
    #[must_use]
    pub fn after(mut self, key: K) -> Self {
        self.from = Some(Bound::Excluded(key));
        self
    }

    /// Only keys at or below `key`.
    #[must_use]
    pub fn up_to(mut self, key: K) -> Self {
        self.to = Some(Bound::Included(key));
        self
    }

    /// Only keys below `key`.
    #[must_use]
    pub fn before(mut self, key: K) -> Self {
        self.to = Some(Bound::Excluded(key));
        self
    }

    /// The page behind the row with this key, in the page's direction.
    #[must_use]
    pub fn behind(self, key: K) -> Self {
        if self.reverse { self.before(key) } else { self.after(key) }
    }
}

/// The rows of a page.
pub struct Rows<T: Table> {
    /// Keys and values in the page's direction.
    pub rows: Vec<(T::Key, T::Value)>,
    /// Whether there are rows behind the last one.
    pub more: bool,
}

impl<K: Key> Page<K> {
    /// The range of whole keys of table `T` with this prefix and these bounds.
    pub(super) fn range<T: Table<Key = K>>(&self, prefix: &impl Key) -> Range {
        let encode = |key: &K| {
            let mut bytes = Vec::with_capacity(48);
            encode_address::<T>(key, &mut bytes);
            bytes
        };
        // The least key above another one is that key and a zero byte.
        let above = |key: &K| {
            let mut bytes = encode(key);
            bytes.push(0);
            bytes
        };
        let mut from = Vec::with_capacity(48);
        encode_address::<T>(prefix, &mut from);
        // A table's number is below `u16::MAX`, so there is a successor.
        let mut to = successor(&from).unwrap_or_default();
        match &self.from {
            Some(Bound::Included(key)) => from = from.max(encode(key)),
            Some(Bound::Excluded(key)) => from = from.max(above(key)),
            Some(Bound::Unbounded) | None => {}
        }
        match &self.to {
            Some(Bound::Included(key)) => to = to.min(above(key)),
            Some(Bound::Excluded(key)) => to = to.min(encode(key)),
            Some(Bound::Unbounded) | None => {}
        }
        Range { profile: T::PROFILE, from, to, limit: self.limit.min(PAGE_ROWS_MAX), reverse: self.reverse }
    }
}
