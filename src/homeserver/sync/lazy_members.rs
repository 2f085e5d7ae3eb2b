//! Which members a device was sent before, so that lazy loading need not repeat them.
//!
//! A member counts as sent only when the client has shown, by the position that it goes on from, that the answer
//! arrived. Forgetting costs a repetition, nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use hearth_protocol::{LanePos, RoomKey, UserKey};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use ruma::OwnedDeviceId;

use crate::users::LocalUser;

/// Devices that are remembered.
const DEVICES_MAX: usize = 2_000;
/// Members that are remembered for one device.
const MEMBERS_PER_DEVICE_MAX: usize = 2_000;

/// In which answer, by its position in the room's lane, each member of each room was first sent.
type Sent = HashMap<RoomKey, HashMap<UserKey, LanePos>>;

/// What the devices were sent.
pub struct SentMembers(Cache<(UserKey, OwnedDeviceId), Arc<Mutex<Sent>>>);

impl Default for SentMembers {
    fn default() -> Self {
        Self(Cache::new(DEVICES_MAX))
    }
}

impl SentMembers {
    /// Whether a device that is at `since` has a member.
    pub fn has(&self, who: &LocalUser, room: RoomKey, member: UserKey, since: LanePos) -> bool {
        let Some(sent) = self.0.get(&(who.key, who.device_id.clone())) else { return false };
        sent.lock().get(&room).and_then(|members| members.get(&member)).is_some_and(|at| *at <= since)
    }

    /// Notes what an answer that reads up to `to` sends.
    pub fn note(&self, who: &LocalUser, room: RoomKey, to: LanePos, members: impl Iterator<Item = UserKey>) {
        let key = (who.key, who.device_id.clone());
        let sent = self.0.get(&key).unwrap_or_else(|| {
            let fresh = Arc::new(Mutex::new(Sent::new()));
            self.0.insert(key, fresh.clone());
            fresh
        });
        let mut sent = sent.lock();
        if sent.values().map(HashMap::len).sum::<usize>() > MEMBERS_PER_DEVICE_MAX {
            sent.clear();
        }
        let known = sent.entry(room).or_default();
        for member in members {
            known.entry(member).and_modify(|at| *at = (*at).min(to)).or_insert(to);
        }
    }

    /// Forgets what was sent in answers beyond where the device now goes on from: they did not arrive.
    pub fn rewind(&self, who: &LocalUser, since: impl Fn(RoomKey) -> LanePos) {
        if let Some(sent) = self.0.get(&(who.key, who.device_id.clone())) {
            for (room, members) in sent.lock().iter_mut() {
                let since = since(*room);
                members.retain(|_, at| *at <= since);
            }
        }
    }

    /// Forgets a room whose state the device is told from the beginning.
    pub fn forget(&self, who: &LocalUser, room: RoomKey) {
        if let Some(sent) = self.0.get(&(who.key, who.device_id.clone())) {
            sent.lock().remove(&room);
        }
    }
}
