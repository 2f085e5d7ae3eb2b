//! The doubles of clock and randomness.

use super::*;

#[test]
fn the_mock_clock_stands_until_moved() {
    let clock = MockClock::new(UnixMs(5_000));
    assert_eq!((clock.now(), clock.monotonic_ms()), (UnixMs(5_000), 0));
    clock.advance(20);
    assert_eq!((clock.now(), clock.monotonic_ms()), (UnixMs(5_020), 20));
    clock.set_now(UnixMs(1));
    assert_eq!((clock.now(), clock.monotonic_ms()), (UnixMs(1), 20));
}

#[test]
fn time_does_not_wrap() {
    assert_eq!(UnixMs(u64::MAX).plus_ms(1), UnixMs(u64::MAX));
    assert_eq!(UnixMs(5).ms_since(UnixMs(9)), 0);
    assert_eq!(UnixMs(9).ms_since(UnixMs(5)), 4);
}

#[test]
fn a_seed_always_gives_the_same() {
    let draw = |seed| random_string(&SeededRng::new(seed), 30);
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    let rng = SeededRng::new(1);
    assert_ne!(random_string(&rng, 30), random_string(&rng, 30));
}

#[test]
fn random_strings_use_each_letter_about_equally() {
    for len in [0, 1, 63, 64, 65, 200] {
        assert_eq!(random_string(&SeededRng::new(9), len).len(), len);
    }
    let mut counts = [0_u32; 128];
    random_string(&SeededRng::new(3), 62_000).bytes().for_each(|b| counts[usize::from(b)] += 1);
    let used: Vec<u32> = counts.into_iter().filter(|count| *count > 0).collect();
    assert_eq!(used.len(), 62);
    assert!(used.iter().all(|count| (850..1150).contains(count)), "{used:?}");
}
