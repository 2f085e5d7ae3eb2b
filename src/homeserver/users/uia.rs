//! User-interactive authentication: which stages an operation asks for, and how far a client has come
//! (C-S API, "User-Interactive Authentication API").
//!
//! A session is bound to its operation, path and user. What a client sends for a stage is judged and forgotten:
//! no password or other parameter of a request is ever kept.

use hearth_storage::schema::users::{UiaSession, UiaSessions};
use hearth_storage::{CommitError, StorageError};
use ruma::api::client::uiaa::AuthData;
use serde_json::{Value, json};
use thiserror::Error;

use super::error::StoreFailure;
use super::handle::Users;
use super::local_user::LocalUser;
use super::localpart::build_login_candidates;
use super::login::LoginError;
use super::password::PasswordFailure;
use super::registration_tokens::TokenUseError;
use super::terms::{build_terms_params, list_policies};
use super::uia_session::{UiaSessionId, build_purpose, session_row};

pub(super) const DUMMY: &str = "m.login.dummy";
pub(super) const TERMS: &str = "m.login.terms";
pub(super) const REGISTRATION_TOKEN: &str = "m.login.registration_token";
const PASSWORD: &str = "m.login.password";

/// The `auth` of a request.
#[derive(Clone)]
pub struct Auth {
    /// The session that it goes on with.
    pub session: Option<String>,
    /// The stage that it completes; none to ask whether all is done.
    pub stage: Option<Stage>,
}

/// A stage with what the client shows for it.
#[derive(Clone)]
pub enum Stage {
    /// `m.login.dummy`.
    Dummy,
    /// `m.login.terms`.
    Terms,
    /// `m.login.registration_token`.
    RegistrationToken(String),
    /// `m.login.password`.
    Password {
        /// User id or localpart.
        user: String,
        /// As typed.
        password: String,
    },
    /// A stage that this server does not have.
    Other(String),
}

impl Auth {
    /// Reads the `auth` of a request: with `identifier`, or with `user` as older clients send it. None when it is
    /// not an object, or a stage lacks what belongs to it.
    pub fn from_json(auth: &Value) -> Option<Self> {
        let auth = auth.as_object()?;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let stage = match auth.get("type").and_then(Value::as_str) {
            None => None,
            Some(DUMMY) => Some(Stage::Dummy),
            Some(TERMS) => Some(Stage::Terms),
            Some(REGISTRATION_TOKEN) => Some(Stage::RegistrationToken(text(auth.get("token"))?)),
            Some(PASSWORD) => {
                let user = match auth.get("identifier") {
                    Some(identifier) => text(identifier.get("user")),
                    None => text(auth.get("user")),
                };
                Some(Stage::Password { user: user?, password: text(auth.get("password"))? })
            }
            Some(other) => Some(Stage::Other(other.to_owned())),
        };
        Some(Self { session: text(auth.get("session")), stage })
    }

    /// The same from ruma's form.
    pub fn from_data(auth: &AuthData) -> Option<Self> {
        Self::from_json(&serde_json::to_value(auth).ok()?)
    }
}

/// Whether an operation may go on.
pub enum UiaOutcome<P> {
    /// Yes; the proof is what the operation asks for.
    Passed(P),
    /// Not yet: answer 401 with this.
    Challenge(UiaChallenge),
}

/// What a client still has to do.
#[derive(Clone, Debug, PartialEq)]
pub struct UiaChallenge {
    /// The ways to get through, each a list of stages.
    pub flows: Vec<Vec<&'static str>>,
    /// Stages that are done.
    pub completed: Vec<String>,
    /// Parameters of the stages, an object.
    pub params: Value,
    /// To be sent along from now on.
    pub session: String,
    /// Why the stage in this request was not completed.
    pub error: Option<StageError>,
}

/// Why a stage was not completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StageError {
    /// `M_FORBIDDEN`.
    #[error("wrong password")]
    WrongPassword,
    /// `M_UNAUTHORIZED`: unknown, expired or used up.
    #[error("the registration token is not valid")]
    BadRegistrationToken,
    /// `M_UNRECOGNIZED`: not a stage of this operation.
    #[error("this stage is not offered")]
    NotOffered,
    /// `M_UNAUTHORIZED`: unknown, expired, or begun for another request; the stage was not looked at.
    #[error("this session was not begun for this request, or has ended")]
    OtherSession,
}

