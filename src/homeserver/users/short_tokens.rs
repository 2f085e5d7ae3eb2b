//! Tokens that live for minutes, with a bounded number of them for each user.

use hearth_protocol::UserKey;
use hearth_storage::schema::accounts::ShortToken;
use hearth_storage::{ScanBy, Table};
use subtle::ConstantTimeEq as _;

use super::error::{COMMIT_ATTEMPTS_MAX, Settled, StoreFailure, settle};
use super::handle::Users;
use super::pages::scan_all;
use super::token::{TokenClaim, TokenKind, build_token};

/// How many tokens of one kind a user has; a further one takes the place of the one that runs out first.
const TOKENS_MAX: usize = 20;

/// Where such a token lies.
pub(super) type TokenRow = (UserKey, [u8; 16]);

impl Users {
    /// Gives a user a token; those that ran out go with it.
    pub(super) async fn create_short_token<T>(
        &self,
        kind: TokenKind,
        user: UserKey,
        lifetime_s: u64,
    ) -> Result<String, StoreFailure>
    where
        T: ScanBy<UserKey> + Table<Key = TokenRow, Value = ShortToken>,
    {
        let store = &self.0.env.store;
        let (token, claim) = build_token(kind, user, &*self.0.env.rng);
        let _turn = self.0.turns.take(&user.0).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let now_ms = self.now_ms();
            let mut rows = scan_all::<T, _>(store, &user, 2 * TOKENS_MAX).await?;
            rows.sort_unstable_by_key(|(_, row)| row.expires_ms);
            let alive = rows.iter().filter(|(_, row)| now_ms < row.expires_ms).count();
            let ended = (rows.len() - alive).max((rows.len() + 1).saturating_sub(TOKENS_MAX));
            let mut txn = store.txn();
            for (key, _) in &rows[..ended] {
                txn.delete::<T>(key);
            }
            let expires_ms = now_ms.saturating_add(lifetime_s.saturating_mul(1_000));
            let key = (user, claim.row());
            txn.assert_absent::<T>(&key);
            txn.put::<T>(&key, &ShortToken { hash: claim.hash, expires_ms });
            if let Settled::Done = settle(store.commit(txn).await)? {
                return Ok(token);
            }
        }
        Err(StoreFailure::Contended)
    }

    /// The row of a token that is good now.
    pub(super) async fn load_short_token<T>(
        &self,
        kind: TokenKind,
        token: &str,
    ) -> Result<Option<(TokenRow, ShortToken)>, StoreFailure>
    where
        T: Table<Key = TokenRow, Value = ShortToken>,
    {
        let Some(claim) = TokenClaim::read(kind, token) else { return Ok(None) };
        let key = (claim.user, claim.row());
        let row = self.0.env.store.get::<T>(&key).await?;
        let is_good = |row: &ShortToken| bool::from(row.hash.ct_eq(&claim.hash)) && self.now_ms() < row.expires_ms;
        Ok(row.filter(is_good).map(|row| (key, row)))
    }
}
