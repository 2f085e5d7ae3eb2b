use futures_util::future::join_all;
use hearth_protocol::testing::Dice;
use ruma::OwnedEventId;
use serde_json::json;

use crate::rooms::testing::{Fixture, event, message};
use crate::rooms::{NewEvent, Preset, RoomError};

fn relating(target: &OwnedEventId, rel_type: &str, key: &str) -> NewEvent {
    let relates = json!({ "rel_type": rel_type, "event_id": target, "key": key });
    event("m.room.message", None, &json!({ "body": "x", "m.relates_to": relates }), None)
}

fn redaction(target: &OwnedEventId) -> NewEvent {
    let content = json!({ "redacts": target });
    NewEvent { redacts: Some(target.clone()), ..event("m.room.redaction", None, &content, None) }
}

/// Some events of which most relate to earlier ones, or redact them; several are sent at once and share a batch.
#[tokio::test]
async fn whatever_relates_and_is_redacted_the_indexes_say_what_the_events_say() {
    for seed in 0..20 {
        let fixture = Fixture::new(1).await;
        let alice = fixture.user("alice").await;
        let room = fixture.room(&alice, Preset::PrivateChat).await;
        let mut dice = Dice::new(seed);
        let mut sent = vec![fixture.rooms.send(&alice, &room, message("first", None)).await.unwrap()];
        for _ in 0..15 {
            let mut pick = |list: &[OwnedEventId]| list[dice.below(list.len())].clone();
            let mut drafts = Vec::new();
            for _ in 0..4 {
                drafts.push(message("x", None));
                for rel_type in ["m.thread", "m.replace", "m.annotation", "m.reference"] {
                    drafts.push(relating(&pick(&sent), rel_type, "key"));
                }
                drafts.push(redaction(&pick(&sent)));
            }
            let answers = join_all(drafts.into_iter().map(|draft| fixture.rooms.send(&alice, &room, draft))).await;
            for answer in answers {
                match answer {
                    Ok(id) => sent.push(id),
                    Err(RoomError::DuplicateAnnotation | RoomError::BadRelation(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
        assert_eq!(fixture.check().await, [], "seed {seed}");
    }
}
