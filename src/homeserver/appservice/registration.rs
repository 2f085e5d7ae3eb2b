//! What the operator has written down of one application service (Application Service API, "Registration").

use std::sync::Arc;

use regex::Regex;
use ruma::api::appservice::{Namespace, Registration};
use ruma::{OwnedUserId, RoomAliasId, ServerName, UserId};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Why a registration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadRegistration {
    /// `as_token` or `hs_token` is empty.
    #[error("application service {0}: a token is empty")]
    EmptyToken(String),
    /// The id is empty, or another service has it.
    #[error("two application services have the id {0:?}, or it is empty")]
    SameId(String),
    /// Another service has the same `as_token`.
    #[error("application service {0}: another one has the same as_token")]
    SameToken(String),
    /// `sender_localpart` makes no user id.
    #[error("application service {0}: the sender_localpart is no localpart of a user")]
    Sender(String),
    /// A namespace is not a regular expression.
    #[error("application service {id}: the namespace {regex} is not a regular expression: {reason}")]
    Namespace {
        /// The service.
        id: String,
        /// The text.
        regex: String,
        /// Where it breaks.
        reason: String,
    },
}

/// An application service, ready to be asked.
pub struct Service {
    /// Its name among the services of this server.
    pub id: Arc<str>,
    /// The user that it is when it names nobody.
    pub sender: OwnedUserId,
    /// Whether the limits of rate hold for it.
    pub is_rate_limited: bool,
    /// SHA-256 of the token by which it is known.
    pub(super) token_hash: [u8; 32],
    users: Vec<Pattern>,
    aliases: Vec<Pattern>,
}

struct Pattern {
    is_exclusive: bool,
    regex: Regex,
}

impl Service {
    /// Checks a registration, and makes its patterns ready.
    pub fn new(registration: &Registration, server: &ServerName) -> Result<Self, BadRegistration> {
        let id = &registration.id;
        if registration.as_token.trim().is_empty() || registration.hs_token.trim().is_empty() {
            return Err(BadRegistration::EmptyToken(id.clone()));
        }
        let sender = UserId::parse(format!("@{}:{server}", registration.sender_localpart));
        Ok(Self {
            id: id.as_str().into(),
            sender: sender.map_err(|_| BadRegistration::Sender(id.clone()))?,
            is_rate_limited: registration.rate_limited.unwrap_or(true),
            token_hash: Sha256::digest(registration.as_token.as_bytes()).into(),
            users: build_patterns(id, &registration.namespaces.users)?,
            aliases: build_patterns(id, &registration.namespaces.aliases)?,
        })
    }

    /// Whether a user of this server is one of the service's.
    pub fn owns_user(&self, user: &UserId) -> bool {
        user == self.sender || self.users.iter().any(|pattern| pattern.regex.is_match(user.as_str()))
    }

    /// Whether nobody else may have this user.
    pub fn claims_user(&self, user: &UserId) -> bool {
        user == self.sender || is_claimed(&self.users, user.as_str())
    }

    /// Whether an alias of this server is one of the service's.
    pub fn owns_alias(&self, alias: &RoomAliasId) -> bool {
        self.aliases.iter().any(|pattern| pattern.regex.is_match(alias.as_str()))
    }

    /// Whether nobody else may make this alias.
    pub fn claims_alias(&self, alias: &RoomAliasId) -> bool {
        is_claimed(&self.aliases, alias.as_str())
    }
}

fn is_claimed(patterns: &[Pattern], text: &str) -> bool {
    patterns.iter().any(|pattern| pattern.is_exclusive && pattern.regex.is_match(text))
}

/// Patterns hold from the beginning of a text, as bridges expect.
fn build_patterns(id: &str, namespaces: &[Namespace]) -> Result<Vec<Pattern>, BadRegistration> {
    let build = |namespace: &Namespace| {
        let regex = Regex::new(&format!("^(?:{})", namespace.regex)).map_err(|error| BadRegistration::Namespace {
            id: id.to_owned(),
            regex: namespace.regex.clone(),
            reason: error.to_string(),
        })?;
        Ok(Pattern { is_exclusive: namespace.exclusive, regex })
    };
    namespaces.iter().map(build).collect()
}
