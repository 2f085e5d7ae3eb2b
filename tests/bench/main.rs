//! Costs that must not grow: each is measured at two sizes that are ten times apart, in turns, on one server in this
//! process (real clock, RocksDB on disk, no sockets).
//!
//! ```text
//! cargo bench --profile release --bench growth                    everything; some minutes, 2 GB of disk
//! cargo bench --profile release --bench growth -- members rooms   some of: members, rooms, history, search
//! cargo bench --profile release --bench growth -- --tenth         a tenth of every size, for a quick look
//! ```

mod measure;
mod world;

use std::time::Duration;

use measure::{Comparison, compare, report};
use serde_json::json;
use world::{Member, World};

/// The larger size of each kind; the smaller one is a tenth of it.
struct Sizes {
    members: usize,
    rooms: usize,
    events: usize,
}

/// Every so manieth event of a room holds the rare word, so that both rooms hold it equally often.
const RARE_TIMES: usize = 100;
/// Events in a page of history.
const PAGE: usize = 50;

fn main() {
    // `cargo bench` adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let part = if arguments.iter().any(|argument| argument == "--tenth") { 10 } else { 1 };
    let sizes = Sizes { members: 20_000 / part, rooms: 5_000 / part, events: 1_000_000 / part };
    let chosen: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| !argument.starts_with('-')).collect();
    let wants = |name: &str| chosen.is_empty() || chosen.contains(&name);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let found = runtime.block_on(async {
        let mut found = Vec::new();
        let world = World::open().await;
        if wants("members") {
            found.push(members(&world, sizes.members).await);
        }
        if wants("rooms") {
            found.extend(rooms(&world, sizes.rooms).await);
        }
        if wants("history") || wants("search") {
            found.extend(history(&world, sizes.events, wants("history"), wants("search")).await);
        }
        world.close().await;
        found
    });
    report(&found);
}

/// Sending into a room of many members.
async fn members(world: &World, count: usize) -> Comparison {
    let members = world.register_many("m", count).await;
    let owner = &members[0];
    let (small, large) = (world.create_room(owner).await, world.create_room(owner).await);
    world.join_many(&members[..count / 10], &small).await;
    world.join_many(&members, &large).await;
    world.rest().await;
    let send = async |room: &str, n: usize| {
        // The first tenth is in both rooms.
        let sender = &members[n * 7 % (count / 10)];
        world.send(sender, room, &format!("message {n}")).await;
    };
    let sizes = (count / 10, count);
    compare("send into a room of members", sizes, async |n| send(&small, n).await, async |n| send(&large, n).await)
        .await
}

/// Syncing with many rooms, of which one has changed.
async fn rooms(world: &World, count: usize) -> Vec<Comparison> {
    let (few, many) = (world.register("few").await, world.register("many").await);
    let few_rooms = world.create_rooms(&few, count / 10).await;
    let many_rooms = world.create_rooms(&many, count).await;
    let first = async |who: &Member| world.sync(who, None).await.0;
    let (few_since, many_since) = (first(&few).await, first(&many).await);
    world.rest().await;
    let (few_since, many_since) = (tokio::sync::Mutex::new(few_since), tokio::sync::Mutex::new(many_since));
    let step = async |who: &Member, rooms: &[String], since: &tokio::sync::Mutex<String>, n: usize| {
        let mut since = since.lock().await;
        world.send(who, &rooms[n * 31 % rooms.len()], &format!("news {n}")).await;
        let begun = world.clock_us();
        let (next, changed) = world.sync(who, Some(&since)).await;
        assert_eq!(changed, 1, "one room has changed");
        *since = next;
        Duration::from_micros(world.clock_us() - begun)
    };
    let small = async |n| step(&few, &few_rooms, &few_since, n).await;
    let large = async |n| step(&many, &many_rooms, &many_since, n).await;
    vec![measure::compare_timed("sync with rooms, one changed", (count / 10, count), small, large).await]
}

/// Paging through a long history, and searching in it.
async fn history(world: &World, count: usize, wants_pages: bool, wants_search: bool) -> Vec<Comparison> {
    let writer = world.register("writer").await;
    let mut found = Vec::new();
    let (small, large) = (world.create_room(&writer).await, world.create_room(&writer).await);
    for (room, count) in [(&small, count / 10), (&large, count)] {
        let rare_every = count / RARE_TIMES;
        let text = |n: usize| {
            let rare = if n.is_multiple_of(rare_every) { " axolotl" } else { "" };
            format!("this is line {n} of a long conversation about word{}{rare}", n % 1_000)
        };
        world.send_many(&writer, room, count, text).await;
    }
    let sizes = (count / 10, count);
    if wants_pages {
        let (older, newer) =
            (world.page_tokens(&writer, &small, PAGE).await, world.page_tokens(&writer, &large, PAGE).await);
        let page = async |room: &str, tokens: &[String], n: usize| {
            let events = world.page(&writer, room, &tokens[n % tokens.len()], PAGE).await.1;
            assert_eq!(events, PAGE, "a whole page");
        };
        let (a, b) = (async |n| page(&small, &older, n).await, async |n| page(&large, &newer, n).await);
        found.push(compare("page of 50 events of a history", sizes, a, b).await);
    }
    if wants_search {
        world.wait_for_index(&writer, &large, "axolotl", RARE_TIMES).await;
        for (name, term) in [
            ("search, a word of every event", "conversation"),
            ("search, a word of a hundred events", "axolotl"),
            ("search, both words", "conversation axolotl"),
        ] {
            let search = async |room: &str| {
                let criteria = json!({
                    "search_term": term, "order_by": "recent", "filter": { "rooms": [room], "limit": 10 },
                    "event_context": { "before_limit": 0, "after_limit": 0 },
                });
                assert_eq!(world.search(&writer, criteria).await, 10, "a whole page of results");
            };
            found.push(compare(name, sizes, async |_| search(&small).await, async |_| search(&large).await).await);
        }
    }
    found
}
