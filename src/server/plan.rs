//! The configuration with its texts understood: addresses, names, permissions.
//!
//! What is wrong is found here, before anything is opened; `hearth config check` is this and no more.

use ruma::OwnedServerName;
use tracing_subscriber::EnvFilter;

use crate::appservices::{AppServicesError, load_appservices};
use crate::config::Config;
use crate::listeners::{Address, Certificate, TlsError};

/// A setting whose form is right, and whose meaning is not.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// No server name.
    #[error("server.name is not set: give it in the configuration file, by HEARTH_SERVER__NAME, or by --server-name")]
    NoServerName,
    /// The server name breaks the grammar.
    #[error("server.name: {0} is not a server name")]
    BadServerName(String),
    /// An address is not understood.
    #[error("{setting}: {text} is not an address: expected IP:PORT, localhost:PORT or unix:PATH")]
    BadAddress {
        /// The setting.
        setting: &'static str,
        /// What it says.
        text: String,
    },
    /// There is nothing to listen on.
    #[error("listeners.addresses and listeners.tls_addresses are both empty: nobody could reach the server")]
    NoAddress,
    /// The permissions are not octal.
    #[error("listeners.unix_mode: {0} is not an octal number such as 660")]
    BadMode(String),
    /// The log filter is not understood.
    #[error("logging.filter: {0}")]
    BadFilter(String),
    /// Rooms cannot be made in this version.
    #[error("rooms.default_version: {0} is not a room version that this server knows")]
    BadRoomVersion(String),
    /// A rule of the directory or of aliases is not understood.
    #[error("{setting}: {error}")]
    BadRule {
        /// The setting.
        setting: &'static str,
        /// What is wrong.
        error: hearth_homeserver::rooms::BadRule,
    },
    /// A document for new users is not understood.
    #[error("users.policies: {0}")]
    BadPolicy(#[from] hearth_homeserver::users::BadPolicy),
    /// A Matrix id is none.
    #[error("{setting}: {text} is not a Matrix id such as @name:example.org")]
    BadUserId {
        /// The setting.
        setting: &'static str,
        /// What it says.
        text: String,
    },
    /// The key of the policy server is no base64.
    #[error("api.policy_server_key: {0} is not a public key in base64")]
    BadPolicyKey(String),
    /// A registration of an application service cannot be used.
    #[error(transparent)]
    AppServices(#[from] AppServicesError),
    /// The path of the web UI is no path, or one that belongs to Matrix.
    #[error("web.path: {0} is not a path such as /chat, of letters, digits and -._~, outside of /_matrix")]
    BadWebPath(String),
    /// There is no usable certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What `hearth serve` is going to do.
#[derive(Debug)]
pub struct Plan {
    /// Who it is.
    pub server_name: OwnedServerName,
    /// Where it listens without TLS.
    pub addresses: Vec<Address>,
    /// Where it listens with TLS.
    pub tls_addresses: Vec<Address>,
    /// Its certificate, if it needs one.
    pub certificate: Option<Certificate>,
    /// Where its figures are.
    pub metrics_address: Option<Address>,
    /// Permissions of Unix sockets.
    pub unix_mode: u32,
}

impl Plan {
    /// Understands the configuration, and loads the certificate.
    ///
    /// # Errors
    ///
    /// The first setting that cannot be used.
    pub fn of(config: &Config) -> Result<Self, PlanError> {
        let listeners = &config.listeners;
        let addresses = parse_addresses("listeners.addresses", &listeners.addresses)?;
        let tls_addresses = parse_addresses("listeners.tls_addresses", &listeners.tls_addresses)?;
        if addresses.is_empty() && tls_addresses.is_empty() {
            return Err(PlanError::NoAddress);
        }
        let certificate = if tls_addresses.is_empty() { None } else { Some(Certificate::load(&config.tls)?) };
        let metrics_address = parse_addresses("metrics.address", config.metrics.address.as_slice())?.pop();
        let unix_mode = u32::from_str_radix(&listeners.unix_mode, 8).ok().filter(|mode| *mode <= 0o777);
        let unix_mode = unix_mode.ok_or_else(|| PlanError::BadMode(listeners.unix_mode.clone()))?;
        EnvFilter::builder().parse(&config.logging.filter).map_err(|error| PlanError::BadFilter(error.to_string()))?;
        if hearth_protocol::rules_of(&config.rooms.default_version).is_none() {
            return Err(PlanError::BadRoomVersion(config.rooms.default_version.to_string()));
        }
        check_rules("rooms.listing_rules", &config.rooms.listing_rules)?;
        check_rules("rooms.alias_rules", &config.rooms.alias_rules)?;
        hearth_homeserver::users::parse_policies(&config.users.policies)?;
        check_texts(config)?;
        if !is_web_path(&config.web.path) {
            return Err(PlanError::BadWebPath(config.web.path.clone()));
        }
        let server_name = require_server_name(config)?;
        load_appservices(&config.server.appservices, &server_name)?;
        Ok(Self { server_name, addresses, tls_addresses, certificate, metrics_address, unix_mode })
    }

    /// Whether anyone beyond this machine can reach it.
    pub fn is_public(&self) -> bool {
        self.addresses.iter().chain(&self.tls_addresses).any(|address| !address.is_local())
    }
}

/// The server name, which every command on a database needs.
///
/// # Errors
///
/// When it is not set, or breaks the grammar.
pub fn require_server_name(config: &Config) -> Result<OwnedServerName, PlanError> {
    let name = config.server.name.as_deref().ok_or(PlanError::NoServerName)?;
    ruma::ServerName::parse(name).map_err(|_| PlanError::BadServerName(name.to_owned()))
}

/// Texts that are told to clients as they are.
fn check_texts(config: &Config) -> Result<(), PlanError> {
    let ids = [
        ("api.admin_matrix_id", &config.api.admin_matrix_id),
        ("api.security_matrix_id", &config.api.security_matrix_id),
    ];
    for (setting, text) in ids {
        if let Some(text) = text.as_ref().filter(|text| ruma::UserId::parse(text.as_str()).is_err()) {
            return Err(PlanError::BadUserId { setting, text: text.clone() });
        }
    }
    let key = config.api.policy_server_key.as_ref();
    match key.filter(|key| ruma::serde::Base64::<ruma::serde::base64::Standard>::parse(key.as_str()).is_err()) {
        Some(key) => Err(PlanError::BadPolicyKey(key.clone())),
        None => Ok(()),
    }
}

/// A path that no endpoint of Matrix has, in characters that mean themselves in addresses and routes.
fn is_web_path(path: &str) -> bool {
    let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte));
    let first = path.trim_matches('/').split('/').next().unwrap_or_default();
    plain && !path.contains("//") && !path.contains("..") && !["_matrix", ".well-known", "_synapse"].contains(&first)
}

