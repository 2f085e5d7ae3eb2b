//! All endpoints, a line each. The paths and the method stand in the ruma type that a handler takes.

use axum::Router;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    api_error::ApiError,
    client,
    cors::allow_every_origin,
    endpoint::Serve as _,
    fallback::{unknown_method, unknown_path},
    federation,
    state::AppState,
    synapse_admin, ws,
};

/// Paths of state events with an empty key, which ruma's types leave out.
const STATE_WITHOUT_KEY: [&str; 4] = [
    "/_matrix/client/v3/rooms/{room_id}/state/{event_type}",
    "/_matrix/client/v3/rooms/{room_id}/state/{event_type}/",
    "/_matrix/client/r0/rooms/{room_id}/state/{event_type}",
    "/_matrix/client/r0/rooms/{room_id}/state/{event_type}/",
];

/// Paths of push rules without the slash at their end, which some clients leave out.
const PUSH_RULES: [&str; 2] = ["/_matrix/client/v3/pushrules", "/_matrix/client/r0/pushrules"];
/// The same for the global ones.
const PUSH_RULES_GLOBAL: [&str; 2] = ["/_matrix/client/v3/pushrules/global", "/_matrix/client/r0/pushrules/global"];
/// Before r0, media had a v1, which old clients and servers still ask for; ruma's types leave it out.
const MEDIA_V1: &str = "/_matrix/media/v1";

/// Where clients look for a room's summary that follow the first drafts of MSC3266.
const UNSTABLE_SUMMARY: &str = "/_matrix/client/unstable/im.nheko.summary/summary/{room_id_or_alias}";

/// Where clients look for shared rooms that follow MSC2666.
const UNSTABLE_MUTUAL_ROOMS: &str = "/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms";

/// Everything that is served, ready to be given requests.
///
/// The listener adds [`crate::PeerAddress`] to each request; logs, metrics and time limits are layers
/// of whoever calls this. `around` adds those layers for the calls that come over a socket, each of which goes through
/// the same endpoints.
pub fn build_router(state: AppState, around: impl FnOnce(Router) -> Router) -> Router {
    if !state.sockets().config().enabled {
        return finish(endpoints(), state);
    }
    let calls = around(finish(endpoints(), state.clone()));
    finish(endpoints().merge(ws::router(calls)), state)
}

fn finish(endpoints: Router<AppState>, state: AppState) -> Router {
    endpoints
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(CatchPanicLayer::custom(|_| {
            axum::response::IntoResponse::into_response(ApiError::internal("a handler panicked"))
        }))
        .layer(allow_every_origin())
        .with_state(state)
}

fn endpoints() -> Router<AppState> {
    Router::new()
        .merge(accounts())
        .merge(administration())
        .merge(user_data())
        .merge(memberships())
        .merge(discovery())
        .merge(events())
        .merge(relations())
        .merge(media())
        .merge(other_servers())
}

/// The server itself, accounts, sessions and devices.
fn accounts() -> Router<AppState> {
    Router::new()
        .serve(client::versions::get_versions)
        .serve(client::wellknown::get_wellknown)
        .serve(client::capabilities::get_capabilities)
        .serve(client::registration::register)
        .serve(client::registration::check_username_availability)
        .serve(client::registration_tokens::registration_token_validity)
        .serve(client::auth_fallback::get_auth_fallback)
        .serve(client::auth_fallback::pass_auth_fallback)
        .serve(client::login::get_login_flows)
        .serve(client::login::login)
        .serve(client::login_token::generate_login_token)
        .serve(client::refresh::refresh)
        .serve(client::sso_login_redirect::redirect_to_sso)
        .serve(client::sso_login_redirect::redirect_to_id_p)
        .serve(client::logout::logout)
        .serve(client::logout::logout_all)
        .serve(client::whoami::get_token_owner)
        .serve(client::device_management::get_devices)
        .serve(client::device_management::get_device)
        .serve(client::device_management::update_device)
        .serve(client::device_management::delete_device)
        .serve(client::device_management::delete_devices)
        .serve(client::password_management::change_password)
        .serve(client::account_deactivation::deactivate_account)
        .serve(client::administrative_contact::get_account3pids)
        .serve(client::openid::request_open_id_token)
        .serve(federation::openid::exchange_open_id_token)
}

