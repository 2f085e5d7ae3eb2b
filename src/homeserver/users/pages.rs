//! Reading many rows of a prefix page by page, with a ceiling.

use hearth_storage::{Key, Page, Placed, ScanBy, StorageError, Store};

/// Rows of one read.
const PAGE_ROWS: usize = 1_000;

/// The rows of a prefix in the order of their keys, `rows_max` at most.
pub(super) async fn scan_all<T, P>(
    store: &Store,
    prefix: &P,
    rows_max: usize,
) -> Result<Vec<(T::Key, T::Value)>, StorageError>
where
    T: ScanBy<P>,
    T::Key: Clone,
    P: Key + Placed,
{
    scan_pages::<T, P>(store, prefix, Page::first(PAGE_ROWS), rows_max).await
}

/// The rows of a prefix from where `page` begins to where it ends, `rows_max` at most.
pub(super) async fn scan_pages<T, P>(
    store: &Store,
    prefix: &P,
    mut page: Page<T::Key>,
    rows_max: usize,
) -> Result<Vec<(T::Key, T::Value)>, StorageError>
where
    T: ScanBy<P>,
    T::Key: Clone,
    P: Key + Placed,
{
    let mut rows = Vec::new();
    loop {
        page.limit = PAGE_ROWS.min(rows_max - rows.len());
        let found = store.scan::<T, P>(prefix, page.clone()).await?;
        rows.extend(found.rows);
        match rows.last() {
            Some((last, _)) if found.more && rows.len() < rows_max => page = page.behind(last.clone()),
            _ => return Ok(rows),
        }
    }
}
