//! The one way of an event into a room: load, evaluate, commit, publish; the followers read the log.
//!
//! Local and remote events pass through the same door ([`Submission`]) and the same pure `evaluate` of the protocol crate.
//! Only `commit` may name the writers of the event tables. Nothing here sends, pushes or notifies: followers do.

mod batch;
mod commit;
mod commit_relations;
mod commit_transactions;
mod lane;
mod local;
mod publish;
mod relations;
mod remote;
mod resolution;
mod sets;
mod stats;
mod submission;
mod working;

pub use commit::erase_original;
pub use commit_transactions::forget_transactions;
pub use lane::{LaneWorker, Pipeline};
pub use stats::PipelineStats;
pub use submission::{LocalDraft, RemoteEvent, Submission, Submitted, SubmittedEvent, Transaction};
pub use working::membership_of;
