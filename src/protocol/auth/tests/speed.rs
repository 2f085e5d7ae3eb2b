//! How long a check takes; run by hand: `cargo test --release -- --ignored --nocapture speed`.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{BOB, CAROL, Sample, Scene};
use crate::auth::{AuthCache, check_cached};

const ROUNDS: u32 = 20_000;

#[expect(clippy::disallowed_methods, reason = "this measures")]
fn measure(mut action: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..ROUNDS {
        action();
    }
    start.elapsed() / ROUNDS
}

#[test]
#[ignore = "a measurement"]
fn speed_of_a_message_check() {
    for named_users in [2, 500] {
        let mut scene = Scene::new(11);
        let mut users = json!({ BOB: 50 });
        for n in 0..named_users {
            users[format!("@user{n}:example.org")] = json!(10);
        }
        scene.level("users", users);
        let event = Sample::message("m.room.message", CAROL, json!({ "body": "hello" }));
        let built = event.clone().build(scene.rules, &scene.room_id);
        let state = |kind: &str, key: &str| scene.get(kind, key);
        let cache = AuthCache::new();
        let warm = measure(|| check_cached(scene.rules, &built, &state, &cache).expect("allowed"));
        let cold = measure(|| {
            check_cached(scene.rules, &built, &state, &AuthCache::new()).expect("allowed");
        });
        let ruma = measure(|| scene.check_by_ruma(event.clone()).expect("allowed"));
        println!("{named_users} users: warm {warm:?}, cold {cold:?}, ruma {ruma:?}");
        assert!(warm < Duration::from_micros(10), "{warm:?}");
    }
}
