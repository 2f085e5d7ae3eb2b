//! What the pipeline counts of itself: where a batch's time goes.

use crate::metrics::{Counter, Gauge, Histogram, Metered, Reading};

/// Counted by all lanes together.
pub struct PipelineStats {
    /// Submissions that wait for their room, or are being worked on.
    pub waiting: Gauge,
    /// Submissions in one batch.
    pub batch: Histogram,
    /// Loading and judging a batch, in microseconds.
    pub stage_us: Histogram,
    /// Signing a batch, in microseconds.
    pub sign_us: Histogram,
    /// Committing a batch, in microseconds.
    pub commit_us: Histogram,
    /// Events that were accepted.
    pub events: Counter,
    /// Submissions that were refused.
    pub refused: Counter,
}

impl Default for PipelineStats {
    fn default() -> Self {
        Self {
            waiting: Gauge::default(),
            batch: Histogram::of_counts(),
            stage_us: Histogram::of_durations_us(),
            sign_us: Histogram::of_durations_us(),
            commit_us: Histogram::of_durations_us(),
            events: Counter::default(),
            refused: Counter::default(),
        }
    }
}

impl Metered for PipelineStats {
    fn readings(&self, out: &mut Vec<Reading>) {
        let waiting = u64::try_from(self.waiting.value()).unwrap_or(0);
        out.push(Reading::gauge("hearth_pipeline_waiting", "Submissions in the queues of rooms.", waiting));
        out.push(Reading::histogram("hearth_pipeline_batch", "Submissions of one batch of a room.", &self.batch));
        let help = "Time of a batch in a stage of the pipeline.";
        for (stage, time) in [("stage", &self.stage_us), ("sign", &self.sign_us), ("commit", &self.commit_us)] {
            out.push(Reading::histogram("hearth_pipeline_seconds", help, time).with("stage", stage));
        }
        out.push(Reading::counter("hearth_events_total", "Events that were accepted.", self.events.value()));
        out.push(Reading::counter("hearth_refused_total", "Submissions that were refused.", self.refused.value()));
    }
}
