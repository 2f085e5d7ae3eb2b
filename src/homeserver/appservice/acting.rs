//! What a service does with its own token: act as its users, make them, and log them in
//! (Application Service API, "Client-Server API Extensions").

use ruma::{DeviceId, UserId};
use thiserror::Error;

use super::directory::AppServices;
use super::registration::Service;
use crate::users::{
    ActError, LocalUser, LoginError, NewDevice, NewSession, RegisterError, Registered, ServiceCaller, Users,
};

/// Why a service may not act as a user.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// The user is none of the service's: `M_FORBIDDEN`.
    #[error("the application service may not act as this user")]
    NotItsUser,
    /// The user or the device does not exist.
    #[error(transparent)]
    Act(#[from] ActError),
    /// The service's own user could not be made.
    #[error(transparent)]
    Register(#[from] RegisterError),
}

impl AppServices {
    /// The user as whom a service calls: the one that it names, or its own. Its own is made when it is first used.
    pub async fn act_as(
        &self,
        users: &Users,
        service: &Service,
        user: Option<&UserId>,
        device: Option<&DeviceId>,
    ) -> Result<LocalUser, ServiceError> {
        let user = user.unwrap_or(&service.sender);
        if !users.is_local(user) || !service.owns_user(user) {
            return Err(ServiceError::NotItsUser);
        }
        let caller = ServiceCaller {
            id: service.id.clone(),
            has_device: device.is_some(),
            is_rate_limited: service.is_rate_limited,
        };
        match users.act_for_service(user, device, caller.clone()).await {
            Err(ActError::UnknownUser) if user == service.sender => {
                match users.create_service_user(user, None).await {
                    // Another request of the same moment was faster.
                    Ok(_) | Err(RegisterError::Taken) => {}
                    Err(error) => return Err(error.into()),
                }
                Ok(users.act_for_service(user, device, caller).await?)
            }
            other => Ok(other?),
        }
    }

    /// Makes one of a service's users (C-S API, `POST /register` with `m.login.application_service`).
    pub async fn register(
        &self,
        users: &Users,
        service: &Service,
        username: &str,
        device: Option<NewDevice>,
    ) -> Result<Registered, RegisterError> {
        let user = users.build_user_id(username)?;
        if !service.owns_user(&user) || self.is_claimed_by_others(&user, service) {
            return Err(RegisterError::Reserved);
        }
        users.create_service_user(&user, device).await
    }

    /// Logs one of a service's users in (C-S API, `POST /login` with `m.login.application_service`).
    pub async fn login(
        &self,
        users: &Users,
        service: &Service,
        name: &str,
        device: NewDevice,
    ) -> Result<NewSession, LoginError> {
        users.login_for_service(name, device, |user| service.owns_user(user)).await
    }
}
