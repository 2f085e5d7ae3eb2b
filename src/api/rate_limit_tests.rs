//! Buckets: how they empty and fill, and that there are never too many.

use hearth_protocol::{MockClock, UnixMs};

use super::*;

const SLOW: Rate = Rate { per_second: 2.0, burst: 3 };

fn limits(rate: Rate) -> (RateLimits, Arc<MockClock>) {
    let clock = Arc::new(MockClock::new(UnixMs(1_000)));
    let config = RateLimitConfig {
        enabled: true,
        message_per_second: rate.per_second,
        message_burst: rate.burst,
        join_per_second: rate.per_second,
        join_burst: rate.burst,
        ..RateLimitConfig::default()
    };
    (RateLimits::new(config, clock.clone()), clock)
}

#[test]
fn a_burst_passes_then_the_rate_holds() {
    let mut full_at = 0;
    for _ in 0..3 {
        full_at = take_one(SLOW, 10_000_000, full_at).expect("within the burst");
    }
    assert_eq!(take_one(SLOW, 10_000_000, full_at), Err(500));
    assert_eq!(take_one(SLOW, 10_400_000, full_at), Err(100));
    assert_eq!(take_one(SLOW, 10_500_000, full_at), Ok(12_000_000));
}

#[test]
fn a_refused_try_costs_nothing() {
    let (limits, clock) = limits(SLOW);
    let send = || limits.check_account(Operation::Message, "alice");
    for _ in 0..3 {
        send().expect("within the burst");
    }
    for _ in 0..100 {
        send().expect_err("the bucket is empty");
    }
    clock.advance(500);
    send().expect("one has come in again");
    send().expect_err("only one");
}

#[test]
fn subjects_and_operations_do_not_share() {
    let (limits, _clock) = limits(Rate { per_second: 1.0, burst: 1 });
    limits.check_account(Operation::Message, "alice").expect("her first");
    limits.check_account(Operation::Message, "bob").expect("his first");
    limits.check_account(Operation::Join, "alice").expect("another operation");
    limits.check_account(Operation::Message, "ALICE").expect_err("names are compared without case");
}

#[test]
fn a_network_of_ipv6_is_one_subject() {
    let (limits, _clock) = limits(Rate { per_second: 1.0, burst: 1 });
    let check = |text: &str| limits.check_address(Operation::Message, text.parse().ok());
    check("2001:db8:0:1::1").expect("the network's first");
    check("2001:db8:0:1:ffff::2").expect_err("the same network");
    check("2001:db8:0:2::1").expect("another network");
    check("192.0.2.1").expect("another family");
    check("::ffff:192.0.2.1").expect_err("the same address, mapped");
}

#[test]
fn a_limit_that_is_off_lets_everything_pass() {
    let clock = Arc::new(MockClock::new(UnixMs(1_000)));
    let config =
        RateLimitConfig { enabled: false, message_per_second: 1.0, message_burst: 1, ..RateLimitConfig::default() };
    let limits = RateLimits::new(config, clock);
    for _ in 0..1000 {
        limits.check_account(Operation::Message, "alice").expect("no limit");
    }
}

#[test]
fn the_table_never_grows_beyond_its_bound() {
    let (limits, _clock) = limits(SLOW);
    for subject in 0..(BUCKETS_MAX as u64 * 2) {
        limits.check(Operation::Message, subject).expect("each its first");
    }
    assert!(limits.0.full_at_us.lock().len() <= BUCKETS_MAX);
}
