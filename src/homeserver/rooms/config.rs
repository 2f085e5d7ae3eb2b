//! The section `[rooms]` of the configuration.

use ruma::RoomVersionId;

use crate::settings;

settings! {
    /// Rooms, and how much of them is kept in memory.
    pub struct RoomsConfig {
        /// The version of rooms that name none (C-S API, `createRoom`).
        pub default_version: RoomVersionId = RoomVersionId::V12,
        /// Ceiling of the caches of rooms, in bytes. Memory is taken only as it is used.
        pub cache_bytes_max: u64 = 128 * 1024 * 1024,
        /// How long the original of a redacted event is kept, in milliseconds. Until then an administrator can look at it.
        pub redacted_kept_ms: u64 = 7 * 24 * 60 * 60 * 1_000,
        /// How long a client's transaction is remembered, in milliseconds: a repeated request within this time makes no
        /// second event.
        pub transactions_kept_ms: u64 = 14 * 24 * 60 * 60 * 1_000,
        /// How many commands may wait for one room; further ones are told to come back later.
        pub room_queue_max: usize = 1_000,
        /// Who may list which rooms in the public directory, in rules of the form
        /// `allow user=PATTERN alias=PATTERN room=PATTERN`, or `deny ..`, with any of the three conditions.
        /// In patterns `*` stands for any text and `?` for one character. The first rule whose conditions hold
        /// decides; without one nothing is listed. Beside this, the user needs the power over the room's
        /// canonical alias.
        pub listing_rules: Vec<String> = vec!["allow".to_owned()],
        /// Who may have which room alias, in rules of the same form.
        pub alias_rules: Vec<String> = vec!["allow".to_owned()],
    }
}