/// What the operator and the administrators have to do with.
fn administration() -> Router<AppState> {
    Router::new()
        .serve(client::support::get_wellknown_support)
        .serve(client::policy_server::get_wellknown_policy)
        .serve(client::voip::get_turn_server)
        .serve(client::admin::get_who_is)
        .serve(client::admin::get_admin_suspend_user)
        .serve(client::admin::set_admin_suspend_user)
        .serve(client::admin::get_admin_lock_user)
        .serve(client::admin::set_admin_lock_user)
        .serve(client::report_content::report_room)
        .serve(client::report_content::report_event)
        .serve(client::report_content::report_user)
        .serve(synapse_admin::register::get_registration_nonce)
        .serve(synapse_admin::register::register_by_secret)
        .serve(synapse_admin::registration_tokens::list_registration_tokens)
        .serve(synapse_admin::registration_tokens::create_registration_token)
        .serve(synapse_admin::registration_tokens::get_registration_token)
        .serve(synapse_admin::registration_tokens::update_registration_token)
        .serve(synapse_admin::registration_tokens::delete_registration_token)
        .serve(synapse_admin::server_notices::send_server_notice)
        .serve(synapse_admin::server_notices::send_server_notice_once)
}

/// What belongs to a user.
fn user_data() -> Router<AppState> {
    let rules = PUSH_RULES
        .into_iter()
        .fold(Router::new(), |router, path| router.serve_also(path, client::pushrules::get_push_rules));
    let rules = PUSH_RULES_GLOBAL
        .into_iter()
        .fold(rules, |router, path| router.serve_also(path, client::pushrules::get_push_rules_global));
    rules
        .serve(client::pusher::get_pushers)
        .serve(client::profile::get_user_profile)
        .serve(client::profile::get_profile_field)
        .serve(client::profile::set_profile_field)
        .serve(client::profile::delete_profile_field)
        .serve(client::account_data::set_account_data)
        .serve(client::account_data::get_account_data)
        .serve(client::account_data::set_account_data_per_room)
        .serve(client::account_data::get_account_data_per_room)
        .serve(client::account_data::delete_account_data)
        .serve(client::account_data::delete_account_data_per_room)
        .serve(client::tags::get_room_tags)
        .serve(client::tags::set_room_tag)
        .serve(client::tags::delete_room_tag)
        .serve(client::filter::define_filter)
        .serve(client::filter::get_filter)
        .serve(client::pushrules::get_push_rules)
        .serve(client::pushrules::get_push_rules_global)
        .serve(client::pushrules::get_push_rule)
        .serve(client::pushrules::is_push_rule_enabled)
        .serve(client::pushrules::get_push_rule_actions)
        .serve(client::pushrules::set_push_rule)
        .serve(client::pushrules::delete_push_rule)
        .serve(client::pushrules::set_push_rule_enabled)
        .serve(client::pushrules::set_push_rule_actions)
        .serve(client::notifications::get_notifications)
        .serve(client::users::search_user_directory)
        .serve(client::presence::set_presence)
        .serve(client::presence::get_presence)
        .serve(client::sync::sync)
}

/// Rooms, and who is in them.
fn memberships() -> Router<AppState> {
    Router::new()
        .serve(client::create_room::create_room)
        .serve(client::joining::join_room_by_id)
        .serve(client::joining::join_room)
        .serve(client::knocking::knock_room)
        .serve(client::inviting::invite_user)
        .serve(client::leaving::leave_room)
        .serve(client::leaving::forget_room)
        .serve(client::kicking::kick)
        .serve(client::banning::ban)
        .serve(client::banning::unban)
        .serve(client::list_joined_rooms::get_joined_rooms)
        .serve(client::rooms::get_members_by_room)
        .serve(client::rooms::get_joined_members_by_room)
        .serve(client::room_upgrades::upgrade_room)
}

/// Finding rooms: aliases, the directory, spaces, previews, and networks beyond Matrix.
fn discovery() -> Router<AppState> {
    Router::new()
        .serve(client::directory::set_room_alias)
        .serve(client::directory::get_room_id_by_alias)
        .serve(client::directory::delete_room_alias)
        .serve(client::directory::get_local_aliases)
        .serve(client::list_public_rooms::get_room_visibility_on_directory)
        .serve(client::list_public_rooms::set_room_visibility_on_directory)
        .serve(client::list_public_rooms::get_public_rooms)
        .serve(client::list_public_rooms::query_public_rooms)
        .serve(client::room_summary::get_room_summary)
        .serve_also(UNSTABLE_SUMMARY, client::room_summary::get_room_summary)
        .serve(client::space_hierarchy::get_space_hierarchy)
        .serve(client::mutual_rooms::get_mutual_rooms)
        .serve_also(UNSTABLE_MUTUAL_ROOMS, client::mutual_rooms::get_mutual_rooms)
        .serve(client::third_party_lookup::get_protocols)
        .serve(client::third_party_lookup::get_protocol_metadata)
        .serve(client::third_party_lookup::query_location_by_protocol)
        .serve(client::third_party_lookup::query_user_by_protocol)
        .serve(client::third_party_lookup::query_location_by_alias)
        .serve(client::third_party_lookup::query_user_by_id)
}

