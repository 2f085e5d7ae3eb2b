//! Compiled filters, one for all requests that come with the same text: a compiled filter is large, most clients of a kind
//! use the same one, and each of them has a request that waits.

use std::sync::Arc;

use hearth_protocol::SyncFilter;
use quick_cache::sync::Cache;

/// Filters that are kept.
const FILTERS_MAX: usize = 1_000;
/// The longest text of a filter that is kept, in bytes.
const TEXT_BYTES_MAX: usize = 4 * 1_024;

/// The filters of late requests, by their text.
pub struct CompiledFilters(Cache<Box<str>, Arc<SyncFilter>>);

impl Default for CompiledFilters {
    fn default() -> Self {
        Self(Cache::new(FILTERS_MAX))
    }
}

impl CompiledFilters {
    /// The filter of a text.
    ///
    /// # Errors
    /// When the text is no filter.
    pub fn compile(&self, text: &str) -> Result<Arc<SyncFilter>, serde_json::Error> {
        if let Some(filter) = self.0.get(text) {
            return Ok(filter);
        }
        let filter = Arc::new(SyncFilter::compile_text(text)?);
        if text.len() <= TEXT_BYTES_MAX {
            self.0.insert(text.into(), filter.clone());
        }
        Ok(filter)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{CompiledFilters, TEXT_BYTES_MAX};

    #[test]
    fn the_same_text_is_one_filter_and_another_text_another() {
        let filters = CompiledFilters::default();
        let (few, many) = (r#"{"room":{"timeline":{"limit":1}}}"#, r#"{"room":{"timeline":{"limit":9}}}"#);
        let first = filters.compile(few).unwrap();
        assert!(Arc::ptr_eq(&first, &filters.compile(few).unwrap()));
        assert_ne!(filters.compile(many).unwrap().timeline.limit, first.timeline.limit);
        assert!(filters.compile("{").is_err());
    }

    #[test]
    fn long_texts_are_not_kept() {
        let filters = CompiledFilters::default();
        let text = format!("{{}}{}", " ".repeat(TEXT_BYTES_MAX));
        assert!(!Arc::ptr_eq(&filters.compile(&text).unwrap(), &filters.compile(&text).unwrap()));
    }
}
