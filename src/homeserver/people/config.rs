//! The section `[user_directory]` of the configuration.

use crate::settings;

settings! {
    /// Finding people by their names.
    pub struct PeopleConfig {
        /// Whether all users of this server are found by everybody. Otherwise a user finds those with whom they share a
        /// room, and those who are in a room that is open to everybody.
        pub search_all_users: bool = false,
    }
}
