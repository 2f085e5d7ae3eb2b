//! The users of this server: accounts, devices and access tokens; interactive authentication; profiles, account data,
//! filters and push rules; the list of rooms; and who is online.
//!
//! A row of a user lies in the user's lane and is written by one transaction per command. A [`LocalUser`] proves who
//! calls, and only this folder can make one.
//!
//! It must never keep or log a password or an access token, never answer faster for a user who does not exist,
//! and never let a request wait for what it does not need.

mod account_data;
mod account_data_log;
mod accounts;
mod act_for;
mod authenticate;
mod config;
mod departures;
mod devices;
mod error;
mod filters;
mod handle;
mod ignored;
mod invite_permission;
mod last_seen;
mod local_names;
mod local_user;
mod localpart;
mod login;
mod login_tokens;
mod moderation;
mod openid;
mod pages;
mod password;
mod ports;
mod presence;
mod presence_timer;
mod profiles;
mod push_rules;
mod refresh;
mod register;
mod registration_token_admin;
mod registration_tokens;
mod replaced_rooms;
mod session_draft;
mod sessions;
mod shared_secret;
mod short_tokens;
mod tags;
mod terms;
#[cfg(test)]
mod testing;
mod token;
mod token_cache;
mod uia;
mod uia_fallback;
mod uia_registration;
mod uia_session;
mod uia_sweeper;
mod upgrade_guest;
mod user_rooms;

pub use account_data::{AccountDataError, AccountDatum};
pub use accounts::{AccountError, AccountInfo, EndSessions};
pub use act_for::ActError;
pub use authenticate::AuthError;
pub use config::{FirstDisplayName, Registration, UsersConfig};
pub use devices::{DeviceError, DeviceInfo};
pub use error::StoreFailure;
pub use filters::FilterError;
pub use handle::Users;
pub use ignored::IgnoredUsers;
pub use local_names::{Card, word_range};
pub use local_user::{LocalUser, ServiceCaller};
pub use localpart::{BadUsername, USER_ID_BYTES_MAX};
pub use login::{LoginError, PasswordLogin};
pub use login_tokens::{LoginToken, LoginTokenError};
pub use moderation::{ModerationError, Restriction};
pub use openid::OpenIdToken;
pub use password::{PASSWORD_BYTES_MAX, PasswordFailure};
pub use ports::{ExclusiveNames, NoExclusiveNames};
pub use presence::{Presence, PresenceError, PresenceInfo, PresencePos};
pub use profiles::{Profile, ProfileError};
pub use push_rules::{PushRuleError, PushRulesJson};
pub use refresh::{RefreshError, Refreshed};
pub use register::{BadPassword, NewUser, RegisterError, RegisterRequest, Registered};
pub use registration_token_admin::{RegistrationTokenEdit, RegistrationTokenInfo};
pub use registration_tokens::{NewRegistrationToken, RegistrationTokenError};
pub use sessions::{BadDevice, DEVICE_ID_BYTES_MAX, NewDevice, NewSession};
pub use shared_secret::{SharedSecretError, SharedSecretRequest};
pub use tags::TagError;
pub use terms::{BadPolicy, Policy, parse_policies};
pub use token_cache::SessionsChanged;
pub use uia::{Auth, Reauthenticated, Stage, StageError, UiaChallenge, UiaError, UiaOutcome};
pub use uia_fallback::{FallbackError, FallbackStage};
pub use uia_registration::RegistrationPassed;
pub use upgrade_guest::UpgradeError;
