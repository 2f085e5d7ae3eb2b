//! The tables of what an account gives out and leaves behind: when devices were seen, refresh tokens, login tokens, OpenID tokens, sessions
//! that made accounts, departures of those who gave their account up, reports, and the rooms of server notices.
//!
//! A user's rows lie in the user's lane. Tokens are stored as hashes only.

use hearth_protocol::{Lane, UserKey};
use serde::{Deserialize, Serialize};

use crate::{Place, Profile, ScanBy, Table, value};

/// When and from where a device was seen last; apart from [`Devices`](super::users::Devices), since it is written often. Owner: users.
pub struct DeviceSightings;
impl Table for DeviceSightings {
    const NUMBER: u16 = 102;
    const NAME: &'static str = "device_sighting";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    /// User, device id.
    type Key = (UserKey, String);
    type Value = DeviceSighting;
}
impl ScanBy<UserKey> for DeviceSightings {}

/// A device's last request, to about a minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceSighting {
    /// In milliseconds since 1970.
    pub seen_ms: u64,
    /// The address that the request came from.
    pub ip: Option<String>,
    /// What the client called itself (`User-Agent`).
    pub user_agent: Option<String>,
}
value!(DeviceSighting, 2, previous = DeviceSightingV1);

/// [`DeviceSighting`] before user agents were noted.
#[derive(Serialize, Deserialize)]
pub struct DeviceSightingV1 {
    seen_ms: u64,
    ip: Option<String>,
}
value!(DeviceSightingV1, 1);
impl From<DeviceSightingV1> for DeviceSighting {
    fn from(old: DeviceSightingV1) -> Self {
        let DeviceSightingV1 { seen_ms, ip } = old;
        Self { seen_ms, ip, user_agent: None }
    }
}

/// The refresh tokens of a user. Owner: users.
pub struct RefreshTokens;
impl Table for RefreshTokens {
    const NUMBER: u16 = 113;
    const NAME: &'static str = "refresh_token";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    /// User, first half of the token's SHA-256.
    type Key = (UserKey, [u8; 16]);
    type Value = RefreshToken;
}
impl ScanBy<UserKey> for RefreshTokens {}

/// A refresh token (C-S API, "Refreshing access tokens").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// The token's whole SHA-256.
    pub hash: [u8; 32],
    /// The device that it was given to.
    pub device_id: String,
    /// Key of the access token that was given out with it.
    pub access: [u8; 16],
    /// Key of the refresh token that led to this one, until this one or its access token was used.
    pub replaces: Option<[u8; 16]>,
    /// Key of the refresh token that it led to, which nobody has used yet.
    pub replaced_by: Option<[u8; 16]>,
    /// From when on it is refused, in milliseconds since 1970; none for never.
    pub expires_ms: Option<u64>,
}
value!(RefreshToken, 1);

/// Tokens that log somebody in once. Owner: users.
pub struct LoginTokens;
impl Table for LoginTokens {
    const NUMBER: u16 = 114;
    const NAME: &'static str = "login_token";
    const PROFILE: Profile = Profile::Small;
    const PLACE: Place = Place::ByUser;
    /// User, first half of the token's SHA-256.
    type Key = (UserKey, [u8; 16]);
    type Value = ShortToken;
}
impl ScanBy<UserKey> for LoginTokens {}

/// Tokens that prove to others who somebody is (C-S API, "OpenID"). Owner: users.
pub struct OpenIdTokens;
impl Table for OpenIdTokens {
    const NUMBER: u16 = 115;
    const NAME: &'static str = "openid_token";
    const PROFILE: Profile = Profile::Small;
    const PLACE: Place = Place::ByUser;
    /// User, first half of the token's SHA-256.
    type Key = (UserKey, [u8; 16]);
    type Value = ShortToken;
}
impl ScanBy<UserKey> for OpenIdTokens {}

/// A token that lives for minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortToken {
    /// The token's whole SHA-256.
    pub hash: [u8; 32],
    /// From when on it is refused, in milliseconds since 1970.
    pub expires_ms: u64,
}
value!(ShortToken, 1);

/// Accounts that were made a moment ago, by the interactive-auth session that led to them, so that a request which is
/// sent twice is answered twice. Owner: users.
pub struct RegisteredSessions;
impl Table for RegisteredSessions {
    const NUMBER: u16 = 119;
    const NAME: &'static str = "registered_session";
    const PROFILE: Profile = Profile::Small;
    const PLACE: Place = Place::ByKey;
    /// Shelf, session.
    type Key = (u8, [u8; 16]);
    type Value = RegisteredSession;
}
impl ScanBy<u8> for RegisteredSessions {}

/// What a session of registration came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredSession {
    /// The account that was made.
    pub user_id: String,
    /// SHA-256 of what was asked for, without the password.
    pub request: [u8; 32],
    /// From when on it is void, in milliseconds since 1970.
    pub expires_ms: u64,
}
value!(RegisteredSession, 1);

/// Deactivated users whose rooms are still to be left. Owner: users.
pub struct DeparturesDue;
impl Table for DeparturesDue {
    const NUMBER: u16 = 116;
    const NAME: &'static str = "departure_due";
    const PROFILE: Profile = Profile::Queue;
    const PLACE: Place = Place::ByLane;
    /// The user's lane, the user.
    type Key = (Lane, UserKey);
    type Value = DepartureDue;
}
impl ScanBy<Lane> for DeparturesDue {}

/// Somebody who has to be taken out of all rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepartureDue {
    /// The user's id.
    pub user_id: String,
}
value!(DepartureDue, 1);

/// What users have reported, by time. Owner: admin.
pub struct Reports;
impl Table for Reports {
    const NUMBER: u16 = 117;
    const NAME: &'static str = "report";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByKey;
    /// Shelf, milliseconds since 1970, what makes it the only one.
    type Key = (u8, u64, [u8; 16]);
    type Value = Report;
}
impl ScanBy<u8> for Reports {}

/// A report (C-S API, "Reporting Content").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Who reports.
    pub reporter: String,
    /// The room that is reported, or that the event is in.
    pub room_id: Option<String>,
    /// The event that is reported.
    pub event_id: Option<String>,
    /// The user who is reported, or who sent the event.
    pub user_id: Option<String>,
    /// In the reporter's words.
    pub reason: String,
}
value!(Report, 1);

/// The room in which a user gets the notices of this server. Owner: admin.
pub struct NoticeRooms;
impl Table for NoticeRooms {
    const NUMBER: u16 = 118;
    const NAME: &'static str = "notice_room";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    type Key = UserKey;
    type Value = NoticeRoom;
}

/// Where a user gets server notices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeRoom {
    /// The room's id.
    pub room_id: String,
}
value!(NoticeRoom, 1);
