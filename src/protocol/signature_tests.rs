//! Signing and checking JSON, by the specification's vectors and by what must fail.

use ruma::{owned_server_name, server_name};
use serde_json::Value;

use super::*;
use crate::sample_events::{keys_of, keys_until, signer_of, spec_signer};

/// Appendices, "JSON Signing".
#[test]
fn objects_of_the_specification() {
    let cases = [
        (
            "{}",
            r#"{"signatures":{"domain":{"ed25519:1":"K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ"}}}"#,
        ),
        (
            r#"{"one": 1, "two": "Two"}"#,
            r#"{"one":1,"signatures":{"domain":{"ed25519:1":"KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw"}},"two":"Two"}"#,
        ),
    ];
    let signer = spec_signer();
    assert_eq!(signer.public_key_base64(), "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI");
    for (text, expected) in cases {
        assert_eq!(sign_json(&signer, text).as_deref(), Ok(expected));
        let verified = verify_json(expected, server_name!("domain"), &keys_of(&signer), 0);
        assert_eq!(verified, Ok(()));
    }
}

/// Appendices, "Signing Details": the example there.
#[test]
fn unsigned_is_kept_and_not_covered() {
    let signer = spec_signer();
    let text = r#"{"name":"example.org","unsigned":{"age_ts":922834800000},"signatures":{"b":{"ed25519:2":"x"}}}"#;
    let signed = sign_json(&signer, text).unwrap();
    let verify = |text: &str| verify_json(text, server_name!("domain"), &keys_of(&signer), 0);
    assert_eq!(verify(&signed), Ok(()));
    assert_eq!(verify(&signed.replace("922834800000", "1")), Ok(()));
    let tree: Value = serde_json::from_str(&signed).unwrap();
    assert_eq!(tree["signatures"]["b"]["ed25519:2"], "x");
    assert_eq!(tree["unsigned"]["age_ts"], 922_834_800_000_u64);
    let wrong = verify(&signed.replace("example.org", "example.net"));
    assert!(matches!(wrong, Err(BadSignature::Wrong { .. })));
}

#[test]
fn signing_again_replaces_only_our_own_signature() {
    let once = sign_json(&signer_of("one"), "{}").unwrap();
    let twice = sign_json(&signer_of("two"), &once).unwrap();
    assert_eq!(sign_json(&signer_of("two"), &twice).unwrap(), twice);
    for server in ["one", "two"] {
        let signer = signer_of(server);
        assert_eq!(verify_json(&twice, signer.server_name(), &keys_of(&signer), 0), Ok(()));
    }
}

#[test]
fn what_does_not_hold() {
    let signer = spec_signer();
    let signed = sign_json(&signer, r#"{"a":1}"#).unwrap();
    let domain = server_name!("domain");
    let server = || owned_server_name!("domain");
    let verify = |text: &str, keys: &PublicKeys| verify_json(text, domain, keys, 5_000);
    let keys = keys_of(&signer);
    let key_ids = || vec!["ed25519:1".to_owned()];

    let missing = Err(BadSignature::Missing { server: server() });
    for without in [
        r#"{"a":1}"#.to_owned(),
        signed.replace("domain", "elsewhere"),
        signed.replace("ed25519", "rsa"),
        r#"{"a":1,"signatures":{"domain":5}}"#.to_owned(),
        r#"{"a":1,"signatures":{"domain":{"ed25519:1":5}}}"#.to_owned(),
    ] {
        assert_eq!(verify(&without, &keys), missing, "{without}");
    }
    let unknown = BadSignature::UnknownKeys { server: server(), key_ids: key_ids() };
    assert_eq!(verify(&signed, &PublicKeys::new()), Err(unknown));
    let expired = BadSignature::ExpiredKeys { server: server(), key_ids: key_ids() };
    assert_eq!(verify(&signed, &keys_until(&signer, 4_999)), Err(expired));
    assert_eq!(verify(&signed, &keys_until(&signer, 5_000)), Ok(()));
    let wrong = Err(BadSignature::Wrong { server: server(), key_id: "ed25519:1".to_owned() });
    for changed in [
        signed.replace("\"a\":1", "\"a\":2"),
        r#"{"a":1,"signatures":{"domain":{"ed25519:1":"?"}}}"#.to_owned(),
        r#"{"a":1,"signatures":{"domain":{"ed25519:1":"Zm9v"}}}"#.to_owned(),
    ] {
        assert_eq!(verify(&changed, &keys), wrong, "{changed}");
    }
    assert!(matches!(verify("[]", &keys), Err(BadSignature::Json(_))));
}

#[test]
fn a_known_wrong_signature_fails_beside_a_right_one() {
    let signer = spec_signer();
    let signed = sign_json(&signer, "{}").unwrap();
    let two = signed.replace("{\"ed25519:1\"", "{\"ed25519:2\":\"Zm9v\",\"ed25519:1\"");
    let mut keys = keys_of(&signer);
    let domain = server_name!("domain");
    // An unknown key beside a known one is skipped.
    assert_eq!(verify_json(&two, domain, &keys, 0), Ok(()));
    let known = keys.get_mut(domain).unwrap();
    known.insert("ed25519:2".to_owned(), known["ed25519:1"]);
    assert!(matches!(verify_json(&two, domain, &keys, 0), Err(BadSignature::Wrong { .. })));
}

#[test]
fn a_weak_key_signs_nothing() {
    // The neutral element as key and commitment fits every message unless the check is strict.
    let mut weak = [0; 32];
    weak[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    assert!(!is_signature(&weak, b"anything", &base64_standard(&signature)));
}

#[test]
fn key_ids_have_a_form() {
    let make = |key_id: &str| Signer::from_seed(owned_server_name!("domain"), [7; 32], key_id);
    assert!(make("ed25519:a_B9").is_ok());
    assert!(make(&format!("ed25519:{}", "a".repeat(56))).is_ok());
    let long = format!("ed25519:{}", "a".repeat(57));
    for bad in ["", "ed25519:", "a_B9", "rsa:1", "ed25519:a b", "ed25519:a\"", &long] {
        assert!(make(bad).is_err(), "{bad}");
    }
}

#[test]
fn printing_a_signer_tells_no_secret() {
    assert_eq!(format!("{:?}", spec_signer()), "Signer(domain ed25519:1)");
}
