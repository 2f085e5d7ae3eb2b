//! Making accounts.

use hearth_protocol::{UserKey, random_string};
use hearth_storage::schema::users::{
    Account, Accounts, Profiles, RegistrationTokenUse, RegistrationTokenUses, TokenUseState, UiaSessions, UserProfile,
};
use hearth_storage::{StorageError, Txn};
use ruma::{OwnedUserId, UserId};
use thiserror::Error;

use super::config::FirstDisplayName;
use super::error::{COMMIT_ATTEMPTS_MAX, Settled, StoreFailure, settle};
use super::handle::Users;
use super::local_names::stage_names;
use super::localpart::{BadUsername, build_user_id};
use super::login::LoginError;
use super::password::{PASSWORD_BYTES_MAX, PasswordFailure};
use super::profiles::{DISPLAY_NAME_CHARS_MAX, build_first_profile};
use super::registration_tokens::{TokenClaimed, TokenUseError, token_use_key};
use super::session_draft::SessionDraft;
use super::sessions::{BadDevice, NewDevice, NewSession};
use super::uia_registration::{MadeBy, RegistrationPassed};
use super::uia_session::session_row;

/// How many made-up names are tried before giving up.
const NAME_ATTEMPTS_MAX: usize = 8;
/// Length of a made-up name.
const NEW_NAME_LEN: usize = 12;

/// A wish for an account (C-S API, `POST /register`).
#[derive(Clone, Default)]
pub struct RegisterRequest {
    /// The localpart; made up when left out. Capitals become small letters.
    pub username: Option<String>,
    /// Without one, nobody can log in by password.
    pub password: Option<String>,
    /// The device to log in with; none leaves the account without a session (`inhibit_login`).
    pub device: Option<NewDevice>,
}

/// An account that an administrator makes.
#[derive(Clone, Default)]
pub struct NewUser {
    /// The localpart. Capitals become small letters.
    pub username: String,
    /// Without one, nobody can log in by password.
    pub password: Option<String>,
    /// May use the administration endpoints.
    pub is_admin: bool,
    /// What it is called at first; left out, what the settings say.
    pub display_name: Option<String>,
    /// The device to log in with, if any.
    pub device: Option<NewDevice>,
}

/// A new account.
#[derive(Clone, PartialEq, Eq)]
pub struct Registered {
    /// Its id.
    pub user_id: OwnedUserId,
    /// Its first session, if one was wanted.
    pub session: Option<NewSession>,
}

/// Why no account was made.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// `M_INVALID_USERNAME`.
    #[error(transparent)]
    Username(#[from] BadUsername),
    /// `M_USER_IN_USE`.
    #[error("the user name is taken")]
    Taken,
    /// `M_EXCLUSIVE`: reserved by the operator or by an application service.
    #[error("the user name is reserved")]
    Reserved,
    /// Guests may not have accounts here: `M_GUEST_ACCESS_FORBIDDEN`.
    #[error("guest access is off")]
    GuestsForbidden,
    /// `M_WEAK_PASSWORD`, or too long.
    #[error(transparent)]
    BadPassword(#[from] BadPassword),
    /// `M_INVALID_PARAM`.
    #[error("a display name has at most {DISPLAY_NAME_CHARS_MAX} characters")]
    DisplayName,
    /// The device cannot be used.
    #[error(transparent)]
    Device(#[from] BadDevice),
    /// The registration token's use was taken by another request.
    #[error("the registration token is used up")]
    TokenUsed,
    /// The password could not be hashed; when busy, the client may come back.
    #[error(transparent)]
    Password(#[from] PasswordFailure),
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// Why a password may not be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadPassword {
    /// `M_WEAK_PASSWORD`.
    #[error("the password needs at least {bytes_min} bytes")]
    TooShort {
        /// The least that is allowed.
        bytes_min: usize,
    },
    /// `M_INVALID_PARAM`.
    #[error("the password is longer than {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
}

impl From<LoginError> for RegisterError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Forbidden | LoginError::Locked => Self::Taken,
            LoginError::Device(error) => Self::Device(error),
            LoginError::Password(error) => Self::Password(error),
            LoginError::Store(error) => Self::Store(error),
        }
    }
}

impl From<TokenUseError> for RegisterError {
    fn from(error: TokenUseError) -> Self {
        match error {
            TokenUseError::Void => Self::TokenUsed,
            TokenUseError::Store(error) => Self::Store(error),
        }
    }
}

