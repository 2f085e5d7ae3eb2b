//! The check of what is stored: every row decodes, and no position is ahead of its lane.

use std::collections::HashMap;

use hearth_protocol::{Lane, LanePos};

use super::{Store, read::hex};
use crate::{
    chunks::ChunkedHead,
    engine::{Range, limits::PAGE_ROWS_MAX},
    error::StorageError,
    schema::{
        meta::{Applied, LaneHead, LaneHeads, Outbox},
        registry,
    },
    table::{Profile, Table, TableInfo},
    value::Value,
};

/// Findings after which the check ends.
const FINDINGS_MAX: usize = 1_000;

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Name of the table; empty when no table has that number.
    pub table: &'static str,
    /// The key in hexadecimal, without the table's number.
    pub key: String,
    /// What is wrong.
    pub problem: String,
}

/// What rows are judged by.
struct Expected {
    tables: HashMap<u16, TableInfo>,
    heads: HashMap<Lane, LanePos>,
    /// A position in a key may be of another lane than the row: it must be below the greatest head.
    greatest: LanePos,
    lanes: u16,
}

impl Store {
    /// Reads every row and gives what is wrong, a thousand findings at most. May run beside
    /// writers: heads are read after the rows that they must cover.
    pub async fn check(&self) -> Result<Vec<Finding>, StorageError> {
        let mut findings = Vec::new();
        let mut expected = Expected {
            tables: registry().into_iter().map(|table| (table.number, table)).collect(),
            heads: HashMap::new(),
            greatest: LanePos(0),
            lanes: self.lanes(),
        };
        for profile in Profile::ALL {
            let mut range =
                Range { profile, from: Vec::new(), to: vec![u8::MAX; 4], limit: PAGE_ROWS_MAX, reverse: false };
            loop {
                let page = self.0.engine.scan(range.clone()).await?;
                expected.heads = self.load_heads().await?;
                expected.greatest = expected.heads.values().copied().max().unwrap_or_default();
                for (key, row) in &page.rows {
                    self.check_row(profile, key, row, &expected, &mut findings).await?;
                }
                match page.rows.last() {
                    Some((last, _)) if page.more && findings.len() < FINDINGS_MAX => {
                        range.from.clone_from(last);
                        range.from.push(0);
                    }
                    _ => break,
                }
            }
        }
        findings.truncate(FINDINGS_MAX);
        Ok(findings)
    }

    async fn check_row(
        &self,
        profile: Profile,
        key: &[u8],
        row: &[u8],
        expected: &Expected,
        findings: &mut Vec<Finding>,
    ) -> Result<(), StorageError> {
        let number = key.first_chunk::<2>().map_or(0, |number| u16::from_be_bytes(*number));
        let Some(table) = expected.tables.get(&number).filter(|table| table.profile == profile) else {
            let problem = format!("no table has number {number} and profile {}", profile.name());
            findings.push(Finding { table: "", key: hex(key), problem });
            return Ok(());
        };
        let mut whole = None;
        if let Some(head) = ChunkedHead::read(row).filter(|_| table.large) {
            whole = self.load_chunks(key, head).await?;
            if whole.is_none() && self.load_raw(profile, key.to_vec()).await?.as_deref() != Some(row) {
                // Written meanwhile.
                return Ok(());
            }
        }
        let value = whole.as_deref().unwrap_or(row);
        if let Some(problem) = judge(table, &key[2..], value, expected) {
            findings.push(Finding { table: table.name, key: hex(&key[2..]), problem });
        }
        Ok(())
    }

    async fn load_heads(&self) -> Result<HashMap<Lane, LanePos>, StorageError> {
        let lanes = (0..self.lanes()).map(Lane);
        let keys = lanes.clone().map(|lane| (LaneHeads::PROFILE, super::read::address::<LaneHeads>(&lane))).collect();
        let rows = self.0.engine.multi_get(keys).await?;
        Ok(lanes.zip(rows).filter_map(|(lane, row)| Some((lane, LaneHead::decode(&row?).ok()?.pos))).collect())
    }
}

fn judge(table: &TableInfo, key: &[u8], value: &[u8], expected: &Expected) -> Option<String> {
    let row = match (table.check_row)(key, value, expected.lanes) {
        Ok(row) => row,
        Err(error) => return Some(error.to_string()),
    };
    if row.lane.0 >= expected.lanes {
        return Some(format!("{:?} does not exist", row.lane));
    }
    let head = |lane: Lane| expected.heads.get(&lane).copied().unwrap_or_default();
    // A row of the outbox has a position of its own lane; an applied mark one of its source.
    let (pos, bound) = if table.number == Outbox::NUMBER {
        (row.pos, head(row.lane))
    } else if table.number == Applied::NUMBER {
        let source = key.get(2..4).and_then(|lane| lane.try_into().ok()).map(u16::from_be_bytes);
        (LanePos::decode(value).ok(), head(Lane(source.unwrap_or_default())))
    } else {
        (row.pos, expected.greatest)
    };
    pos.filter(|pos| *pos > bound).map(|pos| format!("position {pos:?} is ahead of its lane's head {bound:?}"))
}