fn parse_addresses(setting: &'static str, texts: &[String]) -> Result<Vec<Address>, PlanError> {
    let parse =
        |text: &String| Address::parse(text).ok_or_else(|| PlanError::BadAddress { setting, text: text.clone() });
    texts.iter().map(parse).collect()
}

fn check_rules(setting: &'static str, lines: &[String]) -> Result<(), PlanError> {
    hearth_homeserver::rooms::PublicationRules::parse(lines)
        .map(|_| ())
        .map_err(|error| PlanError::BadRule { setting, error })
}

#[cfg(test)]
mod tests {
    use super::{Plan, PlanError};
    use crate::config::Sources;

    fn plan(flags: &[(&str, &str)]) -> Result<Plan, PlanError> {
        let flags = flags.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
        Plan::of(&Sources { flags, ..Sources::default() }.load().unwrap())
    }

    const NAME: (&str, &str) = ("server.name", "h.example");

    #[test]
    fn only_the_server_name_is_required() {
        let plan_made = plan(&[NAME]).unwrap();
        assert_eq!(plan_made.server_name, "h.example");
        assert!(!plan_made.is_public());
        assert!(matches!(plan(&[]), Err(PlanError::NoServerName)));
    }

    #[test]
    fn unusable_settings_are_named() {
        for (path, value) in [
            ("server.name", "not a name"),
            ("listeners.addresses", "8008"),
            ("listeners.addresses", ""),
            ("listeners.tls_addresses", "0.0.0.0:8448"),
            ("listeners.unix_mode", "rw"),
            ("listeners.unix_mode", "7777"),
            ("metrics.address", "nine"),
            ("logging.filter", "info,=!"),
            ("rooms.default_version", "twelve"),
            ("rooms.listing_rules", "allow who=@a:b"),
            ("rooms.alias_rules", "permit"),
            ("api.admin_matrix_id", "alice"),
            ("api.security_matrix_id", "@alice"),
            ("api.policy_server_key", "?"),
            ("users.policies", "privacy 1 en"),
            ("server.appservices", "/nonexistent/irc.yaml"),
            ("web.path", "/_matrix/chat"),
            ("web.path", "/{chat}"),
        ] {
            let error = plan(&[NAME, (path, value)]).unwrap_err().to_string();
            let named = [path.split('.').next().unwrap(), value];
            assert!(named.iter().any(|name| error.contains(name)), "{path}={value}: {error}");
        }
    }

    #[test]
    fn one_address_beyond_this_machine_makes_it_public() {
        assert!(plan(&[NAME, ("listeners.addresses", "127.0.0.1:1,0.0.0.0:2")]).unwrap().is_public());
        assert!(!plan(&[NAME, ("listeners.addresses", "[::1]:1,unix:/run/h")]).unwrap().is_public());
    }
}
