//! Printing. A closed pipe is no error: whoever reads has seen enough.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::admin_socket::Answer;

/// Prints text to standard output.
pub(super) fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Prints a line to standard error.
pub(super) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "hearth: {text}");
}

/// Prints an answer; what is not well goes to standard error.
pub(super) fn show(answer: &Answer) -> ExitCode {
    if answer.ok {
        print(&format!("{}\n", answer.lines.join("\n")));
        return ExitCode::SUCCESS;
    }
    answer.lines.iter().for_each(|line| complain(line));
    ExitCode::FAILURE
}
