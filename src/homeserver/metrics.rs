//! Counting what happens, for the operator: counters, gauges and histograms that live in the handles themselves.
//!
//! A handle keeps its numbers in its own fields and shows them by [`Metered`];
//! the server reads all of them when they are asked for. There is no global registry,
//! and recording never waits, allocates or fails.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// A number that only grows, until the process ends.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The present count.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that rises and falls: a queue's length, a cache's size.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Sets the value.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Adds `n`, which may be negative.
    pub fn add(&self, n: i64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The present value.
    pub fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds for durations, in microseconds: from 50 µs to 60 s.
pub const DURATION_BOUNDS_US: &[u64] = &[
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000,
    30_000_000, 60_000_000,
];

/// Upper bounds for sizes of batches and the like.
pub const COUNT_BOUNDS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];

/// How many values fell below each of some bounds.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One counter a bound, and one for what exceeds the last.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
    /// How many recorded units make one that is shown.
    per_shown: f64,
}

impl Histogram {
    /// A histogram of durations that are recorded in microseconds and shown in seconds.
    pub fn of_durations_us() -> Self {
        Self::with_bounds(DURATION_BOUNDS_US, 1e6)
    }

    /// A histogram of counts.
    pub fn of_counts() -> Self {
        Self::with_bounds(COUNT_BOUNDS, 1.0)
    }

    fn with_bounds(bounds: &'static [u64], per_shown: f64) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0), per_shown }
    }

    /// Records one value, in the unit of the bounds.
    pub fn record(&self, value: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// What was recorded so far. Values recorded meanwhile may be in the sum and not yet in a bucket.
    pub fn value(&self) -> HistogramValue {
        let mut below = 0;
        let mut counts = self.counts.iter().map(|count| {
            below += count.load(Ordering::Relaxed);
            below
        });
        let buckets =
            self.bounds.iter().zip(counts.by_ref()).map(|(bound, n)| (as_shown(*bound, self.per_shown), n)).collect();
        let count = counts.next().unwrap_or_default();
        HistogramValue { buckets, sum: as_shown(self.sum.load(Ordering::Relaxed), self.per_shown), count }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a sum beyond 2^53 loses digits that no dashboard shows")]
fn as_shown(value: u64, per_shown: f64) -> f64 {
    value as f64 / per_shown
}

/// A histogram as it is shown: cumulative, in the unit that is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramValue {
    /// Upper bound, and how many values are not above it.
    pub buckets: Vec<(f64, u64)>,
    /// The sum of all values.
    pub sum: f64,
    /// How many values there are.
    pub count: u64,
}

/// The value of a [`Reading`].
#[derive(Clone, Debug, PartialEq)]
pub enum ReadingValue {
    /// Only grows.
    Counter(u64),
    /// Rises and falls.
    Gauge(f64),
    /// A distribution.
    Histogram(HistogramValue),
}

/// One measured value with its name, as a scrape sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// `hearth_<part>_<what>_<unit>`, counters end in `_total`.
    pub name: &'static str,
    /// One sentence on what is counted.
    pub help: &'static str,
    /// Labels; few values each, never an id of a user or room.
    pub labels: Vec<(&'static str, String)>,
    /// The value now.
    pub value: ReadingValue,
}

impl Reading {
    /// A counter without labels.
    pub fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, labels: Vec::new(), value: ReadingValue::Counter(value) }
    }

    /// A gauge without labels.
    #[expect(clippy::cast_precision_loss, reason = "gauges are sizes and lengths far below 2^53")]
    pub fn gauge(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, labels: Vec::new(), value: ReadingValue::Gauge(value as f64) }
    }

    /// A histogram without labels.
    pub fn histogram(name: &'static str, help: &'static str, histogram: &Histogram) -> Self {
        Self { name, help, labels: Vec::new(), value: ReadingValue::Histogram(histogram.value()) }
    }

    /// The same reading with one more label.
    #[must_use]
    pub fn with(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.labels.push((label, value.into()));
        self
    }
}

/// A handle that shows its numbers.
pub trait Metered: Send + Sync {
    /// Appends what there is now. Quick, and without IO.
    fn readings(&self, out: &mut Vec<Reading>);
}

#[cfg(test)]
mod tests {
    use super::{Histogram, Reading, ReadingValue};

    #[test]
    fn a_value_on_a_bound_counts_below_it() {
        let histogram = Histogram::of_counts();
        for value in [1, 2, 3, 5_000] {
            histogram.record(value);
        }
        let shown = histogram.value();
        assert_eq!(shown.buckets[..3], [(1.0, 1), (2.0, 2), (4.0, 3)]);
        assert_eq!((shown.count, shown.sum), (4, 5_006.0));
        assert_eq!(shown.buckets.last(), Some(&(1_024.0, 3)), "what exceeds the last bound is only in the count");
    }

    #[test]
    fn durations_are_shown_in_seconds() {
        let histogram = Histogram::of_durations_us();
        histogram.record(2_000_000);
        let reading = Reading::histogram("hearth_x_seconds", "x", &histogram).with("route", "/sync");
        let ReadingValue::Histogram(shown) = reading.value else { panic!("a histogram") };
        assert!((shown.sum - 2.0).abs() < 1e-9);
        assert_eq!(shown.buckets[0].0.to_string(), "0.00005", "bounds are round numbers");
        assert_eq!(reading.labels, [("route", "/sync".to_owned())]);
    }
}
