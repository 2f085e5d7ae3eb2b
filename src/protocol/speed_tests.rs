//! How long an event takes on its ways; run by hand: `cargo test --release -- --ignored --nocapture speed`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client_format::client_json_head;
use crate::event::Event;
use crate::event_build::build_event;
use crate::incoming::{check_hashes_and_signatures, parse_pdu};
use crate::redaction::redact;
use crate::sample_events::{draft, keys_of, place, rules, spec_signer};

const ROUNDS: u32 = 20_000;

#[expect(clippy::disallowed_methods, reason = "this measures")]
fn measure<T>(mut action: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(action());
    }
    start.elapsed() / ROUNDS
}

#[test]
#[ignore = "a measurement"]
fn speed_of_an_event() {
    let (rules, signer) = (rules(12), spec_signer());
    let keys = keys_of(&signer);
    for body in ["hello".to_owned(), "x".repeat(4_000)] {
        let content = json!({ "body": body, "msgtype": "m.text", "m.mentions": {} });
        let draft = draft("m.room.message", None, &content);
        let place = place(rules);
        let event = build_event(rules, draft.clone(), place.clone()).unwrap().sign(&signer);
        let build = measure(|| build_event(rules, draft.clone(), place.clone()));
        let build_and_sign = measure(|| build_event(rules, draft.clone(), place.clone()).unwrap().sign(&signer));
        let read = measure(|| Event::from_stored(rules, event.id.clone(), &event.room_id, event.json.clone()));
        let parse = measure(|| parse_pdu(rules, None, &event.json));
        let pdu = parse_pdu(rules, None, &event.json).unwrap();
        let check = measure(|| check_hashes_and_signatures(rules, pdu.clone(), &keys));
        let client = measure(|| client_json_head(&event));
        let redacted = measure(|| redact(rules, &event));
        println!(
            "{} bytes: build {build:?}, with signature {build_and_sign:?}, from_stored {read:?}, \
             parse_pdu {parse:?}, check {check:?}, client {client:?}, redact {redacted:?}",
            event.json.get().len(),
        );
        assert!(body.len() > 100 || build < Duration::from_micros(25), "{build:?}");
        assert!(body.len() > 100 || read < Duration::from_micros(10), "{read:?}");
    }
}