/// Why the authentication could not go on at all.
#[derive(Debug, Error)]
pub enum UiaError {
    /// Nobody may register: `M_FORBIDDEN`.
    #[error("registration is closed")]
    RegistrationClosed,
    /// The password is of another user: 403 `M_FORBIDDEN`.
    #[error("authenticate as the user who makes the request")]
    OtherUser,
    /// Too many passwords wait to be compared.
    #[error(transparent)]
    Password(#[from] PasswordFailure),
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl From<StorageError> for UiaError {
    fn from(error: StorageError) -> Self {
        Self::Store(error.into())
    }
}

/// Proves that the caller has shown the password again.
#[derive(Clone, Copy, Debug)]
pub struct Reauthenticated(());

/// Who authenticates for what.
pub(super) struct Asking<'a> {
    pub(super) flows: Vec<Vec<&'static str>>,
    pub(super) purpose: [u8; 32],
    pub(super) user: Option<&'a LocalUser>,
}

/// Whether something may be stored of a session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    Possible,
    None,
}

/// How far a session has come.
pub(super) struct Progress {
    pub(super) session: UiaSessionId,
    pub(super) row: Option<UiaSession>,
    pub(super) now: UiaSession,
    /// The client named a session that is not good for this; `session` is a new one.
    is_replaced: bool,
}

impl Users {
    /// Passes one stage of a session and remembers it, whatever else is left.
    pub(super) async fn pass_stage(
        &self,
        asking: &Asking<'_>,
        stage: &Stage,
        session: &str,
    ) -> Result<Result<(), StageError>, UiaError> {
        let mut progress = self.load_progress(asking, Some(session), Row::Possible).await?;
        let checked = self.check_stage(asking, stage, &mut progress).await?;
        if checked.is_ok() && progress.row.as_ref() != Some(&progress.now) {
            self.record_progress(&progress).await?;
        }
        Ok(checked)
    }

    /// Asks a user who is logged in for the password again. `operation` and `path` are what the session is good for.
    pub async fn check_user_auth(
        &self,
        user: &LocalUser,
        operation: &str,
        path: &str,
        auth: Option<&Auth>,
    ) -> Result<UiaOutcome<Reauthenticated>, UiaError> {
        if user.service.is_some() {
            // Its token is as good as a password, and its users have none (Application Service API).
            return Ok(UiaOutcome::Passed(Reauthenticated(())));
        }
        let asking = Asking {
            flows: vec![vec![PASSWORD]],
            purpose: build_purpose(operation, path, Some(&user.key.0)),
            user: Some(user),
        };
        Ok(match self.check_auth(&asking, auth).await? {
            UiaOutcome::Challenge(challenge) => UiaOutcome::Challenge(challenge),
            UiaOutcome::Passed(_) => UiaOutcome::Passed(Reauthenticated(())),
        })
    }

    pub(super) async fn check_auth(
        &self,
        asking: &Asking<'_>,
        auth: Option<&Auth>,
    ) -> Result<UiaOutcome<Progress>, UiaError> {
        let stage = auth.and_then(|auth| auth.stage.as_ref());
        // A flow of one stage leaves no rows behind, unless the stage was passed on its page.
        let has_many = asking.flows.iter().any(|flow| flow.len() > 1);
        let row = if has_many || stage.is_none() { Row::Possible } else { Row::None };
        let mut progress = self.load_progress(asking, auth.and_then(|auth| auth.session.as_deref()), row).await?;
        let error = match stage {
            // A session is good for the request that it was begun for, whatever its stages are.
            _ if progress.is_replaced => Some(StageError::OtherSession),
            Some(stage) => self.check_stage(asking, stage, &mut progress).await?.err(),
            None => None,
        };
        let done = &progress.now.completed;
        if asking.flows.iter().any(|flow| flow.iter().all(|stage| done.iter().any(|done| done == stage))) {
            return Ok(UiaOutcome::Passed(progress));
        }
        if progress.row.as_ref() != Some(&progress.now) && !progress.now.completed.is_empty() {
            self.record_progress(&progress).await?;
        }
        Ok(UiaOutcome::Challenge(UiaChallenge {
            flows: asking.flows.clone(),
            completed: progress.now.completed,
            params: self.build_params(asking),
            session: progress.session.encode(&self.0.uia_secret, &asking.purpose),
            error,
        }))
    }

