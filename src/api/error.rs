//! The one table from the homeserver's errors to what Matrix calls them.
//!
//! A lower layer's text never reaches a client, unless it speaks of the client's own request.

use hearth_homeserver::{
    flows::SearchError,
    rooms::{DELAY_MS_MAX, DelayError, RoomError, SubscriptionError},
    sync::SyncError,
    users::{
        AccountDataError, AccountError, AuthError, BadDevice, BadPassword, BadUsername, DeviceError, FilterError,
        LoginError, LoginTokenError, PasswordFailure, PresenceError, ProfileError, PushRuleError, RefreshError,
        RegisterError, StageError, StoreFailure, TagError, UiaChallenge, UiaError,
    },
};
use hearth_protocol::{BadEvent, Rejection};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::api_error::ApiError;

/// How long a client is sent away when too many requests wait for a room.
const ROOM_RETRY_AFTER_MS: u64 = 1_000;

/// How long a client is sent away when too many passwords wait to be compared.
const PASSWORDS_RETRY_AFTER_MS: u64 = 2_000;

pub(super) fn bad_request(errcode: &'static str, reason: &impl ToString) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, errcode, reason.to_string())
}

impl From<RoomError> for ApiError {
    fn from(error: RoomError) -> Self {
        match error {
            RoomError::UnknownRoom => Self::not_in_room(),
            RoomError::UnknownEvent => Self::not_found("Event not found."),
            RoomError::Forbidden(reason) => Self::forbidden(reason),
            RoomError::Suspended => Self::suspended(),
            RoomError::InviteBlocked => {
                Self::new(StatusCode::FORBIDDEN, "M_INVITE_BLOCKED", "This user lets nobody invite them.")
            }
            RoomError::Refused(rejection @ Rejection::StateKeyOwnerMalformed) => Self::bad_json(rejection.to_string()),
            RoomError::Refused(rejection @ Rejection::PowerNamesCreator) => Self::invalid_param(rejection.to_string()),
            RoomError::Refused(rejection) => Self::forbidden(rejection.to_string()),
            RoomError::BadEvent(bad @ BadEvent::TooLarge { .. }) => Self::too_large(bad.to_string()),
            RoomError::BadEvent(bad) => Self::bad_json(bad.to_string()),
            RoomError::NoticeRoom => Self::new(
                StatusCode::FORBIDDEN,
                "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM",
                "The invite to the server's notices cannot be declined.",
            ),
            RoomError::Invalid(reason) => Self::invalid_param(reason),
            RoomError::UnknownAlias => Self::not_found("Room alias not found."),
            RoomError::AliasInUse => {
                Self::new(StatusCode::CONFLICT, "M_UNKNOWN", "This room alias names a room already.")
            }
            RoomError::ExclusiveAlias => {
                bad_request("M_EXCLUSIVE", &"This room alias is kept for an application service, or for others.")
            }
            RoomError::RoomInUse => bad_request("M_ROOM_IN_USE", &"The room alias names a room already."),
            RoomError::BadAlias => bad_request("M_BAD_ALIAS", &"A room alias does not lead to this room."),
            RoomError::InvalidRoomState(reason) => bad_request("M_INVALID_ROOM_STATE", &reason),
            RoomError::UnsupportedVersion => {
                bad_request("M_UNSUPPORTED_ROOM_VERSION", &"This server does not know that room version.")
            }
            RoomError::DuplicateAnnotation => {
                bad_request("M_DUPLICATE_ANNOTATION", &"You have annotated the event so already.")
            }
            RoomError::BadRelation(reason) => bad_request("M_UNKNOWN", &reason),
            RoomError::NotLeft => bad_request("M_UNKNOWN", &"You have not left this room."),
            RoomError::BadSignature(bad) => Self::forbidden(bad.to_string()),
            error @ (RoomError::Missing(_) | RoomError::Unresolvable(_) | RoomError::RoomExists) => {
                Self::internal(error)
            }
            RoomError::Overloaded => Self::limit_exceeded(ROOM_RETRY_AFTER_MS),
            error @ RoomError::Stopping => Self::unavailable("The server is stopping.", error),
            RoomError::Storage(error) => Self::internal(error),
            RoomError::Commit(error) => Self::cannot_store(error),
        }
    }
}

impl From<SubscriptionError> for ApiError {
    fn from(error: SubscriptionError) -> Self {
        match error {
            SubscriptionError::NotInThread => bad_request("IO.ELEMENT.MSC4306.M_NOT_IN_THREAD", &error),
            SubscriptionError::Unsubscribed => {
                Self::new(StatusCode::CONFLICT, "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION", error.to_string())
            }
            SubscriptionError::TooMany => Self::resource_limit(error.to_string()),
            SubscriptionError::Room(error) => error.into(),
        }
    }
}

