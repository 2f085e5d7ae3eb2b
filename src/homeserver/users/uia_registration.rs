//! Who may make an account: the stages of registration (C-S API, `POST /register`), and what a session that has made
//! one answers when the same request comes again.
//!
//! Clients send a request again when its answer was lost, and some send it twice at once. The second one gets a session
//! of the same account, not the news that the name is taken: but only for a few minutes, of the same session, for the
//! same request, with the password that the account has.

use std::time::Duration;

use hearth_protocol::UserKey;
use hearth_storage::Txn;
use hearth_storage::schema::accounts::{RegisteredSession, RegisteredSessions};
use hearth_storage::schema::users::Accounts;
use ruma::{OwnedUserId, UserId};
use sha2::{Digest as _, Sha256};

use super::config::Registration;
use super::handle::Users;
use super::localpart::build_user_id;
use super::login::LoginError;
use super::register::{RegisterError, RegisterRequest, Registered};
use super::uia::{Asking, Auth, DUMMY, REGISTRATION_TOKEN, TERMS, UiaError, UiaOutcome};
use super::uia_session::{UiaSessionId, build_purpose, session_row};

/// How long a registration that has come through is answered again.
const REPEAT_MAX: Duration = Duration::from_secs(5 * 60);

/// Proves that somebody may register now.
#[derive(Clone, Debug)]
pub struct RegistrationPassed {
    pub(super) session: UiaSessionId,
    pub(super) registration_token: Option<String>,
    pub(super) has_row: bool,
}

impl Users {
    /// The stages of registration (C-S API, `POST /register`).
    pub async fn check_registration_auth(
        &self,
        auth: Option<&Auth>,
    ) -> Result<UiaOutcome<RegistrationPassed>, UiaError> {
        let asking = self.registration_asking()?;
        Ok(match self.check_auth(&asking, auth).await? {
            UiaOutcome::Challenge(challenge) => UiaOutcome::Challenge(challenge),
            UiaOutcome::Passed(progress) => UiaOutcome::Passed(RegistrationPassed {
                session: progress.session,
                registration_token: progress.now.registration_token,
                has_row: progress.row.is_some(),
            }),
        })
    }

    /// What registration asks for.
    pub(super) fn registration_asking(&self) -> Result<Asking<'static>, UiaError> {
        let mut flow = match self.0.config.registration {
            Registration::Closed => return Err(UiaError::RegistrationClosed),
            Registration::Token => vec![REGISTRATION_TOKEN],
            Registration::Open => vec![],
        };
        if self.0.config.terms_required {
            flow.push(TERMS);
        }
        if flow.is_empty() {
            flow.push(DUMMY);
        }
        Ok(Asking { flows: vec![flow], purpose: registration_purpose(), user: None })
    }

    /// The account that this very request has made already, with a new session of it; none when it has not.
    ///
    /// # Errors
    /// When the account cannot be logged in to.
    pub async fn repeat_registration(
        &self,
        auth: &Auth,
        request: &RegisterRequest,
    ) -> Result<Option<Registered>, RegisterError> {
        let purpose = registration_purpose();
        let session = auth.session.as_deref();
        let session = session.and_then(|id| UiaSessionId::decode(id, &self.0.uia_secret, &purpose, self.now_ms()));
        match session {
            Some(session) => self.repeat_session(session, request).await,
            None => Ok(None),
        }
    }

    pub(super) async fn repeat_session(
        &self,
        session: UiaSessionId,
        request: &RegisterRequest,
    ) -> Result<Option<Registered>, RegisterError> {
        let Some(password) = &request.password else { return Ok(None) };
        let made = self.load_made(session, request).await?;
        let made = made.filter(|made| self.now_ms() < made.expires_ms && made.request == hash_request(request));
        let Some(user_id) = made.and_then(|made| OwnedUserId::try_from(made.user_id).ok()) else { return Ok(None) };
        let account = match self.require_password(user_id.as_str(), password.clone()).await {
            Ok((_, account)) if !account.is_locked => account,
            Ok(_) | Err(LoginError::Forbidden | LoginError::Locked) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let session = match request.device.clone() {
            Some(device) => Some(self.open_session(&user_id, account, device, |_| ()).await?),
            None => None,
        };
        Ok(Some(Registered { user_id, session }))
    }

    /// What a session has led to. It lies in another lane than the account that was made, and may be there a moment later.
    async fn load_made(
        &self,
        session: UiaSessionId,
        request: &RegisterRequest,
    ) -> Result<Option<RegisteredSession>, RegisterError> {
        let (store, row) = (&self.0.env.store, session_row(session.nonce));
        if let Some(made) = store.get::<RegisteredSessions>(&row).await? {
            return Ok(Some(made));
        }
        let Some(name) = request.username.as_deref() else { return Ok(None) };
        let Ok(user_id) = build_user_id(name, self.server_name()) else { return Ok(None) };
        let user = UserKey::of(&user_id);
        if store.get::<Accounts>(&user).await?.is_none() {
            return Ok(None);
        }
        let lane = store.lane_of(&user.0);
        if !store.wait_applied(lane, store.head(lane)).await {
            return Ok(None);
        }
        Ok(store.get::<RegisteredSessions>(&row).await?)
    }

    /// Notes, in the commit that makes an account, what its session led to.
    pub(super) fn build_registered(&self, user: &UserId, request: &RegisterRequest, by: UiaSessionId) -> MadeBy {
        let repeat_ms_max = u64::try_from(REPEAT_MAX.as_millis()).unwrap_or(u64::MAX);
        let expires_ms = by.expires_ms.min(self.now_ms().saturating_add(repeat_ms_max));
        let row = RegisteredSession { user_id: user.to_string(), request: hash_request(request), expires_ms };
        MadeBy { key: session_row(by.nonce), row }
    }
}

/// What a session led to.
pub(super) struct MadeBy {
    key: (u8, [u8; 16]),
    row: RegisteredSession,
}

impl MadeBy {
    pub(super) fn put(&self, txn: &mut Txn) {
        txn.outbox_put::<RegisteredSessions>(&self.key, &self.row);
    }
}

fn registration_purpose() -> [u8; 32] {
    build_purpose("register", "/register", None)
}

/// Tells requests apart by all that they ask for but the password, which only its slow hash may stand for.
fn hash_request(request: &RegisterRequest) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |part: Option<&str>| match part {
        Some(part) => {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        None => hash.update(u64::MAX.to_be_bytes()),
    };
    add(request.username.as_deref());
    if let Some(device) = &request.device {
        add(device.device_id.as_ref().map(|id| id.as_str()));
        add(device.display_name.as_deref());
        add(device.can_refresh.then_some("refresh"));
    }
    hash.finalize().into()
}

#[cfg(test)]
#[path = "uia_registration_tests.rs"]
mod tests;
