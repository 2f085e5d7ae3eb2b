//! The section `[search]` of the configuration.

use crate::settings;

settings! {
    /// Finding messages by their words.
    pub struct SearchConfig {
        /// Whether messages can be searched. Switched off, nothing new is indexed; switched on again, the index catches up.
        pub enabled: bool = true,
    }
}
