//! The sections `[api]` and `[rate_limits]` of the configuration.

use hearth_homeserver::settings;

use crate::rate_limit::Operation;

settings! {
    /// What clients are told, and how their requests are read.
    pub struct ApiConfig {
        /// The base URL that clients use, as `/.well-known/matrix/client` and logins tell it,
        /// for example `https://matrix.example.org`. Without it neither tells anything.
        pub public_base_url: Option<String> = None,
        /// A page for people who need help with this server, as `/.well-known/matrix/support` tells it.
        pub support_page: Option<String> = None,
        /// The e-mail address of the administrator, as `/.well-known/matrix/support` tells it.
        pub admin_email: Option<String> = None,
        /// The Matrix id of the administrator, as `/.well-known/matrix/support` tells it.
        pub admin_matrix_id: Option<String> = None,
        /// The e-mail address for reports of security problems, as `/.well-known/matrix/support` tells it.
        pub security_email: Option<String> = None,
        /// The Matrix id for reports of security problems, as `/.well-known/matrix/support` tells it.
        pub security_matrix_id: Option<String> = None,
        /// The public key (ed25519, base64) of the policy server that runs under this server's name, as
        /// `/.well-known/matrix/policy_server` tells it.
        pub policy_server_key: Option<String> = None,
        /// Whether an access token may also stand in the query (`?access_token=`), as old clients
        /// send it. The specification removed this after v1.19, since URLs end up in logs.
        pub token_in_query: bool = true,
        /// Whether the last address of the `X-Forwarded-For` header is the client's. Switch it on
        /// only behind a reverse proxy that writes this header, or clients can claim any address.
        pub trust_forwarded_for: bool = false,
        /// Whether only who is logged in may see the directory of public rooms. The specification lets
        /// everybody see it, as web pages that show it to visitors need.
        pub public_rooms_need_login: bool = false,
    }
}

settings! {
    /// The WebSocket over which clients are told what is new the moment it happens (`docs/websocket.md`).
    pub struct SocketConfig {
        /// Whether it is offered, under `chat.hearth.websocket`. Without it clients poll, as everywhere else.
        pub enabled: bool = true,
        /// The largest frame that a client may send, in bytes. What is larger goes over HTTP.
        pub frame_bytes_max: u32 = 131_072,
        /// Calls of one socket that may be under way at once; further ones get `M_LIMIT_EXCEEDED`.
        pub calls_in_flight_max: u32 = 32,
        /// Bodies of a sync that may be sent without having been acknowledged.
        pub ack_window_frames: u32 = 4,
        /// How large they may be together, in bytes; one alone may be larger.
        pub ack_window_bytes: u32 = 1_048_576,
        /// How long a client may leave bodies unacknowledged, in milliseconds, before its socket is closed.
        pub ack_timeout_ms: u32 = 600_000,
        /// How often a silent client is asked whether it still lives, in milliseconds; it may miss this once.
        pub heartbeat_ms: u32 = 30_000,
        /// How long a client may take to say who it is, in milliseconds.
        pub auth_timeout_ms: u32 = 5_000,
    }
}

