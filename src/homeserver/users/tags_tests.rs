use ruma::room_id;
use serde_json::{Map, Value, json};

use super::{TAGS_MAX, TagError};
use crate::users::testing::{Fixture, config, with_lanes};

fn info(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(info) => info,
        _ => panic!("an object"),
    }
}

#[tokio::test]
async fn tags_are_added_changed_and_removed() {
    with_lanes(config(), async |f: Fixture| {
        let alice = f.user("alice").await;
        let room = room_id!("!a:hs1");
        f.users.set_tag(&alice, room, "u.work", &info(json!({"order": 0.5}))).await.unwrap();
        f.users.set_tag(&alice, room, "m.favourite", &Map::new()).await.unwrap();
        f.users.set_tag(&alice, room, "u.work", &info(json!({"order": 0.9}))).await.unwrap();
        let tags = f.users.load_tags(&alice.user_id, room).await.unwrap();
        assert_eq!(Value::Object(tags), json!({"u.work": {"order": 0.9}, "m.favourite": {}}));
        let stored = f.users.load_account_data(&alice.user_id, Some(room), "m.tag").await.unwrap().unwrap();
        assert_eq!(serde_json::from_str::<Value>(stored.get()).unwrap()["tags"]["u.work"]["order"], 0.9);
        f.users.delete_tag(&alice, room, "u.work").await.unwrap();
        f.users.delete_tag(&alice, room, "u.never").await.unwrap();
        assert_eq!(f.users.load_tags(&alice.user_id, room).await.unwrap().len(), 1);
        assert!(f.users.load_tags(&alice.user_id, room_id!("!b:hs1")).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn tags_have_limits_and_odd_content_is_no_tags() {
    with_lanes(config(), async |f: Fixture| {
        let alice = f.user("alice").await;
        let room = room_id!("!a:hs1");
        for bad in ["", &"t".repeat(256)] {
            assert!(matches!(f.users.set_tag(&alice, room, bad, &Map::new()).await, Err(TagError::Invalid)));
        }
        let content = serde_json::value::to_raw_value(&json!({"tags": 5})).unwrap();
        f.users.set_account_data(&alice, Some(room), "m.tag", &content).await.unwrap();
        assert!(f.users.load_tags(&alice.user_id, room).await.unwrap().is_empty());
        for n in 0..TAGS_MAX {
            f.users.set_tag(&alice, room, &format!("u.{n}"), &Map::new()).await.unwrap();
        }
        assert!(matches!(f.users.set_tag(&alice, room, "u.more", &Map::new()).await, Err(TagError::Invalid)));
    })
    .await;
}
