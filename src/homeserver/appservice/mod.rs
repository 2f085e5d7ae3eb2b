//! Application services: bridges and bots that the operator has registered, and what they may do here.
//!
//! A registration is a value, given at assembly; nothing here reads files. Nothing is sent to the services yet.
//! It must never let a service act as a user that is not its own.

mod acting;
mod directory;
mod registration;

pub use acting::ServiceError;
pub use directory::AppServices;
pub use registration::{BadRegistration, Service};
