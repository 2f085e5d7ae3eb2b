//! Every table, one file a domain, and the list of them all.
//!
//! To add a table: write the type in its domain's file, add its line to the list below, and renew
//! `schema.snap` (the test says how). Numbers: 1–99 storage, 100–199 users, 200–299 rooms and the log,
//! 300–399 receipts and other per-room facts, 400–499 end-to-end encryption, 500–599 media,
//! 600–699 push, 700–799 federation, 800–899 application services, 900–999 sync and administration.
//! A number is never used again (210 was the relations of events, by arrival). Values are plain data; nothing here must read or write.

pub mod accounts;
pub mod changes;
pub mod directory;
pub mod log;
pub mod media;
pub mod membership;
pub mod meta;
pub mod people;
pub mod receipts;
pub mod relations;
pub mod rooms;
pub mod search;
pub mod threads;
pub mod users;

/// Makes the registry out of the list of tables.
macro_rules! tables {
    ($($table:path),* $(,)?) => {
        /// Every table, in the order of the list.
        #[must_use]
        pub fn registry() -> Vec<crate::table::TableInfo> {
            vec![$(crate::table::TableInfo::of::<$table>()),*]
        }
    };
}

tables![
    // storage
    meta::LaneHeads,
    meta::About,
    meta::Outbox,
    meta::Applied,
    meta::Chunks,
    // users
    users::Accounts,
    users::Devices,
    accounts::DeviceSightings,
    users::AccessTokens,
    users::UiaSessions,
    users::RegistrationTokens,
    users::RegistrationTokenUses,
    users::Profiles,
    users::AccountDataIndex,
    users::AccountDataLog,
    users::Filters,
    users::UserTotals,
    users::UserRooms,
    accounts::RefreshTokens,
    accounts::LoginTokens,
    accounts::OpenIdTokens,
    accounts::RegisteredSessions,
    accounts::DeparturesDue,
    accounts::Reports,
    accounts::NoticeRooms,
    // rooms
    rooms::RoomHeads,
    rooms::Events,
    rooms::EventNums,
    rooms::Arrival,
    rooms::History,
    rooms::EventTimes,
    rooms::StateKeys,
    rooms::StateSets,
    rooms::ChainEvents,
    rooms::Memberships,
    rooms::Transactions,
    rooms::TransactionTimes,
    rooms::Redactions,
    // what relates to what
    relations::RelationsByType,
    relations::RelationsByHistory,
    relations::RelationsBySender,
    relations::RelationTotals,
    relations::Threads,
    // names and the directory
    directory::RoomAliases,
    directory::AliasesOfRoom,
    directory::ListedRooms,
    directory::RoomUpgrades,
    // people
    people::RoomPeople,
    people::RoomPersons,
    people::PeopleRooms,
    people::OpenRooms,
    people::People,
    people::PeopleWords,
    people::LocalNames,
    // search
    search::SearchPostings,
    search::SearchWords,
    search::SearchedEvents,
    // the log
    log::OutputLog,
    log::FollowerPositions,
    log::ErasuresDue,
    // receipts and other changes
    receipts::Receipts,
    receipts::ReceiptChanges,
    receipts::ReceiptHeads,
    changes::ChangeLog,
    // threads, delayed events
    threads::ThreadSubscriptions,
    threads::DelayedEvents,
    threads::DelayedEventsDue,
    // media
    media::MediaItems,
    media::Uploads,
    media::PendingUploads,
    media::UploadTotals,
    media::FileUses,
    media::Thumbnails,
    media::UrlPreviews,
];

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod snapshot_tests;
