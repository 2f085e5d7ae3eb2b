//! The rules for invitations that follow from a third-party invite.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

use super::{ALL, BOB, CAROL, DAVE, Sample, Scene, row, run};
use crate::auth::Rejection as R;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public_key(seed: u8) -> Value {
    json!(STANDARD_NO_PAD.encode(key(seed).verifying_key().as_bytes()))
}

/// The signed part of an invitation of Dave, by the key of a seed.
fn signed_by(seed: u8) -> Value {
    let message = format!(r#"{{"mxid":"{DAVE}","token":"abc"}}"#);
    let signature = STANDARD_NO_PAD.encode(key(seed).sign(message.as_bytes()).to_bytes());
    json!({
        "mxid": DAVE,
        "token": "abc",
        "signatures": { "id.example": { "ed25519:0": signature } },
    })
}

fn invite(signed: &Value) -> Sample {
    let invite = json!({ "signed": signed });
    Sample::member(BOB, DAVE, "invite").with("third_party_invite", invite)
}

fn offered(scene: &mut Scene, content: Value) {
    scene.put(Sample::state("m.room.third_party_invite", BOB, "abc", content));
}

fn one_key(scene: &mut Scene) {
    offered(scene, json!({ "public_key": public_key(1) }));
}

#[test]
fn rules_5_3_1_1_to_5_3_1_6_who_and_whom() {
    run(vec![
        row(
            "5.3.1.1",
            ALL,
            |s| {
                one_key(s);
                s.member(DAVE, "ban");
            },
            |_| invite(&signed_by(1)),
            R::ThirdPartyTargetBanned,
        ),
        row(
            "5.3.1.2",
            ALL,
            one_key,
            |_| Sample::member(BOB, DAVE, "invite").with("third_party_invite", json!({})),
            R::ThirdPartyUnsigned,
        ),
        row("5.3.1.3 no mxid", ALL, one_key, |_| invite(&json!({ "token": "abc" })), R::ThirdPartyIncomplete),
        row("5.3.1.3 no token", ALL, one_key, |_| invite(&json!({ "mxid": DAVE })), R::ThirdPartyIncomplete),
        row(
            "5.3.1.4",
            ALL,
            one_key,
            |_| Sample { state_key: Some("@erin:d.org".to_owned()), ..invite(&signed_by(1)) },
            R::ThirdPartyOtherUser,
        ),
        row("5.3.1.5", ALL, |_| {}, |_| invite(&signed_by(1)), R::ThirdPartyTokenUnknown),
        row(
            "5.3.1.6",
            ALL,
            one_key,
            |_| Sample { sender: CAROL.to_owned(), ..invite(&signed_by(1)) },
            R::ThirdPartyOtherSender,
        ),
        row(
            "5.3.2 is not asked: who offered may have left",
            ALL,
            |s| {
                one_key(s);
                s.member(BOB, "leave");
            },
            |_| invite(&signed_by(1)),
            None,
        ),
    ]);
}

#[test]
fn rules_5_3_1_7_and_5_3_1_8_signatures() {
    run(vec![
        row("5.3.1.7.1 public_key", ALL, one_key, |_| invite(&signed_by(1)), None),
        row(
            "5.3.1.7.2 public_keys",
            ALL,
            |s| {
                let keys = json!([{ "public_key": public_key(2) }, { "public_key": public_key(1) }]);
                offered(s, json!({ "public_key": public_key(3), "public_keys": keys }));
            },
            |_| invite(&signed_by(1)),
            None,
        ),
        row("5.3.1.8 another key", ALL, one_key, |_| invite(&signed_by(2)), R::ThirdPartySignature),
        row("5.3.1.8 no key", ALL, |s| offered(s, json!({})), |_| invite(&signed_by(1)), R::ThirdPartySignature),
        row(
            "5.3.1.8 changed after it was signed",
            ALL,
            one_key,
            |_| {
                let mut signed = signed_by(1);
                signed["more"] = json!("words");
                invite(&signed)
            },
            R::ThirdPartySignature,
        ),
    ]);
}
