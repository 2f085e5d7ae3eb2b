//! The queues of rooms: one a room, in the actor of its lane. There is no other lock.
//!
//! While a batch of a room is being worked on, what comes for that room waits, and goes together into the next batch;
//! other rooms are worked on side by side.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hearth_protocol::{Lane, RoomKey};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::batch::run_batch;
use super::stats::PipelineStats;
use super::submission::{Submission, Submitted};
use crate::env::Env;
use crate::rooms::config::RoomsConfig;
use crate::rooms::error::RoomError;
use crate::rooms::reader::RoomReader;
use crate::worker::{Stop, Worker};

/// Submissions that wait at a lane's door before it takes them in.
const DOOR_MAX: usize = 4_096;
/// Events that one commit takes; keeps a batch below 1,000 operations.
const EVENTS_PER_BATCH_MAX: usize = 48;

/// What the steps of the pipeline use.
pub struct Context {
    pub env: Env,
    pub config: RoomsConfig,
    pub reader: Arc<RoomReader>,
    pub stats: Arc<PipelineStats>,
}

/// Where a submission's outcome goes.
pub type Reply = oneshot::Sender<Result<Submitted, RoomError>>;

/// A submission in a queue.
pub struct Job {
    pub room: RoomKey,
    pub submission: Submission,
    pub reply: Reply,
}

/// The door of all lanes.
#[derive(Clone)]
pub struct Pipeline {
    doors: Arc<[mpsc::Sender<Job>]>,
    context: Arc<Context>,
}

/// The actor of one lane.
pub struct LaneWorker {
    lane: Lane,
    context: Arc<Context>,
    door: mpsc::Receiver<Job>,
}

impl Pipeline {
    /// The door, and a worker for each lane.
    #[must_use]
    pub fn new(env: Env, config: RoomsConfig, reader: Arc<RoomReader>) -> (Self, Vec<LaneWorker>) {
        let lanes = env.store.lanes();
        let context = Arc::new(Context { env, config, reader, stats: Arc::default() });
        let (mut doors, mut workers) = (Vec::new(), Vec::new());
        for lane in 0..lanes {
            let (sender, door) = mpsc::channel(DOOR_MAX);
            doors.push(sender);
            workers.push(LaneWorker { lane: Lane(lane), context: context.clone(), door });
        }
        (Self { doors: doors.into(), context }, workers)
    }

    /// What the pipeline counts of itself.
    #[must_use]
    pub fn stats(&self) -> Arc<PipelineStats> {
        self.context.stats.clone()
    }

    /// Puts a submission into its room's queue and waits until it is on disk or refused.
    ///
    /// # Errors
    /// Whatever the rules, the storage or the limits say; nothing was changed then.
    pub async fn submit(&self, room: RoomKey, submission: Submission) -> Result<Submitted, RoomError> {
        let (reply, answer) = oneshot::channel();
        self.context.stats.waiting.add(1);
        let _leaving = Leaving(&self.context.stats);
        let lane = self.context.env.store.lane_of(&room.0);
        let door = self.doors.get(usize::from(lane.0)).ok_or(RoomError::Stopping)?;
        door.send(Job { room, submission, reply }).await.map_err(|_| RoomError::Stopping)?;
        answer.await.map_err(|_| RoomError::Stopping)?
    }
}

/// Counts a submission out, also when its caller goes away.
struct Leaving<'a>(&'a PipelineStats);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.waiting.add(-1);
    }
}

impl Worker for LaneWorker {
    fn name(&self) -> &'static str {
        "rooms"
    }

    fn follows(&self) -> &'static str {
        "the submissions of its lane"
    }

    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        self.work(stop).boxed()
    }
}

impl LaneWorker {
    /// Which lane this is.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    async fn work(mut self: Box<Self>, stop: Stop) {
        let mut queues: HashMap<RoomKey, VecDeque<Job>> = HashMap::new();
        let mut running: JoinSet<RoomKey> = JoinSet::new();
        let mut busy: HashMap<tokio::task::Id, RoomKey> = HashMap::new();
        loop {
            let done = tokio::select! {
                biased;
                Some(done) = running.join_next_with_id() => Some(done),
                job = self.door.recv(), if !stop.is_cancelled() => match job {
                    Some(job) => {
                        self.take_in(job, &mut queues, &mut running, &mut busy);
                        None
                    }
                    None => return,
                },
                () = stop.cancelled(), if running.is_empty() => return,
            };
            let room = match done {
                None => continue,
                Some(Ok((id, room))) => {
                    busy.remove(&id);
                    room
                }
                Some(Err(failed)) => {
                    // A panic harms only its batch: its callers see their replies dropped.
                    tracing::error!(error = %failed, "a batch of a room failed");
                    let Some(room) = busy.remove(&failed.id()) else {
                        continue;
                    };
                    self.context.reader.forget_room(room);
                    room
                }
            };
            if let Some(queue) = queues.get_mut(&room) {
                let jobs = take_batch(queue);
                if jobs.is_empty() {
                    queues.remove(&room);
                } else {
                    let id = running.spawn(run_batch(self.context.clone(), room, jobs)).id();
                    busy.insert(id, room);
                }
            }
        }
    }

    fn take_in(
        &self,
        job: Job,
        queues: &mut HashMap<RoomKey, VecDeque<Job>>,
        running: &mut JoinSet<RoomKey>,
        busy: &mut HashMap<tokio::task::Id, RoomKey>,
    ) {
        let room = job.room;
        match queues.get_mut(&room) {
            Some(queue) if queue.len() >= self.context.config.room_queue_max => {
                drop(job.reply.send(Err(RoomError::Overloaded)));
            }
            Some(queue) => queue.push_back(job),
            None => {
                // An empty queue marks the room as being worked on.
                queues.insert(room, VecDeque::new());
                let id = running.spawn(run_batch(self.context.clone(), room, vec![job])).id();
                busy.insert(id, room);
            }
        }
    }
}

fn take_batch(queue: &mut VecDeque<Job>) -> Vec<Job> {
    let (mut size, mut jobs) = (0, Vec::new());
    while let Some(job) = queue.front() {
        size += job.submission.size();
        if !jobs.is_empty() && size > EVENTS_PER_BATCH_MAX {
            break;
        }
        jobs.extend(queue.pop_front());
    }
    jobs
}