impl From<DelayError> for ApiError {
    fn from(error: DelayError) -> Self {
        match error {
            DelayError::TooLong => bad_request("M_UNKNOWN", &error)
                .with("org.matrix.msc4140.errcode", "M_MAX_DELAY_EXCEEDED")
                .with("org.matrix.msc4140.max_delay", DELAY_MS_MAX),
            DelayError::TooMany => {
                bad_request("M_UNKNOWN", &error).with("org.matrix.msc4140.errcode", "M_MAX_DELAYED_EVENTS_EXCEEDED")
            }
            DelayError::TooLarge => Self::too_large(error.to_string()),
            DelayError::Unknown => Self::not_found("Unknown delayed event."),
            DelayError::Room(error) => error.into(),
        }
    }
}

impl From<SearchError> for ApiError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Off => bad_request("M_UNKNOWN", &"Search is disabled on this homeserver."),
            SearchError::Cursor(error) => Self::invalid_param(error.to_string()),
            SearchError::Room(error) => error.into(),
        }
    }
}

impl From<StoreFailure> for ApiError {
    fn from(error: StoreFailure) -> Self {
        match error {
            StoreFailure::Read(error) => Self::internal(error),
            error @ (StoreFailure::Write(_) | StoreFailure::Contended) => Self::cannot_store(error),
        }
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::UnknownToken { soft_logout } => Self::unknown_token(soft_logout),
            AuthError::Locked => Self::locked(),
            AuthError::Storage(error) => Self::internal(error),
        }
    }
}

impl From<PasswordFailure> for ApiError {
    fn from(error: PasswordFailure) -> Self {
        match error {
            PasswordFailure::Busy => Self::limit_exceeded(PASSWORDS_RETRY_AFTER_MS),
            PasswordFailure::Broken => Self::internal(error),
        }
    }
}

impl From<BadDevice> for ApiError {
    fn from(error: BadDevice) -> Self {
        match error {
            BadDevice::Id | BadDevice::Name => Self::invalid_param(error.to_string()),
            BadDevice::TooMany => Self::resource_limit(error.to_string()),
        }
    }
}

impl From<BadPassword> for ApiError {
    fn from(error: BadPassword) -> Self {
        match error {
            BadPassword::TooShort { .. } => bad_request("M_WEAK_PASSWORD", &error),
            BadPassword::TooLong => Self::invalid_param(error.to_string()),
        }
    }
}

impl From<BadUsername> for ApiError {
    fn from(error: BadUsername) -> Self {
        bad_request("M_INVALID_USERNAME", &error)
    }
}

impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Forbidden => Self::forbidden("Wrong user name or password"),
            LoginError::Locked => Self::locked(),
            LoginError::Device(error) => error.into(),
            LoginError::Password(error) => error.into(),
            LoginError::Store(error) => error.into(),
        }
    }
}

impl From<LoginTokenError> for ApiError {
    fn from(error: LoginTokenError) -> Self {
        match error {
            LoginTokenError::NotOffered => {
                Self::new(StatusCode::NOT_FOUND, "M_UNRECOGNIZED", "Login tokens are not offered.")
            }
            LoginTokenError::Store(error) => error.into(),
        }
    }
}

impl From<RefreshError> for ApiError {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Unknown => Self::unknown_token(false),
            RefreshError::Expired => Self::unknown_token(true),
            RefreshError::Locked => Self::locked(),
            RefreshError::Store(error) => error.into(),
        }
    }
}

impl From<RegisterError> for ApiError {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Username(error) => error.into(),
            RegisterError::Taken => bad_request("M_USER_IN_USE", &"This user name is taken."),
            RegisterError::Reserved => bad_request("M_EXCLUSIVE", &"This user name is reserved."),
            RegisterError::GuestsForbidden => Self::guest_forbidden(),
            RegisterError::BadPassword(error) => error.into(),
            RegisterError::DisplayName => Self::invalid_param(error.to_string()),
            RegisterError::Device(error) => error.into(),
            RegisterError::TokenUsed => Self::forbidden("The registration token is used up."),
            RegisterError::Password(error) => error.into(),
            RegisterError::Store(error) => error.into(),
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Unknown => Self::not_found("Unknown user."),
            AccountError::PasswordFixed => Self::forbidden("Passwords cannot be changed on this server."),
            AccountError::Deactivated => {
                Self::new(StatusCode::FORBIDDEN, "M_USER_DEACTIVATED", "This account is deactivated.")
            }
            AccountError::BadPassword(error) => error.into(),
            AccountError::Password(error) => error.into(),
            AccountError::Store(error) => error.into(),
        }
    }
}

