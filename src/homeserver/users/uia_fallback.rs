//! Stages of registration that are passed on a web page, by clients that do not know them
//! (C-S API, "User-Interactive Authentication API", "Fallback").
//!
//! Only registration has stages with pages; a session of anything else is not good here.

use thiserror::Error;

use super::error::StoreFailure;
use super::handle::Users;
use super::terms::{Policy, list_policies};
use super::uia::{Asking, DUMMY, REGISTRATION_TOKEN, Stage, StageError, TERMS, UiaError};
use super::uia_session::UiaSessionId;

/// A stage that has a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FallbackStage {
    /// `m.login.dummy`.
    Dummy,
    /// `m.login.terms`.
    Terms,
    /// `m.login.registration_token`.
    RegistrationToken,
}

impl FallbackStage {
    /// The stage of this name, if it has a page.
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            DUMMY => Some(Self::Dummy),
            TERMS => Some(Self::Terms),
            REGISTRATION_TOKEN => Some(Self::RegistrationToken),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Dummy => DUMMY,
            Self::Terms => TERMS,
            Self::RegistrationToken => REGISTRATION_TOKEN,
        }
    }
}

/// Why a stage was not passed on its page.
#[derive(Debug, Error)]
pub enum FallbackError {
    /// The session is unknown or ran out, or has no such stage.
    #[error("there is no such session")]
    Session,
    /// What was entered is not right; one may try again.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl Users {
    /// The documents that new users must accept.
    pub fn list_policies(&self) -> Vec<Policy> {
        list_policies(self.config())
    }

    /// Whether the page of a stage may be shown: whether the session is good, and registration has the stage.
    ///
    /// # Errors
    /// When not.
    pub fn check_fallback(&self, session: &str, stage: FallbackStage) -> Result<(), FallbackError> {
        self.require_session(session, stage).map(drop)
    }

    /// Passes a stage: the client goes on with the session alone. `token` is the registration token that was typed.
    ///
    /// # Errors
    /// When the session is not good, or the token is not.
    pub async fn pass_fallback(
        &self,
        session: &str,
        stage: FallbackStage,
        token: Option<String>,
    ) -> Result<(), FallbackError> {
        let (asking, _) = self.require_session(session, stage)?;
        let stage = match stage {
            FallbackStage::Dummy => Stage::Dummy,
            FallbackStage::Terms => Stage::Terms,
            FallbackStage::RegistrationToken => Stage::RegistrationToken(token.unwrap_or_default()),
        };
        match self.pass_stage(&asking, &stage, session).await {
            Ok(passed) => Ok(passed?),
            Err(UiaError::Store(error)) => Err(error.into()),
            Err(_) => Err(FallbackError::Session),
        }
    }

    fn require_session(
        &self,
        session: &str,
        stage: FallbackStage,
    ) -> Result<(Asking<'static>, UiaSessionId), FallbackError> {
        let asking = self.registration_asking().map_err(|_| FallbackError::Session)?;
        let known = UiaSessionId::decode(session, &self.0.uia_secret, &asking.purpose, self.now_ms());
        let has_stage = asking.flows.iter().any(|flow| flow.contains(&stage.name()));
        let known = known.filter(|_| has_stage).ok_or(FallbackError::Session)?;
        Ok((asking, known))
    }
}
