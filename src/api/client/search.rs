//! Searching messages. [Client-Server API, "Server Side Search"]
//!
//! [Client-Server API, "Server Side Search"]: https://spec.matrix.org/v1.19/client-server-api/#server-side-search

use std::collections::BTreeMap;

use axum::extract::State;
use hearth_homeserver::{
    flows::{Flows, GroupBy, HistoricProfile, Order, SearchContext, SearchPage, SearchRequest, SearchResult},
    search::Field,
};
use hearth_protocol::EventFilter;
use ruma::api::client::search::search_events::v3::{Criteria, GroupingKey, OrderBy, Request, SearchKeys};
use serde::Serialize;
use serde_json::{json, value::RawValue};

use crate::{
    api_error::ApiError,
    caller::Caller,
    extract::Ruma,
    rate_limit::{Operation, RateLimits},
    reply::JsonText,
};

/// `POST /_matrix/client/v3/search`
pub async fn search(
    State(flows): State<Flows>,
    State(limits): State<RateLimits>,
    Caller(user): Caller,
    Ruma(body): Ruma<Request>,
) -> Result<JsonText, ApiError> {
    limits.check_user(Operation::Search, &user)?;
    let Some(criteria) = body.search_categories.room_events else {
        return JsonText::of(&json!({ "search_categories": {} }));
    };
    let (filter, group_by) = (EventFilter::compile(&criteria.filter), group_by(&criteria)?);
    let request = SearchRequest {
        text: &criteria.search_term,
        fields: &fields(&criteria)?,
        filter: &filter,
        order: order(&criteria)?,
        context: (
            usize::try_from(u64::from(criteria.event_context.before_limit)).unwrap_or(usize::MAX),
            usize::try_from(u64::from(criteria.event_context.after_limit)).unwrap_or(usize::MAX),
        ),
        include_profile: criteria.event_context.include_profile,
        include_state: criteria.include_state.unwrap_or(false),
        group_by: &group_by,
        from: body.next_batch.as_deref(),
    };
    let page = flows.search(&user, &request).await?;
    JsonText::of(&json!({ "search_categories": { "room_events": RoomEvents::of(&page, &group_by) } }))
}

fn fields(criteria: &Criteria) -> Result<Vec<Field>, ApiError> {
    let Some(keys) = &criteria.keys else { return Ok(Field::ALL.to_vec()) };
    let known = keys.iter().map(|key| match key {
        SearchKeys::ContentBody => Ok(Field::Body),
        SearchKeys::ContentName => Ok(Field::Name),
        SearchKeys::ContentTopic => Ok(Field::Topic),
        _ => Err(ApiError::invalid_param("Only content.body, content.name and content.topic can be searched.")),
    });
    let mut fields = known.collect::<Result<Vec<_>, _>>()?;
    fields.sort_unstable();
    fields.dedup();
    Ok(fields)
}

fn order(criteria: &Criteria) -> Result<Order, ApiError> {
    match &criteria.order_by {
        None | Some(OrderBy::Rank) => Ok(Order::Rank),
        Some(OrderBy::Recent) => Ok(Order::Recent),
        Some(_) => Err(ApiError::invalid_param("The order is `rank` or `recent`.")),
    }
}

fn group_by(criteria: &Criteria) -> Result<Vec<GroupBy>, ApiError> {
    let keys = criteria.groupings.group_by.iter().filter_map(|grouping| grouping.key.as_ref());
    let known = keys.map(|key| match key {
        GroupingKey::RoomId => Ok(GroupBy::Room),
        GroupingKey::Sender => Ok(GroupBy::Sender),
        _ => Err(ApiError::invalid_param("Results can be grouped by `room_id` and `sender`.")),
    });
    known.collect()
}

/// The answer; ruma's type leaves out an empty list of results, which clients look at.
#[derive(Serialize)]
struct RoomEvents<'a> {
    count: u64,
    highlights: &'a [String],
    results: Vec<ResultJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_batch: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    groups: BTreeMap<&'static str, BTreeMap<&'a str, GroupJson<'a>>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    state: BTreeMap<&'a str, &'a [Box<RawValue>]>,
}

#[derive(Serialize)]
struct ResultJson<'a> {
    rank: f64,
    result: &'a RawValue,
    context: ContextJson<'a>,
}

#[derive(Serialize)]
struct ContextJson<'a> {
    start: &'a str,
    end: &'a str,
    events_before: &'a [Box<RawValue>],
    events_after: &'a [Box<RawValue>],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    profile_info: BTreeMap<&'a str, ProfileJson<'a>>,
}

#[derive(Serialize)]
struct ProfileJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    displayname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar_url: Option<&'a str>,
}

#[derive(Serialize)]
struct GroupJson<'a> {
    /// Groups with better or newer results come first.
    order: usize,
    results: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_batch: Option<&'a str>,
}

impl<'a> RoomEvents<'a> {
    fn of(page: &'a SearchPage, group_by: &[GroupBy]) -> Self {
        Self {
            count: page.count,
            highlights: &page.highlights,
            results: page.results.iter().map(ResultJson::of).collect(),
            next_batch: page.next.as_deref(),
            groups: group_by.iter().map(|by| groups_of(page, *by)).collect(),
            state: page.state.iter().map(|(room, events)| (room.as_str(), events.as_slice())).collect(),
        }
    }
}

impl<'a> ResultJson<'a> {
    fn of(found: &'a SearchResult) -> Self {
        Self { rank: found.rank, result: &found.event, context: ContextJson::of(&found.context) }
    }
}

impl<'a> ContextJson<'a> {
    fn of(context: &'a SearchContext) -> Self {
        let profile = |profile: &'a HistoricProfile| ProfileJson {
            displayname: profile.displayname.as_deref(),
            avatar_url: profile.avatar_url.as_deref(),
        };
        Self {
            start: &context.start,
            end: &context.end,
            events_before: &context.events_before,
            events_after: &context.events_after,
            profile_info: context.profiles.iter().map(|(user, found)| (user.as_str(), profile(found))).collect(),
        }
    }
}

fn groups_of(page: &SearchPage, by: GroupBy) -> (&'static str, BTreeMap<&str, GroupJson<'_>>) {
    let mut groups = BTreeMap::new();
    for found in &page.results {
        let value = match by {
            GroupBy::Room => found.room_id.as_str(),
            GroupBy::Sender => found.sender.as_str(),
        };
        let order = groups.len() + 1;
        let next_batch = page.next_of_groups.get(value).map(String::as_str);
        let group = groups.entry(value).or_insert(GroupJson { order, results: Vec::new(), next_batch });
        group.results.push(found.event_id.as_str());
    }
    let name = match by {
        GroupBy::Room => "room_id",
        GroupBy::Sender => "sender",
    };
    (name, groups)
}
