//! What relates to an event. [Client-Server API, "Relationships API"]
//!
//! [Client-Server API, "Relationships API"]: https://spec.matrix.org/v1.19/client-server-api/#relationships-api

use axum::extract::State;
use hearth_homeserver::{
    flows::{Flows, RelationsPage, RelationsRequest},
    rooms::{Direction, RelationFilter},
    users::LocalUser,
};
use ruma::{
    EventId, RoomId, UInt,
    api::{
        Direction as Dir,
        client::relations::{
            get_relating_events::v1 as all, get_relating_events_with_rel_type::v1 as with_rel_type,
            get_relating_events_with_rel_type_and_event_type::v1 as with_both,
        },
    },
    serde::Raw,
};

use crate::{
    api_error::ApiError,
    caller::GuestCaller,
    extract::Ruma,
    reply::{Reply, Result},
};

/// Makes ruma's response, of one of three types with the same fields, out of a page.
macro_rules! respond {
    ($response:ty, $page:expr, $from:expr) => {{
        let page = $page;
        let mut response = <$response>::new(page.chunk.into_iter().map(Raw::from_json).collect());
        response.next_batch = page.next_batch;
        response.prev_batch = $from;
        response.recursion_depth = page.recursion_depth.map(UInt::from);
        Ok(Reply(response))
    }};
}

/// The parameters that all three have.
struct Parameters<'a> {
    from: Option<&'a str>,
    to: Option<&'a str>,
    dir: Dir,
    limit: Option<UInt>,
    recurse: bool,
}

impl Parameters<'_> {
    async fn load(
        self,
        (flows, user): (&Flows, &LocalUser),
        (room, event): (&RoomId, &EventId),
        filter: RelationFilter<'_>,
    ) -> std::result::Result<RelationsPage, ApiError> {
        let direction = match self.dir {
            Dir::Forward => Direction::Forward,
            Dir::Backward => Direction::Backward,
        };
        let limit = self.limit.map(|limit| usize::try_from(u64::from(limit)).unwrap_or(usize::MAX));
        let request =
            RelationsRequest { filter, from: self.from, to: self.to, direction, limit, recurse: self.recurse };
        Ok(flows.load_relations(user, room, event, &request).await?)
    }
}

/// The same fields of three requests.
macro_rules! parameters {
    ($body:expr) => {
        Parameters {
            from: $body.from.as_deref(),
            to: $body.to.as_deref(),
            dir: $body.dir,
            limit: $body.limit,
            recurse: $body.recurse,
        }
    };
}

/// `GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId}`
pub async fn get_relating_events(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<all::Request>,
) -> Result<all::Response> {
    let filter = RelationFilter { rel_type: None, kind: None };
    let page = parameters!(body).load((&flows, &user), (&body.room_id, &body.event_id), filter).await?;
    respond!(all::Response, page, body.from)
}

/// `GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}`
pub async fn get_relating_events_with_rel_type(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<with_rel_type::Request>,
) -> Result<with_rel_type::Response> {
    let filter = RelationFilter { rel_type: Some(body.rel_type.as_str()), kind: None };
    let page = parameters!(body).load((&flows, &user), (&body.room_id, &body.event_id), filter).await?;
    respond!(with_rel_type::Response, page, body.from)
}

/// `GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}/{eventType}`
pub async fn get_relating_events_with_rel_type_and_event_type(
    State(flows): State<Flows>,
    GuestCaller(user): GuestCaller,
    Ruma(body): Ruma<with_both::Request>,
) -> Result<with_both::Response> {
    let kind = body.event_type.to_string();
    let filter = RelationFilter { rel_type: Some(body.rel_type.as_str()), kind: Some(&kind) };
    let page = parameters!(body).load((&flows, &user), (&body.room_id, &body.event_id), filter).await?;
    respond!(with_both::Response, page, body.from)
}
