//! Whom to ask for help. [Client-Server API, "Server administrator contact"]
//!
//! [Client-Server API, "Server administrator contact"]: https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixsupport

use axum::extract::State;
use ruma::{
    UserId,
    api::client::discovery::discover_support::{Contact, ContactRole, Request, Response},
};

use crate::{
    api_error::ApiError,
    config::ApiConfig,
    extract::Ruma,
    reply::{Reply, Result},
};

/// `GET /.well-known/matrix/support`
pub async fn get_wellknown_support(State(config): State<ApiConfig>, Ruma(_): Ruma<Request>) -> Result<Response> {
    let mut contacts = Vec::new();
    let admin = (config.admin_email, config.admin_matrix_id);
    contacts.extend(contact(ContactRole::Admin, admin));
    contacts.extend(contact(ContactRole::Security, (config.security_email, config.security_matrix_id)));
    if contacts.is_empty() && config.support_page.is_none() {
        return Err(ApiError::not_found("This server does not say whom to ask."));
    }
    let mut response = Response::with_contacts(contacts);
    response.support_page = config.support_page;
    Ok(Reply(response))
}

/// A contact, by its e-mail address and its Matrix id; the settings were checked at the start.
fn contact(role: ContactRole, (email, matrix_id): (Option<String>, Option<String>)) -> Option<Contact> {
    let matrix_id = matrix_id.and_then(|id| UserId::parse(id).ok());
    match (email, matrix_id) {
        (None, None) => None,
        (Some(email), matrix_id) => {
            let mut contact = Contact::with_email_address(role, email);
            contact.matrix_id = matrix_id;
            Some(contact)
        }
        (None, Some(matrix_id)) => Some(Contact::with_matrix_id(role, matrix_id)),
    }
}
