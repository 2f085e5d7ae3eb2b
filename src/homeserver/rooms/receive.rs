//! Events of other servers: checked, completed with what they cite, and put through the pipeline.

use std::collections::BTreeSet;
use std::sync::Arc;

use hearth_protocol::{Event, Origin, RoomRules, check_hashes_and_signatures, parse_pdu};
use ruma::{OwnedEventId, RoomId, ServerName};
use serde_json::value::RawValue;

use super::commands::Rooms;
use super::error::RoomError;
use super::pipeline::{RemoteEvent, Submission};

/// Events that are fetched to complete one that came in.
const FETCHED_EVENTS_MAX: usize = 250;

impl Rooms {
    /// Takes in one event that another server sent, and what it cites and is not known here.
    ///
    /// # Errors
    /// When it is malformed, its signatures are bad, or what it cites is not to be had. A rejected event is no error:
    /// it is stored as such.
    pub async fn receive(&self, origin: &ServerName, room: &RoomId, pdu: &RawValue) -> Result<OwnedEventId, RoomError> {
        let rules = self.require_view(room).await?.room.rules;
        let event = self.check_remote(rules, room, pdu).await?;
        let id = event.id.clone();
        let mut open = vec![event];
        let mut asked = BTreeSet::new();
        while let Some(event) = open.last().cloned() {
            let submission = Submission::Remote { rules, origin: Origin::Remote, events: vec![RemoteEvent { event }] };
            match self.submit(room, submission).await {
                Ok(_) => drop(open.pop()),
                Err(RoomError::Missing(missing)) => {
                    let wanted: Vec<OwnedEventId> = missing.iter().filter(|id| !asked.contains(*id)).cloned().collect();
                    if wanted.is_empty() || asked.len() + wanted.len() > FETCHED_EVENTS_MAX {
                        return Err(RoomError::Missing(missing));
                    }
                    asked.extend(wanted.iter().cloned());
                    let found = self.fetch(origin, rules, room, &wanted).await;
                    if found.is_empty() {
                        return Err(RoomError::Missing(missing));
                    }
                    open.extend(found);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(id)
    }

    /// Those of the events that the other server has and that are what they should be.
    async fn fetch(
        &self,
        origin: &ServerName,
        rules: &'static RoomRules,
        room: &RoomId,
        wanted: &[OwnedEventId],
    ) -> Vec<Arc<Event>> {
        let mut found = Vec::new();
        for pdu in self.inner().remote.fetch_events(origin, room, wanted).await.into_iter().take(wanted.len()) {
            match self.check_remote(rules, room, &pdu).await {
                Ok(event) if wanted.contains(&event.id) => found.push(event),
                Ok(event) => {
                    tracing::debug!(event_id = %event.id, "a server answered with an event that was not asked for");
                }
                Err(error) => tracing::debug!(%error, "a server answered with a bad event"),
            }
        }
        found
    }

    async fn check_remote(
        &self,
        rules: &'static RoomRules,
        room: &RoomId,
        pdu: &RawValue,
    ) -> Result<Arc<Event>, RoomError> {
        let parsed = parse_pdu(rules, Some(room), pdu)?;
        let servers: Vec<_> = parsed.required_keys().map(|(server, _)| server.to_owned()).collect();
        let keys = self.inner().remote.load_keys(&servers).await;
        let event = check_hashes_and_signatures(rules, parsed, &keys)?.into_event();
        if event.room_id != room {
            return Err(RoomError::Invalid("the event belongs to another room"));
        }
        Ok(Arc::new(event))
    }
}

#[cfg(test)]
#[path = "receive_tests.rs"]
mod tests;
