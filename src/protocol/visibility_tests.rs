//! History visibility: the five rules, and the two kinds of events that count before and after.

use ruma::{RoomId, UserId};
use serde_json::json;

use super::{Sight, Visibility, may_see, may_server_see};
use crate::{Event, auth::Membership, testing::Sample, version::list_rules};

use Membership::{Ban, Invite, Join, Knock, Leave};
use Visibility::{Invited, Joined, Shared, WorldReadable};

fn sight(visibility: Visibility, membership: Membership, joined_since: bool) -> Sight {
    Sight { visibility, visibility_set: None, membership, membership_set: None, joined_since }
}

#[test]
fn the_five_rules() {
    for visibility in [WorldReadable, Shared, Invited, Joined] {
        for membership in [Join, Invite, Leave, Ban, Knock] {
            for joined_since in [false, true] {
                let expected = match (visibility, membership, joined_since) {
                    // Rules 1 to 4; by rule 5 all others are denied.
                    (WorldReadable, ..) | (_, Join, _) | (Shared, _, true) | (Invited, Invite, _) => true,
                    _ => false,
                };
                let sight = sight(visibility, membership, joined_since);
                assert_eq!(may_see(&sight), expected, "{sight:?}");
            }
        }
    }
}

#[test]
fn a_change_of_visibility_is_seen_by_either() {
    let change = |from, to| Sight { visibility_set: Some(to), ..sight(from, Leave, false) };
    assert!(may_see(&change(WorldReadable, Joined)));
    assert!(may_see(&change(Joined, WorldReadable)));
    assert!(!may_see(&change(Joined, Shared)));
}

#[test]
fn ones_own_membership_is_seen_by_either() {
    let change = |from, to| Sight { membership_set: Some(to), ..sight(Joined, from, false) };
    assert!(may_see(&change(Leave, Join)));
    assert!(may_see(&change(Join, Leave)));
    assert!(may_see(&change(Join, Ban)));
    assert!(!may_see(&change(Invite, Leave)));
}

fn event(sample: Sample) -> std::sync::Arc<Event> {
    sample.build(&list_rules()[9], &RoomId::parse("!room:a.org").expect("a room id"))
}

fn visibility_event(content: serde_json::Value) -> std::sync::Arc<Event> {
    event(Sample::state("m.room.history_visibility", "@alice:a.org", "", content))
}

#[test]
fn visibility_of_a_state() {
    let of = |word: &str| Visibility::of(Some(&visibility_event(json!({ "history_visibility": word }))));
    assert_eq!(of("world_readable"), WorldReadable);
    assert_eq!(of("invited"), Invited);
    assert_eq!(of("joined"), Joined);
    assert_eq!([of("shared"), of("other"), Visibility::of(None)], [Shared; 3]);
    assert_eq!(Visibility::of(Some(&visibility_event(json!({ "history_visibility": 1 })))), Shared);
}

#[test]
fn which_events_set_what() {
    let reader = <&UserId>::try_from("@bob:b.org").expect("a user id");
    let of = |event: &Event| Sight::of(event, reader, Joined, Leave, false);
    let own = of(&event(Sample::member("@alice:a.org", "@bob:b.org", "invite")));
    assert_eq!((own.membership_set, own.visibility_set), (Some(Invite), None));
    let other = of(&event(Sample::member("@alice:a.org", "@alice:a.org", "join")));
    assert_eq!((other.membership_set, other.visibility_set), (None, None));
    let visibility = of(&visibility_event(json!({ "history_visibility": "world_readable" })));
    assert_eq!((visibility.membership_set, visibility.visibility_set), (None, Some(WorldReadable)));
    let message = of(&event(Sample::message("m.room.message", "@bob:b.org", json!({}))));
    assert_eq!(message, sight(Joined, Leave, false));
}

#[test]
fn a_server_sees_what_any_of_its_users_may() {
    assert!(may_server_see(WorldReadable, [], false));
    assert!(may_server_see(Joined, [Leave, Join], false));
    assert!(may_server_see(Invited, [Invite], false));
    assert!(!may_server_see(Joined, [Invite, Ban], true));
    assert!(may_server_see(Shared, [], true));
    assert!(!may_server_see(Shared, [Leave], false));
}
