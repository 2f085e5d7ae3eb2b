//! The tables of users: accounts, devices, access tokens, profiles, account data, and the rooms a user is in.
//!
//! A user's rows lie in the user's lane, so that one change of an account is one commit.
//! What exists before there is a user (interactive-auth progress, registration tokens) lies by shelf:
//! a small number in front of the key, so that the rows of a shelf can be listed.
//!
//! Only `homeserver/users` writes here, except [`UserRooms`], which rooms write through the outbox.

use hearth_protocol::{LanePos, RoomKey, UserKey};
use serde::{Deserialize, Serialize};

pub use super::membership::Membership;
use crate::{Place, Profile, ScanBy, StampedValue, Table, value};

/// The accounts of this server. Owner: users.
pub struct Accounts;
impl Table for Accounts {
    const NUMBER: u16 = 100;
    const NAME: &'static str = "account";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    type Key = UserKey;
    type Value = Account;
}

/// An account; it stays for ever once made, so that no one else can take its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The user's id as clients write it.
    pub user_id: String,
    /// The password's hash in PHC string format; none when one cannot log in by password.
    pub password: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// A guest account (C-S API, "Guest access").
    pub is_guest: bool,
    /// May use the administration endpoints.
    pub is_admin: bool,
    /// Every request is refused with `M_USER_LOCKED`, but the sessions stay.
    pub is_locked: bool,
    /// Most requests that change something are refused with `M_USER_SUSPENDED`.
    pub is_suspended: bool,
    /// Never to be used again.
    pub is_deactivated: bool,
    /// On deactivation the user asked that messages be hidden from new members of rooms.
    pub is_erased: bool,
    /// How many rows of [`Devices`] the user has.
    pub devices: u32,
    /// Raised by every login, logout and change of password: whoever asserts this row sees all of them.
    pub sessions_revision: u64,
}
value!(Account, 1);

/// The devices of a user. Owner: users.
pub struct Devices;
impl Table for Devices {
    const NUMBER: u16 = 101;
    const NAME: &'static str = "device";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    /// User, device id.
    type Key = (UserKey, String);
    type Value = Device;
}
impl ScanBy<UserKey> for Devices {}

/// A device that is logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The name that the user gave it.
    pub display_name: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// Key of its access token in [`AccessTokens`].
    pub token: Option<[u8; 16]>,
}
value!(Device, 1);

/// The access tokens of a user; only hashes are stored. Owner: users.
pub struct AccessTokens;
impl Table for AccessTokens {
    const NUMBER: u16 = 103;
    const NAME: &'static str = "access_token";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    /// User, first half of the token's SHA-256.
    type Key = (UserKey, [u8; 16]);
    type Value = AccessToken;
}
impl ScanBy<UserKey> for AccessTokens {}

/// What an access token stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// The token's whole SHA-256.
    pub hash: [u8; 32],
    /// The device that it was given to.
    pub device_id: String,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// From when on it is refused, in milliseconds since 1970; none for never.
    pub expires_ms: Option<u64>,
    /// Key of the refresh token that ends, with its access token, when this token is first used.
    pub replaces: Option<[u8; 16]>,
}
value!(AccessToken, 2, previous = AccessTokenV1);

/// [`AccessToken`] before there were refresh tokens.
#[derive(Serialize, Deserialize)]
pub struct AccessTokenV1 {
    hash: [u8; 32],
    device_id: String,
    created_ms: u64,
    expires_ms: Option<u64>,
}
value!(AccessTokenV1, 1);
impl From<AccessTokenV1> for AccessToken {
    fn from(old: AccessTokenV1) -> Self {
        let AccessTokenV1 { hash, device_id, created_ms, expires_ms } = old;
        Self { hash, device_id, created_ms, expires_ms, replaces: None }
    }
}

/// Interactive-auth sessions that have completed a stage, but not all. Owner: users.
pub struct UiaSessions;
impl Table for UiaSessions {
    const NUMBER: u16 = 104;
    const NAME: &'static str = "uia_session";
    const PROFILE: Profile = Profile::Small;
    const PLACE: Place = Place::ByKey;
    /// Shelf, session.
    type Key = (u8, [u8; 16]);
    type Value = UiaSession;
}
impl ScanBy<u8> for UiaSessions {}

/// How far an interactive authentication has come (C-S API, "User-Interactive Authentication API").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UiaSession {
    /// Stages that are done, in the order of completion.
    pub completed: Vec<String>,
    /// The registration token of which a use is reserved.
    pub registration_token: Option<String>,
    /// From when on it is void, in milliseconds since 1970.
    pub expires_ms: u64,
}
value!(UiaSession, 1);

/// Tokens that allow registration, all on shelf 0. Owner: users.
pub struct RegistrationTokens;
impl Table for RegistrationTokens {
    const NUMBER: u16 = 105;
    const NAME: &'static str = "registration_token";
    const PROFILE: Profile = Profile::Small;
    const PLACE: Place = Place::ByKey;
    /// Shelf, token.
    type Key = (u8, String);
    type Value = RegistrationToken;
}
impl ScanBy<u8> for RegistrationTokens {}

/// A token that allows registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationToken {
    /// How many accounts it may make; none for any number.
    pub uses_allowed: Option<u32>,
    /// Uses that are reserved or done.
    pub uses: u32,
    /// From when on it is void, in milliseconds since 1970; none for never.
    pub expires_ms: Option<u64>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
}
value!(RegistrationToken, 1);

