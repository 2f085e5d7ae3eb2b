//! The form of tokens: what it is for, the user's key, and a secret.
//!
//! The key says in whose lane the token's row is, so that one read finds it. Only the hash of the whole text is stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hearth_protocol::{Rng, UserKey};
use sha2::{Digest as _, Sha256};

const SECRET_BYTES: usize = 32;
/// Characters of base64 that 16 and 32 bytes take.
const KEY_CHARS: usize = 22;
const SECRET_CHARS: usize = 43;

/// What a token is for; it shows in its first letters, so that none is taken for another, and leaks are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// Shown with every request.
    Access,
    /// Exchanged for new access tokens.
    Refresh,
    /// Good for one login.
    Login,
    /// Proves to others who somebody is.
    OpenId,
}

impl TokenKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Access => "hearth_",
            Self::Refresh => "hearthr_",
            Self::Login => "hearthl_",
            Self::OpenId => "heartho_",
        }
    }
}

/// What a token says by itself, before anybody looked whether it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TokenClaim {
    /// Whose token it would be.
    pub(super) user: UserKey,
    /// SHA-256 of the token.
    pub(super) hash: [u8; 32],
}

impl TokenClaim {
    /// What the token says; none for what cannot be a token of this server.
    pub(super) fn read(kind: TokenKind, token: &str) -> Option<Self> {
        let rest = token.strip_prefix(kind.prefix())?;
        if rest.len() != KEY_CHARS + SECRET_CHARS || !rest.is_ascii() {
            return None;
        }
        let key = URL_SAFE_NO_PAD.decode(&rest[..KEY_CHARS]).ok()?;
        Some(Self { user: UserKey(key.try_into().ok()?), hash: Sha256::digest(token.as_bytes()).into() })
    }

    /// The second part of the key of the token's row.
    pub(super) fn row(&self) -> [u8; 16] {
        let mut row = [0; 16];
        row.copy_from_slice(&self.hash[..16]);
        row
    }
}

/// A new token for a user.
pub(super) fn build_token(kind: TokenKind, user: UserKey, rng: &dyn Rng) -> (String, TokenClaim) {
    let mut secret = [0; SECRET_BYTES];
    rng.fill(&mut secret);
    let prefix = kind.prefix();
    let token = format!("{prefix}{}{}", URL_SAFE_NO_PAD.encode(user.0), URL_SAFE_NO_PAD.encode(secret));
    let hash = Sha256::digest(token.as_bytes()).into();
    (token, TokenClaim { user, hash })
}

#[cfg(test)]
mod tests {
    use hearth_protocol::{SeededRng, UserKey};
    use ruma::user_id;

    use super::{TokenClaim, TokenKind, build_token};

    #[test]
    fn a_token_names_its_user_and_reads_back() {
        let user = UserKey::of(user_id!("@alice:hs1"));
        let rng = SeededRng::new(1);
        let (token, claim) = build_token(TokenKind::Access, user, &rng);
        assert_eq!(TokenClaim::read(TokenKind::Access, &token), Some(claim));
        assert_eq!(claim.user, user);
        assert!(claim.hash.starts_with(&claim.row()));
        assert_eq!(TokenClaim::read(TokenKind::Refresh, &token), None);
        assert_ne!(build_token(TokenKind::Access, user, &rng).0, token);
    }

    #[test]
    fn what_is_no_token_is_not_read() {
        let (token, _) = build_token(TokenKind::Access, UserKey([7; 16]), &SeededRng::new(1));
        let bad = [
            "",
            "hearth_",
            "syt_abc",
            &token[1..],
            &token[..token.len() - 1],
            &format!("{token}x"),
            &token.replace("hearth_", "earth__"),
        ];
        for bad in bad {
            assert_eq!(TokenClaim::read(TokenKind::Access, bad), None, "{bad}");
        }
        assert_eq!(TokenClaim::read(TokenKind::Access, &format!("hearth_{}", "é".repeat(33))), None);
    }
}
