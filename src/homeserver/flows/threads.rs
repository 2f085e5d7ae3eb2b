//! The threads of a room (C-S API, "Querying threads in a room").

use std::collections::HashMap;

use ruma::RoomId;
use serde_json::value::RawValue;

use super::{Flows, Readable};
use crate::rooms::{BundleReader, HistoryPos, RoomError};
use crate::sync::history_token;
use crate::users::LocalUser;

/// Threads in one page.
const PAGE_THREADS_MAX: usize = 100;
/// Threads in a page when the request names no number.
const PAGE_THREADS_DEFAULT: usize = 20;
/// Threads that are looked at for one page, when few of them are for the reader.
const LOOKED_AT_MAX: usize = 500;

/// Which threads are wanted.
pub struct ThreadsRequest<'a> {
    /// Where the page begins; at the newest when left out.
    pub from: Option<&'a str>,
    /// Threads at the most.
    pub limit: Option<usize>,
    /// Only those in which the caller takes part.
    pub is_participated: bool,
}

/// A page of threads.
pub struct ThreadsPage {
    /// The events from which the threads start, by their latest reply, the newest first.
    pub chunk: Vec<Box<RawValue>>,
    /// Where the next page begins; none when there is nothing more.
    pub next_batch: Option<String>,
}

impl Flows {
    /// A page of the threads of a room.
    ///
    /// # Errors
    /// When the room is not readable, or the token is none of this server's.
    pub async fn list_threads(
        &self,
        user: &LocalUser,
        room: &RoomId,
        request: &ThreadsRequest<'_>,
    ) -> Result<ThreadsPage, RoomError> {
        let Readable { view, .. } = self.require_readable(user, room).await?;
        let ignored = self.users.load_ignored(&user.user_id).await?;
        let reader = BundleReader { user: &user.user_id, ignored: &ignored };
        let limit = request.limit.unwrap_or(PAGE_THREADS_DEFAULT).clamp(1, PAGE_THREADS_MAX);
        let mut before = match request.from {
            Some(token) => self.history_pos(&view, token).await?,
            None => HistoryPos::END,
        };
        let (mut roots, mut bundles, mut looked_at, mut next) = (Vec::new(), HashMap::new(), 0, None);
        'pages: while looked_at < LOOKED_AT_MAX {
            let (places, more) = view.list_threads(before, limit).await?;
            let events = view.list_by_keys(&places.iter().map(|place| place.root).collect::<Vec<_>>()).await?;
            for (place, root) in places.iter().zip(events) {
                (looked_at, before) = (looked_at + 1, place.newest);
                let Some(root) = root.filter(|root| !ignored.contains(&root.event.sender)) else { continue };
                if !view.check_access(&root, &user.user_id).await? {
                    continue;
                }
                let totals = view.list_totals(std::slice::from_ref(&root)).await?;
                let found = view.load_bundles(std::slice::from_ref(&root), &totals, reader).await?;
                let thread = found.get(&root.num).and_then(|bundle| bundle.thread.as_ref());
                if !thread.is_some_and(|thread| thread.participated || !request.is_participated) {
                    continue;
                }
                if roots.len() == limit {
                    break 'pages;
                }
                next = Some(place.newest);
                bundles.extend(found);
                roots.push(root);
            }
            if !more {
                next = None;
                break;
            }
            next = Some(before);
        }
        Ok(ThreadsPage {
            chunk: view.list_json_with(&roots, &bundles, self.audience(user)).await?,
            next_batch: next.map(history_token),
        })
    }
}
