//! The part of the table of errors that has to do with administrators, reports and application services.

use hearth_homeserver::{
    admin::{NoticeError, ReportError},
    appservice::ServiceError,
    users::{ActError, FallbackError, ModerationError, RegistrationTokenError, SharedSecretError, UpgradeError},
};

use http::StatusCode;

use crate::{api_error::ApiError, error::bad_request};

impl From<ModerationError> for ApiError {
    fn from(error: ModerationError) -> Self {
        match error {
            ModerationError::NotAdmin => Self::forbidden("Only an administrator of this server may do this."),
            ModerationError::NotLocal => Self::invalid_param("The user is not of this server."),
            ModerationError::Unknown => Self::not_found("Unknown user."),
            ModerationError::Protected => Self::forbidden("An administrator's account cannot be restricted."),
            ModerationError::Store(error) => error.into(),
        }
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotItsUser => Self::forbidden("The application service may not act as this user."),
            ServiceError::Act(ActError::UnknownUser) => Self::forbidden("The application service has no such user."),
            ServiceError::Act(ActError::UnknownDevice) => {
                bad_request("M_UNKNOWN_DEVICE", &"The user has no such device.")
            }
            ServiceError::Act(ActError::Locked) => Self::locked(),
            ServiceError::Act(ActError::Storage(error)) => Self::internal(error),
            ServiceError::Register(error) => error.into(),
        }
    }
}

impl From<ReportError> for ApiError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::NotFound(_) => Self::not_found(error.to_string()),
            ReportError::ReasonTooLong => Self::invalid_param(error.to_string()),
            ReportError::Room(error) => error.into(),
            ReportError::Storage(error) => Self::internal(error),
            ReportError::Commit(error) => Self::cannot_store(error),
        }
    }
}

impl From<SharedSecretError> for ApiError {
    fn from(error: SharedSecretError) -> Self {
        match error {
            SharedSecretError::Off => Self::new(
                StatusCode::NOT_FOUND,
                "M_UNRECOGNIZED",
                "Registration by a shared secret is not enabled on this server.",
            ),
            SharedSecretError::Nonce | SharedSecretError::Nul => bad_request("M_UNKNOWN", &error),
            SharedSecretError::Mac => Self::forbidden("The MAC is wrong."),
            SharedSecretError::Register(error) => error.into(),
        }
    }
}

impl From<RegistrationTokenError> for ApiError {
    fn from(error: RegistrationTokenError) -> Self {
        match error {
            RegistrationTokenError::Grammar | RegistrationTokenError::Taken | RegistrationTokenError::Past => {
                Self::invalid_param(error.to_string())
            }
            RegistrationTokenError::Unknown => Self::not_found("Unknown registration token."),
            RegistrationTokenError::TooMany => Self::resource_limit(error.to_string()),
            RegistrationTokenError::Store(error) => error.into(),
        }
    }
}

impl From<UpgradeError> for ApiError {
    fn from(error: UpgradeError) -> Self {
        match error {
            UpgradeError::NotAGuest => Self::forbidden("The guest access token is not a guest's."),
            UpgradeError::OtherName => bad_request("M_INVALID_USERNAME", &"A guest keeps the user name."),
            UpgradeError::Register(error) => error.into(),
            UpgradeError::Login(error) => error.into(),
        }
    }
}

impl From<FallbackError> for ApiError {
    fn from(error: FallbackError) -> Self {
        match error {
            FallbackError::Session => bad_request("M_UNKNOWN", &"The session is unknown or ran out."),
            FallbackError::Stage(error) => Self::new(StatusCode::UNAUTHORIZED, "M_UNAUTHORIZED", error.to_string()),
            FallbackError::Store(error) => error.into(),
        }
    }
}

impl From<NoticeError> for ApiError {
    fn from(error: NoticeError) -> Self {
        match error {
            NoticeError::Off => bad_request("M_UNKNOWN", &"Server notices are not enabled on this server."),
            NoticeError::NotLocal => Self::invalid_param("The user is not of this server."),
            NoticeError::Unknown => Self::not_found("Unknown user."),
            NoticeError::Register(error) => error.into(),
            NoticeError::Room(error) => error.into(),
            NoticeError::Tag(error) => error.into(),
            NoticeError::Storage(error) => Self::internal(error),
            NoticeError::Commit(error) => Self::cannot_store(error),
        }
    }
}
