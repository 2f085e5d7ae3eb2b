//! What the follower of the output log makes of it: the index of people.

use std::collections::BTreeSet;

use hearth_protocol::{EventNum, UserKey};
use hearth_storage::Store;
use hearth_storage::schema::people::{PeopleRoom, PeopleRooms};
use hearth_storage::schema::users::Membership;
use ruma::{OwnedUserId, UserId};
use serde::Deserialize;

use super::rows::{PEOPLE_PER_COMMIT, Seen, write_people};
use crate::log_follower::{LogReader, LogStep};
use crate::rooms::{RoomError, RoomView, Rooms};
use crate::users::Users;

/// Types of state that say whether a room is open to everybody.
const OPENNESS: [&str; 2] = ["m.room.join_rules", "m.room.history_visibility"];

/// Keeps the index.
pub struct PeopleReader {
    pub(super) store: Store,
    pub(super) users: Users,
    pub(super) rooms: Rooms,
}

impl LogReader for PeopleReader {
    type Error = RoomError;

    fn name(&self) -> &'static str {
        "user directory"
    }

    async fn take_in(&self, step: LogStep) -> Result<(), RoomError> {
        let mut txn = self.store.txn().home(step.lane);
        for (room, touched) in step.list_touched() {
            let Some(view) = self.rooms.load_published(room, touched.up_to).await? else { continue };
            let events: Vec<EventNum> = touched.events.into_iter().collect();
            if let Some(turned) = self.take_in_room(&view, &events).await? {
                txn.put::<PeopleRooms>(&room, &turned);
            }
        }
        step.stage_done(&mut txn);
        self.store.commit(txn).await?;
        Ok(())
    }
}

impl PeopleReader {
    /// Brings the index up to date after some events of a room; gives whether the room is open when that has changed.
    async fn take_in_room(&self, view: &RoomView, events: &[EventNum]) -> Result<Option<PeopleRoom>, RoomError> {
        let (mut people, mut may_turn) = (BTreeSet::new(), false);
        for stored in view.events(events).await? {
            match stored.event.state_pair() {
                Some(("m.room.member", user)) => people.extend(UserId::parse(user).ok()),
                Some((kind, "")) => may_turn |= OPENNESS.contains(&kind),
                _ => {}
            }
        }
        if people.is_empty() && !may_turn {
            return Ok(None);
        }
        let now = PeopleRoom { is_open: is_open(view).await? };
        let known = self.store.get::<PeopleRooms>(&view.room.key).await?;
        let was_open = known.is_some_and(|room| room.is_open);
        if was_open != now.is_open {
            people.extend(view.list_users(Membership::Join));
        }
        let people: Vec<OwnedUserId> = people.into_iter().collect();
        for people in people.chunks(PEOPLE_PER_COMMIT) {
            let seen = self.see(view, people).await?;
            write_people(&self.store, (view.room.key, now.is_open), &seen).await?;
        }
        Ok((known != Some(now)).then_some(now))
    }

    /// What is to be said of people of a room: the profile of this server's users, of others what the room says.
    async fn see(&self, view: &RoomView, people: &[OwnedUserId]) -> Result<Vec<Seen>, RoomError> {
        let keys: Vec<UserKey> = people.iter().map(|user| UserKey::of(user)).collect();
        let cards = self.users.list_cards(&keys).await?;
        let mut all = Vec::with_capacity(people.len());
        for ((user, key), card) in people.iter().zip(keys).zip(cards) {
            let (display_name, avatar_url) = match card {
                Some(card) => (card.display_name, card.avatar_url),
                None => load_names(view, user).await?,
            };
            all.push(Seen {
                user: key,
                localpart: user.localpart().to_owned(),
                user_id: user.to_string(),
                display_name,
                avatar_url,
                is_in: view.membership(user) == Some(Membership::Join),
            });
        }
        Ok(all)
    }
}

async fn load_names(view: &RoomView, user: &UserId) -> Result<(Option<String>, Option<String>), RoomError> {
    #[derive(Default, Deserialize)]
    struct Content {
        displayname: Option<String>,
        avatar_url: Option<String>,
    }
    let member = view.state_event("m.room.member", user.as_str()).await?;
    let content: Content = member.and_then(|stored| stored.event.content_as().ok()).unwrap_or_default();
    Ok((content.displayname, content.avatar_url))
}

/// Whether everybody may join the room, or read it.
async fn is_open(view: &RoomView) -> Result<bool, RoomError> {
    #[derive(Deserialize)]
    struct Content {
        join_rule: Option<String>,
        history_visibility: Option<String>,
    }
    for kind in OPENNESS {
        let event = view.state_event(kind, "").await?;
        let content = event.and_then(|stored| stored.event.content_as::<Content>().ok());
        let Some(content) = content else { continue };
        if content.join_rule.as_deref() == Some("public")
            || content.history_visibility.as_deref() == Some("world_readable")
        {
            return Ok(true);
        }
    }
    Ok(false)
}
