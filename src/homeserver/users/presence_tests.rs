use ruma::UserId;
use ruma::presence::PresenceState::{self, Offline, Online, Unavailable};

use super::{ACTIVE_WITHIN_MS, OFFLINE_AFTER_MS, PresenceError, PresencePos, STATUS_BYTES_MAX, UNAVAILABLE_AFTER_MS};
use crate::users::testing::{Fixture, config, id};
use crate::users::{Presence, UsersConfig};

async fn fixture() -> (Fixture, Presence) {
    let f = Fixture::new(1, config()).await;
    let presence = f.users.presence().clone();
    (f, presence)
}

fn states(presence: &Presence, since: Option<PresencePos>) -> Vec<(String, PresenceState)> {
    presence
        .changes_since(since, |_, _| true)
        .0
        .into_iter()
        .map(|info| (info.user_id.localpart().to_owned(), info.state))
        .collect()
}

fn changed(name: &str, state: PresenceState) -> (String, PresenceState) {
    (name.to_owned(), state)
}

#[tokio::test]
async fn a_user_never_heard_of_is_offline() {
    let (_f, presence) = fixture().await;
    let info = presence.load(&id("alice"));
    assert_eq!(
        (info.state, info.status_msg, info.last_active_ago_ms, info.currently_active),
        (Offline, None, None, false)
    );
}

#[tokio::test]
async fn changes_are_told_once_to_who_is_interested() {
    let (_f, presence) = fixture().await;
    let start = presence.pos();
    let mut moved = presence.watch();
    presence.set(&id("alice"), Online, Some("hello".to_owned())).unwrap();
    presence.record_sync(&id("bob"), Unavailable).unwrap();
    assert!(moved.has_changed().unwrap());
    moved.mark_unchanged();
    let (infos, at) = presence.changes_since(Some(start), |user: &UserId, _| user.localpart() == "alice");
    assert_eq!(infos.len(), 1);
    assert_eq!(
        (infos[0].status_msg.as_deref(), infos[0].currently_active, infos[0].last_active_ago_ms),
        (Some("hello"), true, Some(0))
    );
    assert!(states(&presence, Some(at)).is_empty());
    presence.record_activity(&id("alice"));
    assert!(states(&presence, Some(at)).is_empty(), "others see no difference");
    assert!(!moved.has_changed().unwrap());
    presence.set(&id("alice"), Unavailable, None).unwrap();
    presence.set(&id("alice"), Offline, None).unwrap();
    assert_eq!(states(&presence, Some(at)), [changed("alice", Offline)], "many changes are one");
    assert_eq!(presence.load(&id("alice")).status_msg, None);
}

#[tokio::test]
async fn a_first_reader_and_one_from_before_a_restart_get_all_who_are_not_offline() {
    let (f, presence) = fixture().await;
    presence.set(&id("alice"), Online, None).unwrap();
    presence.set(&id("bob"), Offline, None).unwrap();
    let old = presence.pos();
    assert_eq!(states(&presence, None), [changed("alice", Online)]);
    f.clock.advance(1);
    let restarted = crate::users::Users::new(&f.env, config()).presence().clone();
    restarted.set(&id("carol"), Online, None).unwrap();
    assert_eq!(states(&restarted, Some(old)), [changed("carol", Online)]);
    let future = PresencePos { count: 1_000, ..restarted.pos() };
    assert_eq!(states(&restarted, Some(future)), [changed("carol", Online)]);
}

#[tokio::test]
async fn time_makes_users_inactive_then_offline() {
    let (f, presence) = fixture().await;
    let mut at = presence.pos();
    presence.set(&id("alice"), Online, None).unwrap();
    let mut tick = |ms: u64, is_alive: bool| {
        f.clock.advance(ms);
        if is_alive {
            presence.record_sync(&id("bob"), Unavailable).unwrap();
        }
        presence.apply_timeouts();
        let found = states(&presence, Some(at));
        at = presence.pos();
        found
    };
    assert_eq!(tick(0, false), [changed("alice", Online)]);
    assert!(tick(OFFLINE_AFTER_MS - 1, false).is_empty());
    assert_eq!(tick(1, true), [changed("bob", Unavailable), changed("alice", Offline)]);
    assert!(tick(OFFLINE_AFTER_MS - 1, true).is_empty());
    assert_eq!(tick(OFFLINE_AFTER_MS, false), [changed("bob", Offline)]);
    assert!(tick(10 * OFFLINE_AFTER_MS, false).is_empty());
}

