//! Writes figures in Prometheus' text format, version 0.0.4.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hearth_homeserver::metrics::{HistogramValue, Reading, ReadingValue};

/// All readings as text, those of one name together.
pub fn write_exposition(readings: &[Reading]) -> String {
    let mut by_name: BTreeMap<&str, Vec<&Reading>> = BTreeMap::new();
    for reading in readings {
        by_name.entry(reading.name).or_default().push(reading);
    }
    let mut out = String::new();
    for (name, readings) in by_name {
        let first = readings[0];
        let kind = match first.value {
            ReadingValue::Counter(_) => "counter",
            ReadingValue::Gauge(_) => "gauge",
            ReadingValue::Histogram(_) => "histogram",
        };
        let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} {kind}", first.help);
        for reading in readings {
            write_reading(&mut out, reading);
        }
    }
    out
}

fn write_reading(out: &mut String, reading: &Reading) {
    let name = reading.name;
    let labels = write_labels(&reading.labels, None);
    let _ = match &reading.value {
        ReadingValue::Counter(value) => writeln!(out, "{name}{labels} {value}"),
        ReadingValue::Gauge(value) => writeln!(out, "{name}{labels} {value}"),
        ReadingValue::Histogram(histogram) => {
            write_buckets(out, reading, histogram);
            writeln!(out, "{name}_sum{labels} {}\n{name}_count{labels} {}", histogram.sum, histogram.count)
        }
    };
}

fn write_buckets(out: &mut String, reading: &Reading, histogram: &HistogramValue) {
    let buckets = histogram.buckets.iter().map(|(bound, count)| (bound.to_string(), *count));
    for (bound, count) in buckets.chain([("+Inf".to_owned(), histogram.count)]) {
        let labels = write_labels(&reading.labels, Some(&bound));
        let _ = writeln!(out, "{}_bucket{labels} {count}", reading.name);
    }
}

fn write_labels(labels: &[(&'static str, String)], bound: Option<&str>) -> String {
    let all = labels.iter().map(|(label, value)| (*label, value.as_str()));
    let written: Vec<String> = all
        .chain(bound.map(|bound| ("le", bound)))
        .map(|(label, value)| format!("{label}=\"{}\"", escape(value)))
        .collect();
    if written.is_empty() { String::new() } else { format!("{{{}}}", written.join(",")) }
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use hearth_homeserver::metrics::{HistogramValue, Reading, ReadingValue};

    use super::write_exposition;

    #[test]
    fn readings_of_one_name_stand_together_under_one_head() {
        let text = write_exposition(&[
            Reading::counter("b_total", "Bs.", 1).with("x", "a\"b\\c\n"),
            Reading::gauge("a", "As.", 2),
            Reading::counter("b_total", "Bs.", 3),
        ]);
        assert_eq!(
            text,
            "# HELP a As.\n# TYPE a gauge\na 2\n\
             # HELP b_total Bs.\n# TYPE b_total counter\nb_total{x=\"a\\\"b\\\\c\\n\"} 1\nb_total 3\n"
        );
    }

    #[test]
    fn a_histogram_ends_with_infinity_sum_and_count() {
        let value = HistogramValue { buckets: vec![(0.5, 1), (1.0, 2)], sum: 7.5, count: 3 };
        let reading = Reading {
            name: "h",
            help: "H.",
            labels: vec![("r", "/".to_owned())],
            value: ReadingValue::Histogram(value),
        };
        let text = write_exposition(&[reading]);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "h_bucket{r=\"/\",le=\"0.5\"} 1",
                "h_bucket{r=\"/\",le=\"1\"} 2",
                "h_bucket{r=\"/\",le=\"+Inf\"} 3",
                "h_sum{r=\"/\"} 7.5",
                "h_count{r=\"/\"} 3",
            ]
        );
    }
}