    /// The session that a client goes on with, or a new one when it has none that is good for this.
    async fn load_progress(&self, asking: &Asking<'_>, named: Option<&str>, row: Row) -> Result<Progress, UiaError> {
        let now_ms = self.now_ms();
        let known = named.and_then(|id| UiaSessionId::decode(id, &self.0.uia_secret, &asking.purpose, now_ms));
        let row = match known {
            Some(session) if row == Row::Possible => {
                self.0.env.store.get::<UiaSessions>(&session_row(session.nonce)).await?
            }
            _ => None,
        };
        let session = known.unwrap_or_else(|| {
            let lifetime_ms = self.0.config.auth_session_lifetime_s.saturating_mul(1_000);
            UiaSessionId::new(now_ms.saturating_add(lifetime_ms), &*self.0.env.rng)
        });
        let empty = || UiaSession { completed: Vec::new(), registration_token: None, expires_ms: session.expires_ms };
        let is_replaced = named.is_some() && known.is_none();
        Ok(Progress { session, now: row.clone().unwrap_or_else(empty), row, is_replaced })
    }

    async fn check_stage(
        &self,
        asking: &Asking<'_>,
        stage: &Stage,
        progress: &mut Progress,
    ) -> Result<Result<(), StageError>, UiaError> {
        let name = match stage {
            Stage::Dummy => DUMMY,
            Stage::Terms => TERMS,
            Stage::RegistrationToken(_) => REGISTRATION_TOKEN,
            Stage::Password { .. } => PASSWORD,
            Stage::Other(_) => return Ok(Err(StageError::NotOffered)),
        };
        if !asking.flows.iter().any(|flow| flow.contains(&name)) {
            return Ok(Err(StageError::NotOffered));
        }
        let checked = match stage {
            Stage::Password { user, password } => self.check_password_stage(asking, user, password).await?,
            Stage::RegistrationToken(token) => self.check_token_stage(token, progress).await?,
            _ => Ok(()),
        };
        if checked.is_ok() && !progress.now.completed.iter().any(|done| done == name) {
            progress.now.completed.push(name.to_owned());
        }
        Ok(checked)
    }

    async fn check_password_stage(
        &self,
        asking: &Asking<'_>,
        user: &str,
        password: &str,
    ) -> Result<Result<(), StageError>, UiaError> {
        let Some(caller) = asking.user else { return Ok(Err(StageError::NotOffered)) };
        if !build_login_candidates(user, self.server_name()).contains(&caller.user_id) {
            return Err(UiaError::OtherUser);
        }
        match self.require_password(caller.user_id.as_str(), password.to_owned()).await {
            Ok(_) => Ok(Ok(())),
            Err(LoginError::Password(error)) => Err(error.into()),
            Err(LoginError::Store(error)) => Err(error.into()),
            Err(_) => Ok(Err(StageError::WrongPassword)),
        }
    }

    async fn check_token_stage(
        &self,
        token: &str,
        progress: &mut Progress,
    ) -> Result<Result<(), StageError>, UiaError> {
        if progress.now.registration_token.as_deref().is_some_and(|reserved| reserved != token) {
            return Ok(Err(StageError::BadRegistrationToken)); // One session, one token.
        }
        match self.reserve_token_use(token, progress.session).await {
            Ok(()) => {
                progress.now.registration_token = Some(token.to_owned());
                Ok(Ok(()))
            }
            Err(TokenUseError::Void) => Ok(Err(StageError::BadRegistrationToken)),
            Err(TokenUseError::Store(error)) => Err(error.into()),
        }
    }

    async fn record_progress(&self, progress: &Progress) -> Result<(), UiaError> {
        let store = &self.0.env.store;
        let key = session_row(progress.session.nonce);
        let mut txn = store.txn();
        match &progress.row {
            Some(row) => txn.assert_eq::<UiaSessions>(&key, row),
            None => txn.assert_absent::<UiaSessions>(&key),
        };
        txn.put::<UiaSessions>(&key, &progress.now);
        match store.commit(txn).await {
            // A conflict: another request of the session was faster; the client sees what is missing and goes on.
            Ok(_) | Err(CommitError::Conflict { .. }) => Ok(()),
            Err(error) => Err(StoreFailure::Write(error).into()),
        }
    }

    fn build_params(&self, asking: &Asking<'_>) -> Value {
        if !asking.flows.iter().any(|flow| flow.contains(&TERMS)) {
            return json!({});
        }
        json!({ TERMS: build_terms_params(&list_policies(&self.0.config)) })
    }
}

#[cfg(test)]
#[path = "uia_tests.rs"]
mod tests;