/// The uses of registration tokens, on the shelf of their token. Owner: users.
pub struct RegistrationTokenUses;
impl Table for RegistrationTokenUses {
    const NUMBER: u16 = 106;
    const NAME: &'static str = "registration_token_use";
    const PROFILE: Profile = Profile::Small;
    const PLACE: Place = Place::ByKey;
    /// Shelf, token, interactive-auth session.
    type Key = (u8, String, [u8; 16]);
    type Value = RegistrationTokenUse;
}
impl ScanBy<u8> for RegistrationTokenUses {}
impl ScanBy<(u8, String)> for RegistrationTokenUses {}

/// One use of a registration token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationTokenUse {
    /// What has become of it.
    pub state: TokenUseState,
    /// When a use that is not done falls back to the token, in milliseconds since 1970.
    pub expires_ms: u64,
}
value!(RegistrationTokenUse, 1);

/// The life of one use of a registration token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenUseState {
    /// Held for an interactive-auth session.
    Reserved,
    /// An account of this id is being made with it.
    Claimed(String),
    /// The account was made.
    Done,
}

/// The profiles of this server's users. Owner: users.
pub struct Profiles;
impl Table for Profiles {
    const NUMBER: u16 = 107;
    const NAME: &'static str = "profile";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    type Key = UserKey;
    type Value = UserProfile;
}

/// All fields of a profile in one row: it is under 64 KiB by the specification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserProfile {
    /// Field names with their values as JSON, sorted by name.
    pub fields: Vec<(String, String)>,
}
value!(UserProfile, 1);

/// Which row of [`AccountDataLog`] holds a type's content. Owner: users.
pub struct AccountDataIndex;
impl Table for AccountDataIndex {
    const NUMBER: u16 = 108;
    const NAME: &'static str = "account_data_index";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    /// User, room id (empty for what belongs to no room), type.
    type Key = (UserKey, String, String);
    type Value = AccountDataEntry;
}
impl ScanBy<UserKey> for AccountDataIndex {}
impl ScanBy<(UserKey, String)> for AccountDataIndex {}

/// Where the content of a type of account data is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountDataEntry {
    /// The position of the first part; the others follow it directly.
    pub pos: LanePos,
    /// In how many parts the content is, at least one.
    pub parts: u16,
    /// Length of the content's JSON, in bytes.
    pub content_bytes: u32,
    /// It was deleted: the content is `{}` and there only for those who sync.
    pub is_deleted: bool,
}
value!(AccountDataEntry, 1);
impl StampedValue for AccountDataEntry {}

/// The account data of a user in the order of change, each type only where it changed last. Followed by sync. Owner: users.
pub struct AccountDataLog;
impl Table for AccountDataLog {
    const NUMBER: u16 = 109;
    const NAME: &'static str = "account_data";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByUser;
    type Key = (UserKey, LanePos);
    type Value = AccountDataPart;
}
impl ScanBy<UserKey> for AccountDataLog {}

/// The content of a type of account data, or a part of it where it is long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountDataPart {
    /// The room id; empty for what belongs to no room.
    pub room_id: String,
    /// The type of the event.
    pub kind: String,
    /// How many parts come after this one.
    pub parts_left: u16,
    /// It was deleted; the content is `{}`.
    pub is_deleted: bool,
    /// JSON of the content, or a piece of it.
    pub content: String,
}
value!(AccountDataPart, 1);

/// The filters that a user's clients have stored. Owner: users.
pub struct Filters;
impl Table for Filters {
    const NUMBER: u16 = 110;
    const NAME: &'static str = "filter";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    /// User, filter id.
    type Key = (UserKey, String);
    type Value = Filter;
}
impl ScanBy<UserKey> for Filters {}

/// A filter (C-S API, "Filtering").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Its JSON as the client gave it, without spaces.
    pub json: String,
}
value!(Filter, 1);

/// What a user has stored altogether, for the limits. Owner: users.
pub struct UserTotals;
impl Table for UserTotals {
    const NUMBER: u16 = 111;
    const NAME: &'static str = "user_total";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByUser;
    type Key = UserKey;
    type Value = UserTotal;
}

/// Counts of a user's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserTotal {
    /// Types of account data, deleted ones included: each keeps a row.
    pub account_data_types: u32,
    /// JSON of all account data, in bytes.
    pub account_data_bytes: u64,
    /// Filters.
    pub filters: u32,
}
value!(UserTotal, 1);

/// The rooms that a user has something to do with. Written by rooms through the outbox; read by users and sync.
///
/// It says which rooms to look at; whether the user is in a room is decided in the room's own lane.
pub struct UserRooms;
impl Table for UserRooms {
    const NUMBER: u16 = 112;
    const NAME: &'static str = "user_room";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByUser;
    type Key = (UserKey, RoomKey);
    type Value = UserRoom;
}
impl ScanBy<UserKey> for UserRooms {}

/// A room as its member sees it in the list of rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRoom {
    /// The position, in the user's lane, of this row's last change.
    pub pos: LanePos,
    /// The room's id as clients write it.
    pub room_id: String,
    /// The user's membership by that event.
    pub membership: Membership,
    /// That event.
    pub event_id: String,
    /// Who sent that event.
    pub sender: String,
    /// The user has left and forgotten the room.
    pub forgotten: bool,
    /// Stripped state of an invite or knock, each event as JSON.
    pub stripped: Vec<String>,
}
value!(UserRoom, 1);
impl StampedValue for UserRoom {}