impl From<DeviceError> for ApiError {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Unknown => Self::not_found("Unknown device."),
            DeviceError::Name => Self::invalid_param(error.to_string()),
            DeviceError::Bad(error) => error.into(),
            DeviceError::Store(error) => error.into(),
        }
    }
}

impl From<UiaError> for ApiError {
    fn from(error: UiaError) -> Self {
        match error {
            UiaError::RegistrationClosed => Self::forbidden("Registration is closed."),
            UiaError::OtherUser => Self::forbidden("Authenticate as the user who makes the request."),
            UiaError::Password(error) => error.into(),
            UiaError::Store(error) => error.into(),
        }
    }
}

impl From<UiaChallenge> for ApiError {
    fn from(challenge: UiaChallenge) -> Self {
        let flows = challenge.flows.iter().map(|stages| json!({ "stages": stages })).collect();
        let mut question = Map::new();
        question.insert("flows".to_owned(), Value::Array(flows));
        question.insert("params".to_owned(), challenge.params);
        question.insert("session".to_owned(), challenge.session.into());
        if !challenge.completed.is_empty() || challenge.error.is_some() {
            question.insert("completed".to_owned(), challenge.completed.into());
        }
        if let Some(error) = challenge.error {
            let errcode = match error {
                StageError::WrongPassword => "M_FORBIDDEN",
                StageError::BadRegistrationToken | StageError::OtherSession => "M_UNAUTHORIZED",
                StageError::NotOffered => "M_UNRECOGNIZED",
            };
            question.insert("errcode".to_owned(), errcode.into());
            question.insert("error".to_owned(), error.to_string().into());
        }
        Self::interactive(question)
    }
}

impl From<AccountDataError> for ApiError {
    fn from(error: AccountDataError) -> Self {
        match error {
            AccountDataError::Managed => Self::new(StatusCode::METHOD_NOT_ALLOWED, "M_BAD_JSON", error.to_string()),
            AccountDataError::Kind => Self::invalid_param(error.to_string()),
            AccountDataError::NotAnObject => Self::bad_json(error.to_string()),
            AccountDataError::ItemTooLarge => Self::too_large(error.to_string()),
            AccountDataError::Full => Self::resource_limit(error.to_string()),
            AccountDataError::Store(error) => error.into(),
        }
    }
}

impl From<ProfileError> for ApiError {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::NotChangeable => Self::forbidden("This cannot be changed on this server."),
            ProfileError::UnknownUser => Self::not_found("Unknown user."),
            ProfileError::Key => Self::invalid_param(error.to_string()),
            ProfileError::KeyTooLarge => bad_request("M_KEY_TOO_LARGE", &error),
            ProfileError::Value(_) => Self::bad_json(error.to_string()),
            ProfileError::TooLarge => bad_request("M_PROFILE_TOO_LARGE", &error),
            ProfileError::Store(error) => error.into(),
        }
    }
}

impl From<FilterError> for ApiError {
    fn from(error: FilterError) -> Self {
        match error {
            FilterError::BadFilter(_) => Self::bad_json(error.to_string()),
            FilterError::TooLarge => Self::too_large(error.to_string()),
            FilterError::TooMany => Self::resource_limit(error.to_string()),
            FilterError::Store(error) => error.into(),
        }
    }
}

impl From<PushRuleError> for ApiError {
    fn from(error: PushRuleError) -> Self {
        match error {
            PushRuleError::Unknown => Self::not_found("Unknown push rule."),
            PushRuleError::UnknownNeighbour => bad_request("M_UNKNOWN", &error),
            PushRuleError::ServerDefault | PushRuleError::Id | PushRuleError::Order => {
                Self::invalid_param(error.to_string())
            }
            PushRuleError::TooLarge => Self::too_large(error.to_string()),
            PushRuleError::TooMany | PushRuleError::TooManyWildcards => Self::resource_limit(error.to_string()),
            PushRuleError::AccountData(error) => error.into(),
        }
    }
}

impl From<TagError> for ApiError {
    fn from(error: TagError) -> Self {
        match error {
            TagError::Invalid => Self::invalid_param(error.to_string()),
            TagError::Order => Self::bad_json(error.to_string()),
            TagError::AccountData(error) => error.into(),
        }
    }
}

impl From<PresenceError> for ApiError {
    fn from(error: PresenceError) -> Self {
        match error {
            PresenceError::State => Self::bad_json(error.to_string()),
            PresenceError::TooLarge => Self::too_large(error.to_string()),
        }
    }
}

impl From<SyncError> for ApiError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Storage(error) => Self::internal(error),
            SyncError::Room(error) => error.into(),
        }
    }
}
