//! Whether rows and files agree, for the operator's `hearth check`.

use std::collections::HashSet;

use hearth_storage::schema::media::{FileUses, MediaItems, MediaState, Thumbnails};
use hearth_storage::{Page, ScanBy, Table};

use super::error::MediaError;
use super::handle::Media;
use super::shelf::FileHash;

/// Rows of one read.
const ROWS_MAX: usize = 1_000;

/// How many findings are told.
const FINDINGS_MAX: usize = 1_000;

impl Media {
    /// What is wrong, a line each: items and thumbnails without their file, uses of nothing, and files that nobody
    /// uses and nobody works with. Reads every row of media and every name on the shelf.
    pub async fn check(&self) -> Result<Vec<String>, MediaError> {
        // In this order: what comes onto the shelf meanwhile has a claim, until it has a use.
        let files: HashSet<FileHash> = self.0.shelf.list().await?.into_iter().collect();
        let claimed = self.0.inbox.list_claimed().await?;
        let used: HashSet<FileHash> =
            self.list_rows::<FileUses>().await?.into_iter().map(|(key, ())| FileHash(key.0)).collect();
        let mut findings = Vec::new();
        for (key, item) in self.list_rows::<MediaItems>().await? {
            if let MediaState::Stored(stored) = item.state
                && !files.contains(&FileHash(stored.hash))
                && self.is_missing(&key, stored.hash).await?
            {
                findings.push(format!("mxc://{key}: its file {} is missing", FileHash(stored.hash).hex()));
            }
        }
        for ((key, name), thumbnail) in self.list_rows::<Thumbnails>().await? {
            if !files.contains(&FileHash(thumbnail.hash)) && self.is_missing(&key, thumbnail.hash).await? {
                findings.push(format!("mxc://{key}: the file of the thumbnail {name} is missing"));
            }
        }
        for file in files.into_iter().filter(|file| !used.contains(file) && !claimed.contains(file)) {
            if self.0.shelf.open(file).await?.is_some() {
                findings.push(format!("the file {} is of no use", file.hex()));
            }
        }
        findings.truncate(FINDINGS_MAX);
        Ok(findings)
    }

    /// Looks again: the file may have come since, or the item gone.
    async fn is_missing(&self, key: &String, hash: [u8; 32]) -> Result<bool, MediaError> {
        let is_there = self.0.shelf.open(FileHash(hash)).await?.is_some();
        let item = self.load_item(key).await?;
        Ok(!is_there && item.is_some_and(|item| matches!(item.state, MediaState::Stored(_))))
    }

    async fn list_rows<T>(&self) -> Result<Vec<(T::Key, T::Value)>, MediaError>
    where
        T: Table + ScanBy<()>,
        T::Key: Clone,
    {
        let mut rows = Vec::new();
        let mut page = Page::first(ROWS_MAX);
        loop {
            let found = self.0.env.store.scan::<T, ()>(&(), page.clone()).await?;
            rows.extend(found.rows);
            match rows.last() {
                Some((last, _)) if found.more => page = page.behind(last.clone()),
                _ => return Ok(rows),
            }
        }
    }
}
