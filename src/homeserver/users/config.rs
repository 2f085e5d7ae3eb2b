//! The section `[users]` of the configuration.

use crate::{choices, settings};

choices! {
    /// Who may make an account.
    pub enum Registration {
        /// Nobody; accounts are made by an administrator.
        Closed = "closed",
        /// Whoever has a registration token.
        Token = "token",
        /// Everybody. On a server that the internet reaches this invites spammers.
        Open = "open",
    }
}

choices! {
    /// What a new account is called before its user chooses a display name.
    pub enum FirstDisplayName {
        /// The part of the user id between `@` and `:`.
        Localpart = "localpart",
        /// No display name.
        None = "none",
    }
}

settings! {
    /// Accounts, how they are made and logged in to, and what each may store.
    pub struct UsersConfig {
        /// Who may make an account.
        pub registration: Registration = Registration::Closed,
        /// New users must accept the documents at `terms_url` and in `policies`.
        pub terms_required: bool = false,
        /// Where the terms of service can be read.
        pub terms_url: Option<String> = None,
        /// The version of the terms of service, as clients show it.
        pub terms_version: String = "1.0".to_owned(),
        /// Documents that new users must accept beside or instead of the one at `terms_url`, each a line
        /// `ID VERSION LANGUAGE URL NAME`, for instance
        /// `privacy_policy 1.2 en https://example.org/privacy Privacy Policy`. A document in several languages has a
        /// line for each, with the same id and version.
        pub policies: Vec<String> = Vec::new(),
        /// The secret by which tools that were written for Synapse make accounts, administrators' too
        /// (`/_synapse/admin/v1/register`). Left out, they cannot. Whoever knows it can do everything.
        pub registration_shared_secret: Option<String> = None,
        /// The name of the account that sends the server's notices to users, without `@` and server; it is made when
        /// the first notice is sent, and nobody else can register it. Left out, there are no notices.
        pub notices_name: Option<String> = None,
        /// What the account that sends notices is called.
        pub notices_display_name: String = "Server notices".to_owned(),
        /// What the rooms are called in which users get notices.
        pub notices_room_name: String = "Server notices".to_owned(),
        /// Guests may have accounts without a password.
        pub guests_allowed: bool = false,
        /// User names that nobody may register, compared in lower case.
        pub reserved_names: Vec<String> = Vec::new(),
        /// What a new account is called at first.
        pub first_display_name: FirstDisplayName = FirstDisplayName::Localpart,
        /// Users may change what they are called. Where this and the like are off, application services may all the
        /// same: they have to keep up with the networks that they lead to.
        pub display_name_changes: bool = true,
        /// Users may change their picture.
        pub avatar_changes: bool = true,
        /// Users may change what else their profile says.
        pub profile_field_changes: bool = true,
        /// Users may change their password; an administrator can always set one.
        pub password_changes: bool = true,
        /// The shortest password that may be set, in bytes.
        pub password_bytes_min: usize = 8,
        /// Memory that the hash of one password takes (argon2id), in KiB.
        pub password_hash_kib: u32 = 19 * 1024,
        /// How many times the hash of a password goes over its memory.
        pub password_hash_passes: u32 = 2,
        /// How many passwords are hashed at the same time.
        pub password_hash_jobs_max: usize = 2,
        /// How many passwords may wait to be hashed; beyond that a login is told to come back later.
        pub password_hash_waiting_max: usize = 64,
        /// How long an access token lives, in seconds; left out, until it is logged out.
        pub token_lifetime_s: Option<u64> = None,
        /// How long an access token lives whose client can refresh it, in seconds.
        pub refreshable_token_lifetime_s: u64 = 5 * 60,
        /// How long a refresh token lives that is not used, in seconds; left out, until it is logged out.
        pub refresh_token_lifetime_s: Option<u64> = None,
        /// A user who is logged in can let another device in without typing the password there (`m.login.token`).
        pub login_tokens: bool = true,
        /// How long such a login token is good for, in seconds.
        pub login_token_lifetime_s: u64 = 2 * 60,
        /// How long a token is good for by which a user proves to others who they are (OpenID), in seconds.
        pub openid_token_lifetime_s: u64 = 60 * 60,
        /// How many access tokens are remembered as valid, so that a request with one needs no read.
        pub token_cache_max: usize = 50_000,
        /// How long an interactive authentication may take, in seconds.
        pub auth_session_lifetime_s: u64 = 30 * 60,
        /// How many devices a user may have, 150 at most.
        pub devices_max: u32 = 150,
        /// How many types of account data a user may store, counted over all rooms.
        pub account_data_types_max: u32 = 50_000,
        /// How long one piece of account data may be, in bytes.
        pub account_data_item_bytes_max: usize = 512 * 1024,
        /// How much account data a user may store, in bytes.
        pub account_data_bytes_max: u64 = 32 * 1024 * 1024,
        /// How many filters a user may store.
        pub filters_max: u32 = 1_000,
        /// How long a filter may be, in bytes.
        pub filter_bytes_max: usize = 32 * 1024,
        /// How many push rules of their own a user may have.
        pub push_rules_max: usize = 1_000,
        /// Users see who of those they share a room with is online.
        pub presence: bool = true,
        /// How many users' presence is kept.
        pub presence_users_max: usize = 100_000,
    }
}