/// What happens in rooms.
fn events() -> Router<AppState> {
    let router = Router::new()
        .serve(client::room_send::send_message)
        .serve(client::room_state::set_room_state_with_key)
        .serve(client::delayed_events::get_delayed_events)
        .serve(client::delayed_events::update_delayed_event)
        .serve(client::thread_subscriptions::get_thread_subscription)
        .serve(client::thread_subscriptions::subscribe_to_thread)
        .serve(client::thread_subscriptions::unsubscribe_from_thread)
        .serve(client::redaction::redact_event)
        .serve(client::rooms::get_one_room_event)
        .serve(client::rooms::get_room_state)
        .serve(client::rooms::get_room_state_with_key)
        .serve(client::message_pagination::get_room_events)
        .serve(client::event_context::get_event_context)
        .serve(client::search::search)
        .serve(client::typing::set_typing)
        .serve(client::receipts::post_receipt)
        .serve(client::read_markers::set_read_marker);
    STATE_WITHOUT_KEY.into_iter().fold(router, |router, path| {
        router
            .serve_also(path, client::room_state::set_room_state_with_key)
            .serve_also(path, client::rooms::get_room_state_with_key)
    })
}

/// What relates to events, and other ways to find them.
fn relations() -> Router<AppState> {
    Router::new()
        .serve(client::relations::get_relating_events)
        .serve(client::relations::get_relating_events_with_rel_type)
        .serve(client::relations::get_relating_events_with_rel_type_and_event_type)
        .serve(client::threads_list::get_thread_roots)
        .serve(client::room_event_by_timestamp::get_event_by_timestamp)
        .serve(client::room_initial_sync::room_initial_sync)
        .serve(client::old_sync::initial_sync)
        .serve(client::old_sync::get_one_event)
        // Hands requests that name a room to `peeking_events::peek_events`: their path is one.
        .serve(client::old_sync::get_events)
}

/// What other servers ask.
fn other_servers() -> Router<AppState> {
    Router::new()
        .serve(federation::version::get_version)
        .serve(federation::keys_server::get_server_key)
        .serve(federation::keys_query::perspectives_key_query)
        .serve(federation::keys_query::bulk_perspectives_key_query)
}

/// Files.
fn media() -> Router<AppState> {
    Router::new()
        .serve(client::authed_content_repo::get_content_authed)
        .serve(client::authed_content_repo::get_content_override_name_authed)
        .serve(client::authed_content_repo::get_content_thumbnail_authed)
        .serve(client::authed_content_repo::get_url_preview_authed)
        .serve(client::authed_content_repo::get_config_authed)
        .serve(client::content_repo::upload_content)
        .serve(client::content_repo::upload_content_to_mxc)
        .serve(client::content_repo::create_content)
        .serve(client::content_repo::get_content)
        .serve(client::content_repo::get_content_override_name)
        .serve(client::content_repo::get_content_thumbnail)
        .serve(client::content_repo::get_url_preview)
        .serve(client::content_repo::get_config)
        .serve_also(&format!("{MEDIA_V1}/upload"), client::content_repo::upload_content)
        .serve_also(&format!("{MEDIA_V1}/preview_url"), client::content_repo::get_url_preview)
        .serve_also(&format!("{MEDIA_V1}/config"), client::content_repo::get_config)
        .serve_also(&format!("{MEDIA_V1}/download/{{server_name}}/{{media_id}}"), client::content_repo::get_content)
        .serve_also(
            &format!("{MEDIA_V1}/download/{{server_name}}/{{media_id}}/{{filename}}"),
            client::content_repo::get_content_override_name,
        )
        .serve_also(
            &format!("{MEDIA_V1}/thumbnail/{{server_name}}/{{media_id}}"),
            client::content_repo::get_content_thumbnail,
        )
}

#[cfg(test)]
#[path = "router_tests.rs"]
mod tests;
