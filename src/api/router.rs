//! All endpoints, a line each. The paths and the method stand in the ruma type that a handler takes.

use axum::Router;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    api_error::ApiError,
    client::{
        account_data, account_deactivation, banning, capabilities, create_room, device_management, event_context,
        filter, inviting, joining, kicking, knocking, leaving, list_joined_rooms, login, logout, message_pagination,
        password_management, presence, profile, pushrules, read_markers, receipts, redaction, registration,
        registration_tokens, room_send, room_state, rooms, sync, typing, versions, wellknown, whoami,
    },
    cors::allow_every_origin,
    endpoint::Serve as _,
    fallback::{unknown_method, unknown_path},
    state::AppState,
};

/// Paths of state events with an empty key, which ruma's types leave out.
const STATE_WITHOUT_KEY: [&str; 4] = [
    "/_matrix/client/v3/rooms/{room_id}/state/{event_type}",
    "/_matrix/client/v3/rooms/{room_id}/state/{event_type}/",
    "/_matrix/client/r0/rooms/{room_id}/state/{event_type}",
    "/_matrix/client/r0/rooms/{room_id}/state/{event_type}/",
];

/// Everything that is served, ready to be given requests.
///
/// The listener adds [`crate::PeerAddress`] to each request; logs, metrics and time limits are layers
/// of whoever calls this.
pub fn build_router(state: AppState) -> Router {
    endpoints()
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(CatchPanicLayer::custom(|_| {
            axum::response::IntoResponse::into_response(ApiError::internal("a handler panicked"))
        }))
        .layer(allow_every_origin())
        .with_state(state)
}

fn endpoints() -> Router<AppState> {
    Router::new().merge(accounts()).merge(user_data()).merge(memberships()).merge(events())
}

/// The server itself, accounts, sessions and devices.
fn accounts() -> Router<AppState> {
    Router::new()
        .serve(versions::get_versions)
        .serve(wellknown::get_wellknown)
        .serve(capabilities::get_capabilities)
        .serve(registration::register)
        .serve(registration::check_username_availability)
        .serve(registration_tokens::registration_token_validity)
        .serve(login::get_login_flows)
        .serve(login::login)
        .serve(logout::logout)
        .serve(logout::logout_all)
        .serve(whoami::get_token_owner)
        .serve(device_management::get_devices)
        .serve(device_management::get_device)
        .serve(device_management::update_device)
        .serve(device_management::delete_device)
        .serve(device_management::delete_devices)
        .serve(password_management::change_password)
        .serve(account_deactivation::deactivate_account)
}

/// What belongs to a user.
fn user_data() -> Router<AppState> {
    Router::new()
        .serve(profile::get_user_profile)
        .serve(profile::get_profile_field)
        .serve(profile::set_profile_field)
        .serve(profile::delete_profile_field)
        .serve(account_data::set_account_data)
        .serve(account_data::get_account_data)
        .serve(account_data::set_account_data_per_room)
        .serve(account_data::get_account_data_per_room)
        .serve(filter::define_filter)
        .serve(filter::get_filter)
        .serve(pushrules::get_push_rules)
        .serve(pushrules::get_push_rules_global)
        .serve(pushrules::get_push_rule)
        .serve(pushrules::is_push_rule_enabled)
        .serve(pushrules::get_push_rule_actions)
        .serve(presence::set_presence)
        .serve(presence::get_presence)
        .serve(sync::sync)
}

/// Rooms, and who is in them.
fn memberships() -> Router<AppState> {
    Router::new()
        .serve(create_room::create_room)
        .serve(joining::join_room_by_id)
        .serve(joining::join_room)
        .serve(knocking::knock_room)
        .serve(inviting::invite_user)
        .serve(leaving::leave_room)
        .serve(leaving::forget_room)
        .serve(kicking::kick)
        .serve(banning::ban)
        .serve(banning::unban)
        .serve(list_joined_rooms::get_joined_rooms)
        .serve(rooms::get_members_by_room)
        .serve(rooms::get_joined_members_by_room)
}

/// What happens in rooms.
fn events() -> Router<AppState> {
    let router = Router::new()
        .serve(room_send::send_message)
        .serve(room_state::set_room_state_with_key)
        .serve(redaction::redact_event)
        .serve(rooms::get_one_room_event)
        .serve(rooms::get_room_state)
        .serve(rooms::get_room_state_with_key)
        .serve(message_pagination::get_room_events)
        .serve(event_context::get_event_context)
        .serve(typing::set_typing)
        .serve(receipts::post_receipt)
        .serve(read_markers::set_read_marker);
    STATE_WITHOUT_KEY.into_iter().fold(router, |router, path| {
        router.serve_also(path, room_state::set_room_state_with_key).serve_also(path, rooms::get_room_state_with_key)
    })
}

#[cfg(test)]
#[path = "router_tests.rs"]
mod tests;