settings! {
    /// How often clients may do something. Each limit is a bucket: `burst` at once, then
    /// `per_second` for as long as one likes. What exceeds it gets `M_LIMIT_EXCEEDED` with the
    /// time to wait.
    pub struct RateLimitConfig {
        /// Whether there are any limits.
        pub enabled: bool = true,
        /// Events sent by a user, a second.
        pub message_per_second: f64 = 20.0,
        /// Events sent by a user at once.
        pub message_burst: u32 = 100,
        /// Rooms that a user joins or knocks on, a second.
        pub join_per_second: f64 = 1.0,
        /// Rooms that a user joins or knocks on at once.
        pub join_burst: u32 = 20,
        /// Joins of one room, whoever joins it, a second.
        pub room_join_per_second: f64 = 20.0,
        /// Joins of one room, whoever joins it, at once.
        pub room_join_burst: u32 = 500,
        /// Invites by a user, a second.
        pub invite_per_second: f64 = 0.5,
        /// Invites by a user at once.
        pub invite_burst: u32 = 30,
        /// Invites into one room, whoever invites, a second.
        pub room_invite_per_second: f64 = 1.0,
        /// Invites into one room, whoever invites, at once.
        pub room_invite_burst: u32 = 100,
        /// Invites that one user gets, a second.
        pub user_invited_per_second: f64 = 0.1,
        /// Invites that one user gets at once.
        pub user_invited_burst: u32 = 50,
        /// Rooms created by a user, a second.
        pub room_creation_per_second: f64 = 0.2,
        /// Rooms created by a user at once.
        pub room_creation_burst: u32 = 20,
        /// Attempts to log in from one address, a second.
        pub login_address_per_second: f64 = 0.5,
        /// Attempts to log in from one address at once.
        pub login_address_burst: u32 = 30,
        /// Attempts to log in to one account, a second.
        pub login_account_per_second: f64 = 0.1,
        /// Attempts to log in to one account at once.
        pub login_account_burst: u32 = 10,
        /// Wrong passwords for one account, a second.
        pub login_failed_per_second: f64 = 0.05,
        /// Wrong passwords for one account at once.
        pub login_failed_burst: u32 = 6,
        /// Times that a user shows their password again for what is risky, a second.
        pub reauthentication_per_second: f64 = 0.1,
        /// Times that a user shows their password again for what is risky, at once.
        pub reauthentication_burst: u32 = 20,
        /// Registrations, and questions whether a name is free, from one address, a second.
        pub registration_per_second: f64 = 0.5,
        /// Registrations, and questions whether a name is free, from one address at once.
        pub registration_burst: u32 = 20,
        /// Files that a user uploads, a second.
        pub upload_per_second: f64 = 2.0,
        /// Files that a user uploads at once.
        pub upload_burst: u32 = 100,
        /// Files and thumbnails that a user downloads, or that are downloaded from one address, a second.
        pub download_per_second: f64 = 100.0,
        /// Files and thumbnails that a user downloads, or that are downloaded from one address, at once.
        pub download_burst: u32 = 2_000,
        /// Searches of a user in messages, a second.
        pub search_per_second: f64 = 2.0,
        /// Searches of a user in messages at once.
        pub search_burst: u32 = 50,
        /// Searches of a user for people, a second.
        pub people_search_per_second: f64 = 5.0,
        /// Searches of a user for people at once.
        pub people_search_burst: u32 = 100,
        /// Devices that an application service makes for one of its users, a second.
        pub device_creation_per_second: f64 = 1.0,
        /// Devices that an application service makes for one of its users at once.
        pub device_creation_burst: u32 = 50,
        /// Access tokens that are refreshed from one address, a second.
        pub refresh_per_second: f64 = 1.0,
        /// Access tokens that are refreshed from one address at once.
        pub refresh_burst: u32 = 50,
        /// Tokens that let another device in, asked for by a user, a second. The specification advises one a minute.
        pub login_token_per_second: f64 = 0.02,
        /// Tokens that let another device in, asked for by a user at once.
        pub login_token_burst: u32 = 5,
        /// OpenID tokens that a user asks for, or that are looked up from one address, a second.
        pub open_id_token_per_second: f64 = 1.0,
        /// OpenID tokens that a user asks for, or that are looked up from one address, at once.
        pub open_id_token_burst: u32 = 50,
        /// Reports by a user, a second.
        pub report_per_second: f64 = 0.1,
        /// Reports by a user at once.
        pub report_burst: u32 = 20,
        /// TURN credentials that a user asks for, a second.
        pub turn_server_per_second: f64 = 0.5,
        /// TURN credentials that a user asks for at once.
        pub turn_server_burst: u32 = 20,
        /// Events sent into one room, whoever sends them, a second.
        pub room_per_second: f64 = 200.0,
        /// Events sent into one room, whoever sends them, at once.
        pub room_burst: u32 = 2_000,
        /// Previews of URLs that a user asks for, a second.
        pub url_preview_per_second: f64 = 2.0,
        /// Previews of URLs that a user asks for at once.
        pub url_preview_burst: u32 = 100,
    }
}

/// How fast a bucket refills, and how much it holds.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Refill.
    pub per_second: f64,
    /// Size.
    pub burst: u32,
}

impl RateLimitConfig {
    /// The bucket of an operation.
    pub fn rate_of(&self, operation: Operation) -> Rate {
        let (per_second, burst) = match operation {
            Operation::Message => (self.message_per_second, self.message_burst),
            Operation::Join => (self.join_per_second, self.join_burst),
            Operation::Invite => (self.invite_per_second, self.invite_burst),
            Operation::RoomCreation => (self.room_creation_per_second, self.room_creation_burst),
            Operation::LoginAddress => (self.login_address_per_second, self.login_address_burst),
            Operation::LoginAccount => (self.login_account_per_second, self.login_account_burst),
            Operation::Registration => (self.registration_per_second, self.registration_burst),
            Operation::Upload => (self.upload_per_second, self.upload_burst),
            Operation::RoomJoin => (self.room_join_per_second, self.room_join_burst),
            Operation::RoomInvite => (self.room_invite_per_second, self.room_invite_burst),
            Operation::UserInvited => (self.user_invited_per_second, self.user_invited_burst),
            Operation::LoginFailed => (self.login_failed_per_second, self.login_failed_burst),
            Operation::Reauthentication => (self.reauthentication_per_second, self.reauthentication_burst),
            Operation::Download => (self.download_per_second, self.download_burst),
            Operation::Search => (self.search_per_second, self.search_burst),
            Operation::PeopleSearch => (self.people_search_per_second, self.people_search_burst),
            Operation::DeviceCreation => (self.device_creation_per_second, self.device_creation_burst),
            Operation::Refresh => (self.refresh_per_second, self.refresh_burst),
            Operation::LoginToken => (self.login_token_per_second, self.login_token_burst),
            Operation::OpenIdToken => (self.open_id_token_per_second, self.open_id_token_burst),
            Operation::Report => (self.report_per_second, self.report_burst),
            Operation::TurnServer => (self.turn_server_per_second, self.turn_server_burst),
            Operation::Room => (self.room_per_second, self.room_burst),
            Operation::UrlPreview => (self.url_preview_per_second, self.url_preview_burst),
        };
        Rate { per_second, burst }
    }
}
