//! `GET /_matrix/key/v2/server`.

use std::collections::BTreeMap;

use hearth_protocol::{PublicKeys, VerifyKey, verify_json};
use ruma::ServerName;
use serde_json::Value;

use crate::harness::TestServer;

/// Checks a keys document by the key that it names, at its own time.
#[track_caller]
pub fn check_signed(document: &Value, now_ms: u64) {
    let name = document["server_name"].as_str().expect("a name");
    let name = ServerName::parse(name).expect("a server name");
    let valid_until_ts = document["valid_until_ts"].as_u64().expect("a time");
    assert!(valid_until_ts > now_ms + 60 * 60 * 1_000, "valid for an hour at least");
    let keys = document["verify_keys"].as_object().expect("keys").iter().map(|(id, key)| {
        let key = hearth_protocol::decode_base64(key["key"].as_str().expect("base64")).expect("base64");
        (id.clone(), VerifyKey { key: key.try_into().expect("32 bytes"), valid_until_ts })
    });
    let keys: PublicKeys = BTreeMap::from([(name.clone(), keys.collect())]);
    verify_json(&document.to_string(), &name, &keys, now_ms).expect("its own signature");
}

#[tokio::test]
async fn the_keys_are_signed_by_themselves() {
    let server = TestServer::start().await;
    let document = server.client().get("/_matrix/key/v2/server").await.ok();
    assert_eq!(document["server_name"], server.homeserver.env.server_name.as_str());
    assert_eq!(document["old_verify_keys"], serde_json::json!({}));
    check_signed(&document, hearth_protocol::Clock::now(&*server.clock).0);
}