impl From<StorageError> for RegisterError {
    fn from(error: StorageError) -> Self {
        Self::Store(error.into())
    }
}

/// What an account is made of besides its name.
struct AccountSeed {
    password: Option<String>,
    is_guest: bool,
    is_admin: bool,
    display_name: Option<String>,
    device: Option<NewDevice>,
    passed: Option<(RegistrationPassed, MadeBy)>,
}

impl AccountSeed {
    /// An account that nobody logs in to yet.
    fn empty() -> Self {
        Self { password: None, is_guest: false, is_admin: false, display_name: None, device: None, passed: None }
    }
}

impl Users {
    /// Makes an account for somebody who has passed the interactive authentication.
    pub async fn register(
        &self,
        request: RegisterRequest,
        passed: RegistrationPassed,
    ) -> Result<Registered, RegisterError> {
        let user_id = match request.username.as_deref() {
            Some(name) => self.check_username(name).await?,
            None => self.draw_username().await?,
        };
        self.check_new_password(request.password.as_deref())?;
        let made_by = self.build_registered(&user_id, &request, passed.session);
        let session = passed.session;
        let seed = AccountSeed {
            password: request.password.clone(),
            device: request.device.clone(),
            passed: Some((passed, made_by)),
            ..AccountSeed::empty()
        };
        match self.create_account(user_id, seed).await {
            // The same request was sent twice at once, and the other was faster.
            Err(error @ (RegisterError::Taken | RegisterError::TokenUsed)) => {
                self.repeat_session(session, &request).await?.ok_or(error)
            }
            made => made,
        }
    }

    /// Makes a guest account; guests pass no authentication (C-S API, "Guest access").
    pub async fn register_guest(&self, device: NewDevice) -> Result<Registered, RegisterError> {
        if !self.0.config.guests_allowed {
            return Err(RegisterError::GuestsForbidden);
        }
        let user_id = self.draw_username().await?;
        let seed = AccountSeed { is_guest: true, device: Some(device), ..AccountSeed::empty() };
        self.create_account(user_id, seed).await
    }

    /// Makes an account by the word of an administrator; reserved names are allowed.
    pub async fn create_user(&self, new: NewUser) -> Result<Registered, RegisterError> {
        let user_id = build_user_id(&new.username, self.server_name())?;
        self.check_new_password(new.password.as_deref())?;
        if new.display_name.as_ref().is_some_and(|name| name.chars().count() > DISPLAY_NAME_CHARS_MAX) {
            return Err(RegisterError::DisplayName);
        }
        let seed = AccountSeed {
            password: new.password,
            is_admin: new.is_admin,
            display_name: new.display_name,
            device: new.device,
            ..AccountSeed::empty()
        };
        self.create_account(user_id, seed).await
    }

    /// The id that an account of this name would get.
    pub fn build_user_id(&self, name: &str) -> Result<OwnedUserId, BadUsername> {
        build_user_id(name, self.server_name())
    }

    /// Makes an account for an application service, which has claimed the name.
    pub async fn create_service_user(
        &self,
        user: &UserId,
        device: Option<NewDevice>,
    ) -> Result<Registered, RegisterError> {
        let seed = AccountSeed { device, ..AccountSeed::empty() };
        self.create_account(user.to_owned(), seed).await
    }

    /// The id that an account of this name would get, if one may be made now (C-S API, `GET /register/available`).
    pub async fn check_username(&self, name: &str) -> Result<OwnedUserId, RegisterError> {
        let user_id = build_user_id(name, self.server_name())?;
        let config = &self.0.config;
        let mut reserved = config.reserved_names.iter().chain(&config.notices_name);
        let is_reserved = reserved.any(|reserved| reserved.eq_ignore_ascii_case(user_id.localpart()));
        if is_reserved || self.0.names.is_exclusive(&user_id) {
            return Err(RegisterError::Reserved);
        }
        match self.0.env.store.get::<Accounts>(&UserKey::of(&user_id)).await? {
            Some(_) => Err(RegisterError::Taken),
            None => Ok(user_id),
        }
    }

    /// Whether this may be set as a password; to be asked before anybody is asked to authenticate.
    ///
    /// # Errors
    /// When it is too short or too long.
    pub fn check_new_password(&self, password: Option<&str>) -> Result<(), BadPassword> {
        let bytes_min = self.0.config.password_bytes_min;
        match password {
            Some(password) if password.len() > PASSWORD_BYTES_MAX => Err(BadPassword::TooLong),
            Some(password) if password.len() < bytes_min => Err(BadPassword::TooShort { bytes_min }),
            _ => Ok(()),
        }
    }

