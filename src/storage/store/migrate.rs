//! The schema's number, and the steps from an older one.
//!
//! A step moves the rows of one schema to the next and may be run twice: after a crash it starts
//! again. Values that only gain a version need no step; they are upgraded on read.

use futures_util::future::BoxFuture;

use super::{Store, read::address, read::decode_value};
use crate::{error::StorageError, schema::meta::About, table::Table};

/// The schema that this program writes.
pub(super) const SCHEMA: u32 = 1;

/// Every step, in order.
pub(super) const MIGRATIONS: &[Migration] = &[];

/// A step from schema `from` to `from + 1`.
pub(super) struct Migration {
    pub from: u32,
    pub name: &'static str,
    pub run: for<'a> fn(&'a Store) -> BoxFuture<'a, Result<(), StorageError>>,
}

impl Store {
    /// Runs the steps that lead from the database's schema to `schema`, each followed by a commit
    /// of its number.
    pub(super) async fn migrate(&self, schema: u32, migrations: &[Migration]) -> Result<(), StorageError> {
        for at in self.0.database.schema..schema {
            let Some(step) = migrations.iter().find(|step| step.from == at) else {
                return Err(StorageError::Refused(format!("this program cannot migrate from schema {at}")));
            };
            tracing::info!(step = step.name, from = at, "migrating the database");
            (step.run)(self).await?;
            let about = address::<About>(&());
            let row = self.load_raw(About::PROFILE, about.clone()).await?.ok_or(StorageError::Down)?;
            let mut database = decode_value::<About>(&about, &row)?;
            database.schema = at + 1;
            let mut txn = self.txn();
            txn.put::<About>(&(), &database);
            self.submit(txn.finish()?).await?;
        }
        Ok(())
    }
}