#[tokio::test]
async fn who_is_connected_but_idle_becomes_unavailable() {
    let (f, presence) = fixture().await;
    presence.set(&id("alice"), Online, None).unwrap();
    let mut waited_ms = 0;
    while waited_ms + 20_000 < UNAVAILABLE_AFTER_MS {
        f.clock.advance(20_000);
        waited_ms += 20_000;
        presence.keep_alive(&id("alice"));
        presence.apply_timeouts();
        let info = presence.load(&id("alice"));
        assert_eq!((info.state, info.currently_active), (Online, waited_ms < ACTIVE_WITHIN_MS), "{waited_ms}");
        assert_eq!(info.last_active_ago_ms, Some(waited_ms));
    }
    f.clock.advance(20_000);
    presence.keep_alive(&id("alice"));
    presence.apply_timeouts();
    assert_eq!(presence.load(&id("alice")).state, Unavailable);
    presence.record_activity(&id("alice"));
    assert_eq!(presence.load(&id("alice")).state, Online);
}

/// Or two who wait for each other's presence would tell each other for ever that they are there.
#[tokio::test]
async fn a_sync_by_itself_is_no_activity() {
    let (f, presence) = fixture().await;
    let (alice, mut at) = (id("alice"), presence.pos());
    let mut sync_for = |ms: u64| {
        for _ in 0..ms / 20_000 {
            f.clock.advance(20_000);
            presence.record_sync(&alice, Online).unwrap();
            presence.apply_timeouts();
        }
        let found = states(&presence, Some(at));
        at = presence.pos();
        let info = presence.load(&alice);
        (found.len(), info.state, info.currently_active)
    };
    assert_eq!(sync_for(20_000), (1, Online, true), "to come is activity");
    assert_eq!(sync_for(ACTIVE_WITHIN_MS), (1, Online, false));
    assert_eq!(sync_for(UNAVAILABLE_AFTER_MS), (1, Unavailable, false));
    assert_eq!(sync_for(UNAVAILABLE_AFTER_MS), (0, Unavailable, false), "nobody is told of anything more");
    presence.record_activity(&alice);
    assert_eq!(sync_for(20_000), (1, Online, true));
    presence.record_sync(&alice, Unavailable).unwrap();
    assert_eq!(presence.load(&alice).state, Unavailable);
    presence.record_activity(&alice);
    assert_eq!(presence.load(&alice).state, Unavailable, "a client said so");
    assert_eq!(presence.load(&alice).last_active_ago_ms, Some(0));
    assert_eq!(sync_for(20_000), (1, Online, true), "it takes that back");
    presence.set(&alice, Offline, None).unwrap();
    presence.record_activity(&alice);
    presence.record_activity(&id("unknown"));
    assert_eq!(presence.load(&alice).state, Offline);
    assert_eq!(presence.load(&id("unknown")).last_active_ago_ms, None);
}

#[tokio::test]
async fn bad_states_and_long_texts_are_refused() {
    let (_f, presence) = fixture().await;
    assert_eq!(presence.set(&id("alice"), PresenceState::from("busy"), None), Err(PresenceError::State));
    assert_eq!(
        presence.set(&id("alice"), Online, Some("x".repeat(STATUS_BYTES_MAX + 1))),
        Err(PresenceError::TooLarge)
    );
    presence.record_sync(&id("alice"), Offline).unwrap();
    assert!(states(&presence, None).is_empty());
}

#[tokio::test]
async fn the_number_of_users_has_a_ceiling_and_a_setting_turns_all_off() {
    let f = Fixture::new(1, UsersConfig { presence_users_max: 3, ..config() }).await;
    let presence = f.users.presence();
    for n in 0..5 {
        presence.set(&id(&format!("u{n}")), Online, None).unwrap();
    }
    assert_eq!(states(presence, None), [changed("u2", Online), changed("u3", Online), changed("u4", Online)]);
    f.clock.advance(OFFLINE_AFTER_MS);
    presence.apply_timeouts();
    presence.forget(&id("u3"));
    assert!(states(presence, None).is_empty());
    let off = Fixture::new(1, UsersConfig { presence: false, ..config() }).await;
    off.users.presence().set(&id("alice"), Online, None).unwrap();
    assert_eq!(off.users.presence().load(&id("alice")).state, Offline);
    assert!(!off.users.presence().is_on());
}
