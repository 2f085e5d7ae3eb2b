//! The client-server API, a file an endpoint family, named like the specification's own file.
//!
//! A handler parses nothing and decides nothing: it hands the request to the homeserver and writes
//! down the answer. What it may touch stands in its arguments.

pub mod account_data;
pub mod account_deactivation;
pub mod authed_content_repo;
pub mod banning;
pub mod capabilities;
pub mod content_repo;
pub mod create_room;
pub mod delayed_events;
pub mod device_management;
pub mod directory;
pub mod event_context;
pub mod filter;
pub mod inviting;
pub mod joining;
pub mod kicking;
pub mod knocking;
pub mod leaving;
pub mod list_joined_rooms;
pub mod list_public_rooms;
pub mod login;
pub mod logout;
pub mod message_pagination;
pub mod mutual_rooms;
pub mod notifications;
pub mod old_sync;
pub mod password_management;
pub mod peeking_events;
pub mod presence;
pub mod profile;
pub mod pushrules;
pub mod read_markers;
pub mod receipts;
pub mod redaction;
pub mod registration;
pub mod registration_tokens;
pub mod relations;
pub mod room_event_by_timestamp;
pub mod room_initial_sync;
pub mod room_send;
pub mod room_state;
pub mod room_summary;
pub mod room_upgrades;
pub mod rooms;
pub mod space_hierarchy;
pub mod sync;
pub mod tags;
pub mod third_party_lookup;
pub mod thread_subscriptions;
pub mod threads_list;
pub mod typing;
pub mod versions;
pub mod wellknown;
pub mod whoami;
