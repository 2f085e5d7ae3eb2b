//! Rooms: their events, their state, who is in them, and what may be read of them.
//!
//! Everything that changes a room goes through `pipeline`; everything that is read of it for somebody passes `access`.
//! Nothing here speaks HTTP, and nothing here tells anybody of a change: followers of the output log do.

mod access;
mod aliases;
mod bundle;
mod canonical_alias;
mod card;
mod chain_cover;
mod check;
mod check_relations;
mod client_event;
mod commands;
mod config;
mod create;
mod delayed_event_worker;
mod delayed_events;
mod departures;
mod directory;
mod directory_shelf;
mod erased_senders;
mod erasure;
mod error;
mod event_cache;
mod first_events;
mod guests;
mod join_rule;
mod membership;
mod pipeline;
mod ports;
mod publication;
mod published;
mod reader;
mod receipt_tails;
mod receipts;
mod receive;
mod relations;
#[cfg(test)]
mod rooms_tests;
mod snapshot;
mod state_map;
mod stored_event;
mod successor;
#[cfg(test)]
mod testing;
mod thread_subscriptions;
mod timeline;
mod transactions;
mod typing;
mod upgrade;
mod view;

pub use access::Access;
pub use aliases::AliasTarget;
pub use bundle::{Bundle, BundleReader, ThreadBundle};
pub use card::RoomCard;
pub use check::Finding;
pub use client_event::{Audience, Form};
pub use commands::{NewEvent, RoomWorkers, Rooms};
pub use config::RoomsConfig;
pub use create::{CreateRoom, InitialState, Preset};
pub use delayed_event_worker::DelayedEventWorker;
pub use delayed_events::{DELAY_MS_MAX, DelayAction, DelayError, DelayedEvents};
pub use departures::DepartureWorker;
pub use directory::{DirectoryPage, DirectoryQuery, RoomKinds};
pub use directory_shelf::{DirectoryWorker, ListedRoom};
pub use erasure::ErasureWorker;
pub use error::RoomError;
pub use membership::JoinWish;
pub use pipeline::{LaneWorker, PipelineStats, RemoteEvent, Submission, Submitted, SubmittedEvent};
pub use ports::{NoRemote, RemoteRooms};
pub use publication::{BadRule, PublicationRules};
pub use reader::RoomReader;
pub use receipts::{MAIN_THREAD, ReadMarks, ReceiptKind, Receipts, thread_root};
pub use relations::{Related, RelatedPage, RelationFilter, ThreadPlace};
pub use snapshot::RoomSnapshot;
pub use state_map::{StateKeyTable, StateMap};
pub use stored_event::StoredEvent;
pub use thread_subscriptions::{SubscriptionError, ThreadSubscriptions};
pub use timeline::{Direction, HistoryPos, Stretch};
pub use transactions::TransactionWorker;
pub use typing::{TYPING_MS_DEFAULT, TYPING_MS_MAX, Typing};
pub use upgrade::UpgradeRoom;
pub use view::RoomView;
