//! Asks for a password, without showing it.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The longest password that is read, in bytes.
const PASSWORD_BYTES_MAX: u64 = 4_096;

/// The password from the flag, else from a prompt (twice), else from the first line of standard input.
///
/// # Errors
///
/// When nothing is given, or the two entries differ.
pub(super) fn read_password(flag: Option<String>) -> Result<String, String> {
    if let Some(password) = flag {
        return Ok(password);
    }
    let password = if io::stdin().is_terminal() {
        let first = prompt("Password: ")?;
        if first != prompt("Once more: ")? {
            return Err("the two passwords differ".to_owned());
        }
        first
    } else {
        read_line()?
    };
    if password.is_empty() { Err("no password was given".to_owned()) } else { Ok(password) }
}

fn prompt(question: &str) -> Result<String, String> {
    let _ = write!(io::stderr(), "{question}");
    let hidden = Hidden::start().map_err(|error| error.to_string())?;
    let line = read_line();
    drop(hidden);
    let _ = writeln!(io::stderr());
    line
}

fn read_line() -> Result<String, String> {
    let mut line = String::new();
    let read = io::stdin().lock().take(PASSWORD_BYTES_MAX).read_line(&mut line);
    read.map_err(|error| format!("cannot read the password: {error}"))?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// The terminal shows nothing of what is typed while this lives.
struct Hidden(Termios);

impl Hidden {
    fn start() -> io::Result<Self> {
        let shown = tcgetattr(io::stdin())?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &hidden)?;
        Ok(Self(shown))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