    async fn draw_username(&self) -> Result<OwnedUserId, RegisterError> {
        for _ in 0..NAME_ATTEMPTS_MAX {
            let name = random_string(&*self.0.env.rng, NEW_NAME_LEN);
            match self.check_username(&name).await {
                Err(RegisterError::Taken | RegisterError::Reserved) => {}
                other => return other,
            }
        }
        Err(RegisterError::Taken)
    }

    /// One commit: the account, its profile, its first session, and the end of what led to it.
    async fn create_account(&self, user_id: OwnedUserId, seed: AccountSeed) -> Result<Registered, RegisterError> {
        let user = UserKey::of(&user_id);
        let draft = seed.device.map(|device| self.build_session(user, device)).transpose()?;
        let password = match seed.password {
            Some(password) => Some(self.0.passwords.hash(password, &*self.0.env.rng).await?),
            None => None,
        };
        let account = Account {
            user_id: user_id.to_string(),
            password,
            created_ms: self.now_ms(),
            is_guest: seed.is_guest,
            is_admin: seed.is_admin,
            is_locked: false,
            is_suspended: false,
            is_deactivated: false,
            is_erased: false,
            devices: u32::from(draft.is_some()),
            sessions_revision: 1,
        };
        let claimed = match &seed.passed {
            // The last step before the commit, since a claim is not given back.
            Some((passed, made_by)) => Some((passed, made_by, self.claim_token_use(passed, &user_id).await?)),
            None => None,
        };
        let profile = match seed.display_name.as_deref() {
            Some(name) => build_first_profile(Some(name).filter(|name| !name.is_empty())),
            None => self.build_profile(&account),
        };
        self.commit_account((user, &account, &profile), draft.as_ref(), claimed).await?;
        tracing::info!(%user_id, is_guest = account.is_guest, is_admin = account.is_admin, "account made");
        Ok(Registered { session: draft.map(|draft| draft.into_session(user_id.clone())), user_id })
    }

    async fn commit_account(
        &self,
        (user, account, profile): (UserKey, &Account, &UserProfile),
        draft: Option<&SessionDraft>,
        claimed: Option<(&RegistrationPassed, &MadeBy, TokenClaimed)>,
    ) -> Result<(), RegisterError> {
        let store = &self.0.env.store;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let mut txn = store.txn();
            txn.assert_absent::<Accounts>(&user);
            txn.put::<Accounts>(&user, account);
            txn.put::<Profiles>(&user, profile);
            stage_names(&mut txn, user, &account.user_id, (None, profile));
            if let Some(draft) = draft {
                draft.put(&mut txn, None);
            }
            if let Some((passed, made_by, claimed)) = claimed {
                end_authentication(&mut txn, passed, claimed);
                made_by.put(&mut txn);
            }
            if let Settled::Done = settle(store.commit(txn).await)? {
                return Ok(());
            }
            match store.get::<Accounts>(&user).await? {
                // An earlier attempt has come through after all: the salt of the password tells.
                Some(known) if known == *account && account.password.is_some() => return Ok(()),
                Some(_) => return Err(RegisterError::Taken),
                None => {}
            }
        }
        Err(StoreFailure::Contended.into())
    }

    fn build_profile(&self, account: &Account) -> UserProfile {
        let localpart = account.user_id.strip_prefix('@').and_then(|id| id.split_once(':'));
        match self.0.config.first_display_name {
            FirstDisplayName::Localpart => build_first_profile(localpart.map(|(localpart, _)| localpart)),
            FirstDisplayName::None => build_first_profile(None),
        }
    }
}

/// Marks the use of the registration token as done and removes the session, in the commit that makes the account.
pub(super) fn end_authentication(txn: &mut Txn, passed: &RegistrationPassed, claimed: TokenClaimed) {
    if let (Some(token), TokenClaimed::Held) = (&passed.registration_token, claimed) {
        let done = RegistrationTokenUse { state: TokenUseState::Done, expires_ms: u64::MAX };
        txn.outbox_put::<RegistrationTokenUses>(&token_use_key(token, passed.session.nonce), &done);
    }
    if passed.has_row {
        txn.outbox_delete::<UiaSessions>(&session_row(passed.session.nonce));
    }
}

#[cfg(test)]
#[path = "register_tests.rs"]
mod tests;
