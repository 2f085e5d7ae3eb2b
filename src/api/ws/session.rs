//! Who is at the other end of a socket, proven by a token that is asked about again and again.

use hearth_homeserver::users::{AuthError, LocalUser, Users};
use hearth_protocol::UnixMs;

use super::close::Close;

/// A user, by a token that was valid when it was last looked at.
pub struct Session {
    pub user: LocalUser,
    pub token: String,
    /// Until when the token is good, if it runs out.
    pub expires: Option<UnixMs>,
}

impl Session {
    /// The session of a token.
    ///
    /// # Errors
    /// When the token is not valid.
    pub async fn open(users: &Users, token: String) -> Result<Self, AuthError> {
        let (user, expires) = users.authenticate_connection(&token).await?;
        Ok(Self { user, token, expires })
    }

    /// Looks whether the token is still valid; it reads nothing unless the user's sessions changed.
    ///
    /// # Errors
    /// The reason to close.
    pub async fn check(&mut self, users: &Users) -> Result<(), Close> {
        (self.user, self.expires) =
            users.authenticate_connection(&self.token).await.map_err(|error| close_for(&error))?;
        Ok(())
    }

    /// Takes a token over that another one of the same user and device replaces.
    ///
    /// # Errors
    /// The reason to close.
    pub async fn renew(&mut self, users: &Users, token: String) -> Result<(), Close> {
        let other = Self::open(users, token).await.map_err(|error| close_for(&error))?;
        if (&other.user.user_id, &other.user.device_id) != (&self.user.user_id, &self.user.device_id) {
            return Err(Close::OtherDevice);
        }
        *self = other;
        Ok(())
    }
}

/// The reason to close when a token is not valid.
pub fn close_for(error: &AuthError) -> Close {
    match error {
        AuthError::UnknownToken { .. } | AuthError::Locked => Close::TokenRefused,
        AuthError::Storage(error) => {
            tracing::error!(%error, "cannot authenticate a socket");
            Close::Failure
        }
    }
}
