//! The configuration: what can be set, where it comes from, and the manual made from it.
//!
//! A later source overrides an earlier one, key by key: defaults, the TOML file, the environment
//! (`HEARTH_SECTION__KEY`), flags of the command line. Every source is checked against the declared sections
//! before anything is read from it, and all problems are reported at once.
//!
//! Nothing outside this folder reads a configuration file or the environment.

mod check;
mod manual;
mod nearest;
mod sections;
mod sources;

pub use check::Problem;
pub use manual::{example_file, manual_page};
pub use sections::{
    Durability, ListenersConfig, LogFormat, LoggingConfig, MetricsConfig, ServerConfig, StorageConfig, TlsConfig,
    WebConfig,
};
pub use sources::{ConfigError, Sources};

use hearth_api::{ApiConfig, RateLimitConfig, SocketConfig};
use hearth_homeserver::media::{MediaConfig, UrlPreviewConfig};
use hearth_homeserver::outbound::OutboundConfig;
use hearth_homeserver::people::PeopleConfig;
use hearth_homeserver::rooms::RoomsConfig;
use hearth_homeserver::search::SearchConfig;
use hearth_homeserver::settings::{Section, SettingDoc};
use hearth_homeserver::turn::TurnConfig;
use hearth_homeserver::users::UsersConfig;

/// A section with its place in the file.
#[derive(Clone, Debug)]
pub struct SectionDoc {
    /// Its name: the table in the file.
    pub name: &'static str,
    /// The lines of its doc comment.
    pub about: &'static [&'static str],
    /// Its settings.
    pub settings: Vec<SettingDoc>,
}

macro_rules! sections {
    ($($(#[doc = $doc:expr])* $name:ident: $section:ty),* $(,)?) => {
        /// Everything that can be configured, one field a section.
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Config {
            $($(#[doc = $doc])* pub $name: $section,)*
        }

        /// All sections, in the order in which the manual shows them.
        pub fn list_sections() -> Vec<SectionDoc> {
            vec![$(SectionDoc {
                name: stringify!($name),
                about: <$section as Section>::ABOUT,
                settings: <$section as Section>::list_settings(),
            }),*]
        }
    };
}

sections! {
    /// Who this server is.
    server: ServerConfig,
    /// Where it is reached.
    listeners: ListenersConfig,
    /// Its certificate.
    tls: TlsConfig,
    /// What clients are told.
    api: ApiConfig,
    /// How they are told at once.
    websocket: SocketConfig,
    /// How often they may do something.
    rate_limits: RateLimitConfig,
    /// Accounts.
    users: UsersConfig,
    /// Files.
    media: MediaConfig,
    /// Previews of web pages.
    url_previews: UrlPreviewConfig,
    /// Requests to others.
    outbound: OutboundConfig,
    /// Rooms.
    rooms: RoomsConfig,
    /// Finding messages.
    search: SearchConfig,
    /// Finding people.
    user_directory: PeopleConfig,
    /// Its TURN servers.
    turn: TurnConfig,
    /// What browsers see.
    web: WebConfig,
    /// Its database.
    storage: StorageConfig,
    /// Its logs.
    logging: LoggingConfig,
    /// Its figures.
    metrics: MetricsConfig,
}
