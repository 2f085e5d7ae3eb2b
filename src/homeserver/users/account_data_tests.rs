use hearth_protocol::LanePos;
use hearth_storage::MemoryFaults;
use ruma::{RoomId, event_id, room_id};
use serde_json::value::RawValue;

use super::{AccountDataError, AccountDatum};
use crate::users::account_data_log::PART_BYTES;
use crate::users::testing::{Fixture, config, with_lanes};
use crate::users::{LocalUser, UsersConfig};

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

async fn set(
    f: &Fixture,
    user: &LocalUser,
    room: Option<&RoomId>,
    kind: &str,
    json: &str,
) -> Result<(), AccountDataError> {
    f.users.set_account_data(user, room, kind, &raw(json)).await
}

async fn get(f: &Fixture, user: &LocalUser, room: Option<&RoomId>, kind: &str) -> Option<String> {
    f.users.load_account_data(&user.user_id, room, kind).await.unwrap().map(|content| content.get().to_owned())
}

fn head(f: &Fixture, user: &LocalUser) -> LanePos {
    f.store.head(f.store.lane_of(&user.key.0))
}

async fn changes(f: &Fixture, user: &LocalUser, from: LanePos) -> (Vec<AccountDatum>, LanePos) {
    let to = head(f, user);
    (f.users.list_account_data_changes(&user.key, from, to).await.unwrap(), to)
}

fn names(data: &[AccountDatum]) -> Vec<(String, String, String)> {
    let room = |datum: &AccountDatum| datum.room_id.as_ref().map(ToString::to_string).unwrap_or_default();
    data.iter().map(|datum| (room(datum), datum.kind.clone(), datum.content.get().to_owned())).collect()
}

fn name(room: &str, kind: &str, content: &str) -> (String, String, String) {
    (room.to_owned(), kind.to_owned(), content.to_owned())
}

