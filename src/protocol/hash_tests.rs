//! Hashes by the specification's vectors, and base64.

use super::*;
use crate::json_canonical::write_value;
use crate::json_parse::{Json, parse_object};
use crate::redaction::write_redacted;
use crate::sample_events::{rules, spec_signer};
use crate::signature::insert_signature;

/// Adds hash and signature as the specification's example code does.
fn hash_and_sign(text: &str) -> String {
    let mut event = parse_object(text, 8).unwrap();
    let unsigned = event.remove("unsigned");
    let hash = base64_standard(&content_hash(&event));
    let mut hashes = Object::default();
    hashes.insert("sha256", Json::String(hash.into()));
    event.insert("hashes", Json::Object(hashes));
    let mut signing_text = String::new();
    write_redacted(&mut signing_text, rules(1), &event, false);
    let signer = spec_signer();
    let signature = signer.sign_base64(signing_text.as_bytes());
    insert_signature(&mut event, &signer, signature);
    event.insert("unsigned", unsigned.unwrap());
    let mut out = String::new();
    write_value(&mut out, &Json::Object(event));
    out
}

/// Appendices, "Event Signing".
#[test]
fn events_of_the_specification() {
    let minimal = r#"{"room_id":"!x:domain","sender":"@a:domain","origin":"domain","origin_server_ts":1000000,
        "signatures":{},"hashes":{},"type":"X","content":{},"prev_events":[],"auth_events":[],"depth":3,
        "unsigned":{"age_ts":1000000}}"#;
    let expected = r#"{"auth_events":[],"content":{},"depth":3,"hashes":{"sha256":"5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos"},"origin":"domain","origin_server_ts":1000000,"prev_events":[],"room_id":"!x:domain","sender":"@a:domain","signatures":{"domain":{"ed25519:1":"KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg"}},"type":"X","unsigned":{"age_ts":1000000}}"#;
    assert_eq!(hash_and_sign(minimal), expected);

    let redactable = r#"{"content":{"body":"Here is the message content"},"event_id":"$0:domain","origin":"domain",
        "origin_server_ts":1000000,"type":"m.room.message","room_id":"!r:domain","sender":"@u:domain",
        "signatures":{},"unsigned":{"age_ts":1000000}}"#;
    let expected = r#"{"content":{"body":"Here is the message content"},"event_id":"$0:domain","hashes":{"sha256":"onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g"},"origin":"domain","origin_server_ts":1000000,"room_id":"!r:domain","sender":"@u:domain","signatures":{"domain":{"ed25519:1":"Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA"}},"type":"m.room.message","unsigned":{"age_ts":1000000}}"#;
    assert_eq!(hash_and_sign(redactable), expected);
}

/// Appendices, "Unpadded Base64".
#[test]
fn base64_of_the_specification() {
    for (text, base64) in [
        ("", ""),
        ("f", "Zg"),
        ("fo", "Zm8"),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg"),
        ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(base64_standard(text.as_bytes()), base64);
        assert_eq!(decode_base64(base64).as_deref(), Some(text.as_bytes()));
    }
    assert_eq!((&*base64_standard(&[0xfb, 0xff]), &*base64_url_safe(&[0xfb, 0xff])), ("+/8", "-_8"));
    assert_eq!(decode_base64("Zg==").as_deref(), Some(&b"f"[..]));
    assert_eq!(decode_base64("-_8"), None);
    assert_eq!(decode_base64("Z"), None);
}

#[test]
fn ids_have_the_form_of_their_version() {
    // This hash has both letters that differ between the alphabets.
    let mut hash = [0xff; 32];
    hash[0] = 0xfb;
    let id = |version| event_id_of(rules(version), &hash).map(|id| id.to_string());
    let end = "/".repeat(40);
    assert_eq!(id(2), Err(BadEvent::MissingField("event_id")));
    assert_eq!(id(3).unwrap(), format!("$+/{end}8"));
    assert_eq!(id(4).unwrap(), format!("$-_{}8", end.replace('/', "_")));
    let create = OwnedEventId::try_from(id(12).unwrap()).unwrap();
    assert_eq!(room_id_of_create(&create).unwrap().as_str(), create.as_str().replace('$', "!"));
}
