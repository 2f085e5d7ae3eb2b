//! Figures of the process itself: memory, open files, time since start.

use std::fs;
use std::sync::Arc;

use hearth_homeserver::metrics::{Metered, Reading};
use hearth_protocol::Clock;

/// Reads `/proc/self`; where that is missing there is less to show.
pub struct ProcessFigures {
    clock: Arc<dyn Clock>,
}

impl ProcessFigures {
    /// Figures of this process, whose clock was made at its start.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

impl Metered for ProcessFigures {
    fn readings(&self, out: &mut Vec<Reading>) {
        let running_s = self.clock.monotonic_ms() / 1_000;
        out.push(Reading::gauge("hearth_running_seconds", "Time since the start of the process.", running_s));
        let help = "The version that runs, as a label.";
        out.push(Reading::gauge("hearth_build_info", help, 1).with("version", env!("CARGO_PKG_VERSION")));
        if let Some(bytes) = resident_bytes() {
            out.push(Reading::gauge("process_resident_memory_bytes", "Resident memory.", bytes));
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            out.push(Reading::gauge("process_open_fds", "Open file descriptors.", files.count() as u64));
        }
    }
}

/// Resident memory of this process, in bytes.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

#[cfg(test)]
mod tests {
    use super::resident_bytes;

    #[test]
    fn resident_memory_is_plausible() {
        let bytes = resident_bytes().unwrap();
        assert!((1 << 20..1 << 40).contains(&bytes), "{bytes}");
    }
}
