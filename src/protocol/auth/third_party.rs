//! The rules for an invitation that follows from a third-party invite (an e-mail address, say).

use ruma::{
    AnyKeyName, CanonicalJsonObject, SigningKeyId, UserId,
    serde::{Base64, base64::Standard},
    signatures::{to_canonical_json_string_for_signing, verify_canonical_json_bytes},
    third_party_invite::IdentityServerBase64PublicKey,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Membership, Rejection, view::View};
use crate::Event;

/// How many public keys of a third-party invite are tried, and how many signatures.
const KEYS_MAX: usize = 32;

/// The `third_party_invite` of an invitation.
pub(super) struct ThirdPartyInvite {
    signed: CanonicalJsonObject,
}

#[derive(Deserialize)]
struct InviteField {
    third_party_invite: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct SignedField {
    signed: CanonicalJsonObject,
}

#[derive(Deserialize)]
struct KeyFields {
    public_key: Option<IdentityServerBase64PublicKey>,
    #[serde(default)]
    public_keys: Vec<KeyField>,
}

#[derive(Deserialize)]
struct KeyField {
    public_key: IdentityServerBase64PublicKey,
}

impl ThirdPartyInvite {
    /// Reads it from the content of an invitation; `None` when it is an ordinary one.
    pub(super) fn of(content: &RawValue) -> Result<Option<Self>, Rejection> {
        let field: InviteField =
            serde_json::from_str(content.get()).map_err(|_| Rejection::Malformed("third_party_invite"))?;
        let Some(invite) = field.third_party_invite else {
            return Ok(None);
        };
        let SignedField { signed } = serde_json::from_str(invite.get()).map_err(|_| Rejection::ThirdPartyUnsigned)?;
        Ok(Some(Self { signed }))
    }

    /// The state key of the third-party invite that this answers.
    pub(super) fn token(&self) -> Result<&str, Rejection> {
        self.text("token")
    }

    fn text(&self, name: &str) -> Result<&str, Rejection> {
        self.signed.get(name).and_then(|value| value.as_str()).ok_or(Rejection::ThirdPartyIncomplete)
    }
}

/// Checks an invitation that names a third-party invite.
pub(super) fn check_third_party_invite(
    event: &Event,
    invite: &ThirdPartyInvite,
    target: &UserId,
    view: &View<'_>,
) -> Result<(), Rejection> {
    if view.membership(target)? == Membership::Ban {
        return Err(Rejection::ThirdPartyTargetBanned);
    }
    let token = invite.token()?;
    if invite.text("mxid")? != target.as_str() {
        return Err(Rejection::ThirdPartyOtherUser);
    }
    let offered = view.event("m.room.third_party_invite", token).ok_or(Rejection::ThirdPartyTokenUnknown)?;
    if event.sender != offered.sender {
        return Err(Rejection::ThirdPartyOtherSender);
    }
    let keys: KeyFields =
        serde_json::from_str(offered.content.get()).map_err(|_| Rejection::Malformed("public_keys"))?;
    if is_signed_by_any(&invite.signed, &keys)? { Ok(()) } else { Err(Rejection::ThirdPartySignature) }
}

/// Whether any signature is of any of the keys; what is malformed beside it does not matter.
fn is_signed_by_any(signed: &CanonicalJsonObject, keys: &KeyFields) -> Result<bool, Rejection> {
    let malformed = || Rejection::Malformed("signatures");
    let by_entity = signed.get("signatures").and_then(|value| value.as_object()).ok_or_else(malformed)?;
    let message = to_canonical_json_string_for_signing(signed).map_err(|_| malformed())?;
    let keys: Vec<_> = keys
        .public_key
        .iter()
        .chain(keys.public_keys.iter().map(|key| &key.public_key))
        .take(KEYS_MAX)
        .filter_map(|key| key.decode().ok())
        .collect();
    let signatures = by_entity
        .values()
        .filter_map(|entity| entity.as_object())
        .flatten()
        .filter_map(|(key_id, signature)| {
            let id = <&SigningKeyId<AnyKeyName>>::try_from(key_id.as_str()).ok()?;
            let signature = Base64::<Standard>::parse(signature.as_str()?).ok()?;
            Some((id.algorithm(), signature))
        })
        .take(KEYS_MAX);
    for (algorithm, signature) in signatures {
        for key in &keys {
            if verify_canonical_json_bytes(&algorithm, key, signature.as_bytes(), message.as_bytes()).is_ok() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
