//! All application services of this server.

use std::collections::HashMap;
use std::sync::Arc;

use ahash::RandomState;
use ruma::api::appservice::Registration;
use ruma::{RoomAliasId, ServerName, UserId};
use sha2::{Digest as _, Sha256};

use super::registration::{BadRegistration, Service};
use crate::users::ExclusiveNames;

/// The services; cheap to clone.
#[derive(Clone, Default)]
pub struct AppServices(Arc<Inner>);

#[derive(Default)]
struct Inner {
    services: Vec<Arc<Service>>,
    /// By the hash of their token, so that looking one up tells nothing of the others.
    by_token: HashMap<[u8; 32], Arc<Service>, RandomState>,
}

impl AppServices {
    /// Takes the registrations over.
    pub fn new(registrations: &[Registration], server: &ServerName) -> Result<Self, BadRegistration> {
        let mut inner = Inner::default();
        for registration in registrations {
            let service = Arc::new(Service::new(registration, server)?);
            let id = registration.id.clone();
            if id.is_empty() || inner.services.iter().any(|other| other.id == service.id) {
                return Err(BadRegistration::SameId(id));
            }
            if inner.by_token.insert(service.token_hash, Arc::clone(&service)).is_some() {
                return Err(BadRegistration::SameToken(id));
            }
            inner.services.push(service);
        }
        Ok(Self(Arc::new(inner)))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.services.is_empty()
    }

    /// The service that has this token.
    pub fn find_by_token(&self, token: &str) -> Option<Arc<Service>> {
        if self.is_empty() {
            return None;
        }
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        self.0.by_token.get(&hash).cloned()
    }

    /// Whether a service other than `but` has claimed the user for itself alone.
    pub fn is_claimed_by_others(&self, user: &UserId, but: &Service) -> bool {
        self.0.services.iter().any(|service| service.id != but.id && service.claims_user(user))
    }
}

impl ExclusiveNames for AppServices {
    fn is_exclusive(&self, user: &UserId) -> bool {
        self.0.services.iter().any(|service| service.claims_user(user))
    }

    fn may_make_alias(&self, alias: &RoomAliasId, service: Option<&str>) -> bool {
        let is_own = |other: &Service| service == Some(&*other.id);
        let is_claimed = self.0.services.iter().any(|other| !is_own(other) && other.claims_alias(alias));
        !is_claimed && service.is_none_or(|service| self.owns_alias(alias, service))
    }

    fn owns_alias(&self, alias: &RoomAliasId, service: &str) -> bool {
        self.0.services.iter().any(|other| &*other.id == service && other.owns_alias(alias))
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
