use futures_util::FutureExt as _;
use hearth_protocol::SeededRng;

use super::{PasswordFailure, Passwords, decode_phc};
use crate::users::config::UsersConfig;

fn passwords(jobs: usize, waiting: usize) -> Passwords {
    Passwords::new(&UsersConfig {
        password_hash_kib: 8,
        password_hash_passes: 1,
        password_hash_jobs_max: jobs,
        password_hash_waiting_max: waiting,
        ..UsersConfig::default()
    })
}

#[tokio::test]
async fn only_the_right_password_matches_its_hash() {
    let passwords = passwords(1, 1);
    let rng = SeededRng::new(1);
    let phc = passwords.hash("übers3kr1t".to_owned(), &rng).await.unwrap();
    assert!(phc.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
    assert!(passwords.verify("übers3kr1t".to_owned(), Some(phc.clone())).await.unwrap());
    assert!(!passwords.verify("ubers3kr1t".to_owned(), Some(phc.clone())).await.unwrap());
    assert!(!passwords.verify(String::new(), Some(phc.clone())).await.unwrap());
    let again = passwords.hash("übers3kr1t".to_owned(), &rng).await.unwrap();
    assert_ne!(again, phc, "each hash has its own salt");
}

#[tokio::test]
async fn a_hash_made_with_other_costs_still_matches() {
    let phc = passwords(1, 1).hash("secret".to_owned(), &SeededRng::new(1)).await.unwrap();
    let other =
        Passwords::new(&UsersConfig { password_hash_kib: 16, password_hash_passes: 2, ..UsersConfig::default() });
    assert!(other.verify("secret".to_owned(), Some(phc)).await.unwrap());
}

#[tokio::test]
async fn without_a_hash_nothing_matches() {
    assert!(!passwords(1, 1).verify("secret".to_owned(), None).await.unwrap());
}

/// A vector of the reference implementation of argon2.
#[tokio::test]
async fn a_hash_of_another_program_matches() {
    let phc = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    assert!(passwords(1, 1).verify("password".to_owned(), Some(phc.to_owned())).await.unwrap());
}

#[test]
fn other_forms_are_not_taken_for_a_hash() {
    for bad in [
        "",
        "secret",
        "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA",
        "$argon2id$v=19$m=8,t=1$c29tZXNhbHQ$AAAAAAAA",
        "$argon2id$v=19$m=8,t=1,p=1$!$AAAAAAAA",
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAA$x",
    ] {
        assert!(decode_phc(bad).is_none(), "{bad}");
    }
}

#[tokio::test]
async fn the_queue_is_bounded() {
    let passwords = passwords(1, 1);
    let turn = passwords.jobs.acquire().await.unwrap();
    let mut waiting = [passwords.verify("a".to_owned(), None), passwords.verify("b".to_owned(), None)].map(Box::pin);
    for one in &mut waiting {
        assert_eq!(one.now_or_never(), None);
    }
    assert_eq!(passwords.verify("c".to_owned(), None).await, Err(PasswordFailure::Busy));
    drop(turn);
    assert_eq!(futures_util::future::join_all(waiting).await, [Ok(false), Ok(false)]);
    assert_eq!(passwords.verify("d".to_owned(), None).await, Ok(false), "the places are free again");
}
