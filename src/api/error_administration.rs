//! The part of the table of errors that has to do with administrators, reports and application services.

use hearth_homeserver::{
    admin::ReportError,
    appservice::ServiceError,
    users::{ActError, ModerationError},
};

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