#[tokio::test]
async fn what_is_set_is_read_by_its_user_in_its_room() {
    with_lanes(config(), async |f: Fixture| {
        let (alice, bob) = (f.user("alice").await, f.user("bob").await);
        let room = room_id!("!a:hs1");
        set(&f, &alice, None, "test.key", r#"{"value":"first"}"#).await.unwrap();
        set(&f, &alice, Some(room), "test.key", r#"{"value":"room"}"#).await.unwrap();
        set(&f, &alice, None, "test.key", r#"{"value":"second"}"#).await.unwrap();
        assert_eq!(get(&f, &alice, None, "test.key").await.as_deref(), Some(r#"{"value":"second"}"#));
        assert_eq!(get(&f, &alice, Some(room), "test.key").await.as_deref(), Some(r#"{"value":"room"}"#));
        assert_eq!(get(&f, &alice, Some(room_id!("!b:hs1")), "test.key").await, None);
        assert_eq!(get(&f, &alice, None, "other").await, None);
        assert_eq!(get(&f, &bob, None, "test.key").await, None);
    })
    .await;
}

#[tokio::test]
async fn a_sync_sees_each_change_once_in_one_read() {
    with_lanes(config(), async |f: Fixture| {
        let (alice, bob) = (f.user("alice").await, f.user("bob").await);
        let start = head(&f, &alice);
        set(&f, &alice, None, "a", r#"{"n":1}"#).await.unwrap();
        set(&f, &alice, None, "b", r#"{"n":2}"#).await.unwrap();
        set(&f, &bob, None, "a", r#"{"n":9}"#).await.unwrap();
        set(&f, &alice, Some(room_id!("!a:hs1")), "a", r#"{"n":3}"#).await.unwrap();
        let before = f.store.counters();
        let (first, at) = changes(&f, &alice, start).await;
        let after = f.store.counters();
        assert_eq!(
            (after.scans - before.scans, after.gets - before.gets, after.multi_gets - before.multi_gets),
            (1, 0, 0)
        );
        assert_eq!(
            names(&first),
            [name("", "a", r#"{"n":1}"#), name("", "b", r#"{"n":2}"#), name("!a:hs1", "a", r#"{"n":3}"#)]
        );
        assert!(changes(&f, &alice, at).await.0.is_empty());
        set(&f, &alice, None, "a", r#"{"n":4}"#).await.unwrap();
        assert_eq!(names(&changes(&f, &alice, at).await.0), [name("", "a", r#"{"n":4}"#)]);
        // Only the newest row of a type is there.
        assert_eq!(changes(&f, &alice, start).await.0.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn all_of_it_has_push_rules_also_when_never_changed() {
    with_lanes(config(), async |f: Fixture| {
        let alice = f.user("alice").await;
        set(&f, &alice, None, "a", r#"{"n":1}"#).await.unwrap();
        let all = f.users.list_account_data(&alice.user_id).await.unwrap();
        assert_eq!(all.iter().map(|datum| datum.kind.as_str()).collect::<Vec<_>>(), ["a", "m.push_rules"]);
        assert!(all[1].content.get().contains(".m.rule.master"));
        assert!(get(&f, &alice, None, "m.push_rules").await.unwrap().contains("@alice:hs1"));
        assert_eq!(get(&f, &alice, Some(room_id!("!a:hs1")), "m.push_rules").await, None);
    })
    .await;
}

#[tokio::test]
async fn deleted_data_is_gone_for_readers_and_empty_for_a_sync() {
    with_lanes(config(), async |f: Fixture| {
        let alice = f.user("alice").await;
        set(&f, &alice, None, "a", r#"{"n":1}"#).await.unwrap();
        set(&f, &alice, None, "b", r#"{"n":1}"#).await.unwrap();
        let at = head(&f, &alice);
        f.users.delete_account_data(&alice, None, "a").await.unwrap();
        set(&f, &alice, None, "b", "{ }").await.unwrap();
        f.users.delete_account_data(&alice, None, "never").await.unwrap();
        for kind in ["a", "b", "never"] {
            assert_eq!(get(&f, &alice, None, kind).await, None);
        }
        let (data, _) = changes(&f, &alice, at).await;
        assert_eq!(names(&data), [name("", "a", "{}"), name("", "b", "{}")]);
        assert!(data.iter().all(|datum| datum.is_deleted));
        assert_eq!(f.users.list_account_data(&alice.user_id).await.unwrap().len(), 1);
        let at = head(&f, &alice);
        f.users.delete_account_data(&alice, None, "a").await.unwrap();
        assert_eq!(head(&f, &alice), at, "nothing is left to delete");
        set(&f, &alice, None, "a", r#"{"n":2}"#).await.unwrap();
        assert_eq!(get(&f, &alice, None, "a").await.as_deref(), Some(r#"{"n":2}"#));
    })
    .await;
}

#[tokio::test]
async fn long_content_comes_back_whole() {
    with_lanes(config(), async |f: Fixture| {
        let alice = f.user("alice").await;
        let start = head(&f, &alice);
        let long = |letter: &str| format!(r#"{{"text":"{}"}}"#, letter.repeat(PART_BYTES * 3));
        set(&f, &alice, None, "a", &long("a")).await.unwrap();
        set(&f, &alice, None, "b", r#"{"n":1}"#).await.unwrap();
        set(&f, &alice, None, "a", &long("é")).await.unwrap();
        assert_eq!(get(&f, &alice, None, "a").await, Some(long("é")));
        let (data, _) = changes(&f, &alice, start).await;
        assert_eq!(names(&data), [name("", "b", r#"{"n":1}"#), name("", "a", &long("é"))]);
        set(&f, &alice, None, "a", r#"{"n":2}"#).await.unwrap();
        assert_eq!(
            names(&changes(&f, &alice, start).await.0),
            [name("", "b", r#"{"n":1}"#), name("", "a", r#"{"n":2}"#)]
        );
    })
    .await;
}

#[tokio::test]
async fn the_servers_own_types_and_what_is_no_object_are_refused() {
    with_lanes(config(), async |f: Fixture| {
        let alice = f.user("alice").await;
        let room = room_id!("!a:hs1");
        for (room, kind) in [(None, "m.push_rules"), (None, "m.fully_read"), (Some(room), "m.fully_read")] {
            assert!(
                matches!(set(&f, &alice, room, kind, r#"{"a":1}"#).await, Err(AccountDataError::Managed)),
                "{kind}"
            );
            assert!(matches!(f.users.delete_account_data(&alice, room, kind).await, Err(AccountDataError::Managed)));
        }
        for bad in ["[]", "1", r#""{}""#, "null"] {
            assert!(matches!(set(&f, &alice, None, "a", bad).await, Err(AccountDataError::NotAnObject)), "{bad}");
        }
        for bad in ["", "a\0b", &"a".repeat(256)] {
            assert!(matches!(set(&f, &alice, None, bad, r#"{"a":1}"#).await, Err(AccountDataError::Kind)));
            assert_eq!(get(&f, &alice, None, bad).await, None);
        }
        f.users.set_fully_read(&alice, room, event_id!("$e")).await.unwrap();
        assert_eq!(get(&f, &alice, Some(room), "m.fully_read").await.as_deref(), Some(r#"{"event_id":"$e"}"#));
    })
    .await;
}

#[tokio::test]
async fn a_user_may_store_so_much_and_can_always_make_it_less() {
    let config = UsersConfig {
        account_data_types_max: 2,
        account_data_item_bytes_max: 20,
        account_data_bytes_max: 30,
        ..config()
    };
    with_lanes(config, async |f: Fixture| {
        let alice = f.user("alice").await;
        let text = |len: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(len - 8));
        assert!(matches!(set(&f, &alice, None, "a", &text(21)).await, Err(AccountDataError::ItemTooLarge)));
        set(&f, &alice, None, "a", &text(20)).await.unwrap();
        assert!(matches!(set(&f, &alice, None, "b", &text(11)).await, Err(AccountDataError::Full)));
        set(&f, &alice, None, "b", &text(10)).await.unwrap();
        assert!(matches!(set(&f, &alice, None, "c", &text(8)).await, Err(AccountDataError::Full)));
        set(&f, &alice, None, "a", &text(19)).await.unwrap();
        f.users.delete_account_data(&alice, None, "a").await.unwrap();
        set(&f, &alice, None, "b", &text(20)).await.unwrap();
        assert!(
            matches!(set(&f, &alice, None, "c", &text(8)).await, Err(AccountDataError::Full)),
            "deleted types keep their row"
        );
    })
    .await;
}

/// Whatever goes wrong below, the log holds exactly the last content of each type.
#[tokio::test]
async fn changes_at_the_same_time_leave_one_row_a_type() {
    for seed in 0..10 {
        let faults = MemoryFaults {
            seed,
            latency_us_max: 100,
            conflict_per_mille: 100,
            unknown_per_mille: 100,
            busy_per_mille: 50,
            ..MemoryFaults::default()
        };
        let f = Fixture::with_faults(8, config(), faults).await;
        let alice = f.user("alice").await;
        let sets = (0..6).map(|n| {
            let (f, alice) = (&f, &alice);
            async move { set(f, alice, None, &format!("k{}", n % 3), &format!(r#"{{"n":{n}}}"#)).await }
        });
        for set in futures_util::future::join_all(sets).await {
            set.unwrap();
        }
        let all = f.users.list_account_data(&alice.user_id).await.unwrap();
        assert_eq!(all.len(), 4, "seed {seed}");
        for datum in all.iter().filter(|datum| datum.kind.starts_with('k')) {
            assert_eq!(get(&f, &alice, None, &datum.kind).await.as_deref(), Some(datum.content.get()), "seed {seed}");
        }
    }
}
