//! Measuring two sizes in turns, so that what else the machine does falls on both.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// Operations before anything is measured.
const WARM_UP: usize = 100;
/// Rounds of which each measures both sizes.
const ROUNDS: usize = 60;
/// Operations of one size in a round.
const PER_ROUND: usize = 20;

/// What an operation cost at two sizes.
pub struct Comparison {
    pub name: &'static str,
    pub sizes: (usize, usize),
    pub small: Vec<Duration>,
    pub large: Vec<Duration>,
}

/// Measures how long two operations take.
pub async fn compare(
    name: &'static str,
    sizes: (usize, usize),
    small: impl AsyncFn(usize),
    large: impl AsyncFn(usize),
) -> Comparison {
    compare_timed(name, sizes, async |n| time(small(n)).await, async |n| time(large(n)).await).await
}

/// Gathers what two operations say of how long they took.
pub async fn compare_timed(
    name: &'static str,
    sizes: (usize, usize),
    small: impl AsyncFn(usize) -> Duration,
    large: impl AsyncFn(usize) -> Duration,
) -> Comparison {
    for n in 0..WARM_UP {
        small(n).await;
        large(n).await;
    }
    let mut found = Comparison { name, sizes, small: Vec::new(), large: Vec::new() };
    for round in 0..ROUNDS {
        let numbers = || (0..PER_ROUND).map(|n| WARM_UP + round * PER_ROUND + n);
        for n in numbers() {
            found.small.push(small(n).await);
        }
        for n in numbers() {
            found.large.push(large(n).await);
        }
    }
    found
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
async fn time(operation: impl Future<Output = ()>) -> Duration {
    let begun = Instant::now();
    operation.await;
    begun.elapsed()
}

impl Comparison {
    fn line(&self) -> String {
        let at = |times: &[Duration], percent: usize| {
            let mut sorted = times.to_vec();
            sorted.sort_unstable();
            sorted[(sorted.len() - 1) * percent / 100].as_secs_f64() * 1e6
        };
        let (small, large) = (at(&self.small, 50), at(&self.large, 50));
        let mut line = format!("| {} | {} | {} |", self.name, self.sizes.0, self.sizes.1);
        let _ = write!(line, " {small:.0} | {large:.0} | {:+.0} % |", (large / small - 1.0) * 100.0);
        let _ = write!(line, " {:.0} | {:.0} |", at(&self.small, 90), at(&self.large, 90));
        line
    }
}

/// Writes a table.
pub fn report(found: &[Comparison]) {
    let mut table = "| operation | size | ten times | p50 µs | p50 µs | growth | p90 µs | p90 µs |\n".to_owned();
    table.push_str("|---|---|---|---|---|---|---|---|\n");
    for comparison in found {
        table.push_str(&comparison.line());
        table.push('\n');
    }
    // Nobody is left to be told when the output is closed.
    let _ = std::io::stdout().write_all(table.as_bytes());
}

/// Says how far the preparations are.
pub fn note(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}
