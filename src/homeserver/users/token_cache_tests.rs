use std::sync::Arc;

use hearth_protocol::{MockClock, UnixMs, UserKey};
use ruma::user_id;

use super::{CachedToken, SHARDS, SessionsChanged, TokenCache, UNSETTLED_MS};
use crate::users::local_user::LocalUser;
use crate::users::token::TokenClaim;

fn cache(tokens_max: usize) -> (Arc<TokenCache>, Arc<MockClock>) {
    let clock = Arc::new(MockClock::new(UnixMs(1_000)));
    (Arc::new(TokenCache::new(tokens_max, clock.clone())), clock)
}

fn claim(user: u8, token: u8) -> TokenClaim {
    TokenClaim { user: UserKey([user; 16]), hash: [token; 32] }
}

fn token() -> Arc<CachedToken> {
    let user = LocalUser::sample(user_id!("@alice:hs1"));
    Arc::new(CachedToken { user, is_locked: false, expires_ms: None })
}

fn insert(cache: &TokenCache, claim: &TokenClaim) {
    cache.insert(cache.begin_read(claim.user), claim, &token());
}

#[test]
fn what_was_inserted_is_found_under_its_own_hash_only() {
    let (cache, _) = cache(1_000);
    insert(&cache, &claim(1, 1));
    assert!(cache.load(&claim(1, 1)).is_some());
    assert!(cache.load(&claim(1, 2)).is_none());
    assert!(cache.load(&claim(2, 1)).is_none());
}

#[test]
fn a_change_forgets_all_tokens_of_its_user_at_once() {
    let (cache, _) = cache(1_000);
    let mut changes = cache.subscribe();
    for token in 1..=3 {
        insert(&cache, &claim(1, token));
    }
    insert(&cache, &claim(2, 1));
    let change = cache.begin_change(UserKey([1; 16]));
    assert!((1..=3).all(|token| cache.load(&claim(1, token)).is_none()));
    assert!(cache.load(&claim(2, 1)).is_some());
    insert(&cache, &claim(1, 1));
    assert!(cache.load(&claim(1, 1)).is_none(), "nothing is cached while the change is under way");
    change.end(true);
    assert_eq!(changes.try_recv().unwrap(), SessionsChanged { user: UserKey([1; 16]) });
    insert(&cache, &claim(1, 1));
    assert!(cache.load(&claim(1, 1)).is_some());
}

#[test]
fn what_was_read_before_a_change_is_not_cached_after_it() {
    let (cache, _) = cache(1_000);
    let before = cache.begin_read(UserKey([1; 16]));
    let change = cache.begin_change(UserKey([1; 16]));
    let during = cache.begin_read(UserKey([1; 16]));
    change.end(true);
    cache.insert(before, &claim(1, 1), &token());
    cache.insert(during, &claim(1, 1), &token());
    assert!(cache.load(&claim(1, 1)).is_none());
}

#[test]
fn after_a_change_that_nobody_waited_for_the_user_stays_out_for_a_while() {
    let (cache, clock) = cache(1_000);
    drop(cache.begin_change(UserKey([1; 16])));
    insert(&cache, &claim(1, 1));
    assert!(cache.load(&claim(1, 1)).is_none());
    let stale = cache.begin_read(UserKey([1; 16]));
    clock.advance(UNSETTLED_MS);
    cache.insert(stale, &claim(1, 1), &token());
    assert!(cache.load(&claim(1, 1)).is_none(), "read while the outcome was open");
    insert(&cache, &claim(1, 1));
    assert!(cache.load(&claim(1, 1)).is_some());
}

#[test]
fn two_changes_at_once_both_have_to_end() {
    let (cache, _) = cache(1_000);
    let (first, second) = (cache.begin_change(UserKey([1; 16])), cache.begin_change(UserKey([1; 16])));
    first.end(true);
    insert(&cache, &claim(1, 1));
    assert!(cache.load(&claim(1, 1)).is_none());
    second.end(true);
    insert(&cache, &claim(1, 1));
    assert!(cache.load(&claim(1, 1)).is_some());
}

#[test]
fn the_number_of_tokens_has_a_ceiling_and_the_used_ones_stay() {
    let (cache, _) = cache(SHARDS * 20);
    insert(&cache, &claim(1, 0));
    for token in 1..=200 {
        insert(&cache, &claim(1, token));
        assert!(cache.load(&claim(1, 0)).is_some(), "used each time, at {token}");
        assert!(cache.len() <= 20);
    }
    assert!(cache.load(&claim(1, 1)).is_none());
}
