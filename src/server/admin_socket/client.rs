//! Asks the server that runs on a data folder.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::path::SocketPath;
use super::{AdminCommand, Answer, LINE_BYTES_MAX};

/// How long a server may take to answer; a check or backup of a large database takes its time.
const ANSWER_TIMEOUT: Duration = Duration::from_hours(6);

/// Why a running server gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The socket belongs to somebody else.
    #[error("a server may run on {0}, and this user may not talk to it: use the user that runs the server")]
    NotAllowed(String),
    /// The connection ended early.
    #[error("the running server gave no answer: {0}")]
    NoAnswer(String),
}

/// Sends `command` to the server that runs on `data`. `None` when no server runs there.
///
/// # Errors
///
/// When a server runs, and does not answer.
pub async fn ask(data: &Path, command: &AdminCommand) -> Result<Option<Answer>, AskError> {
    let connected = match SocketPath::of(data) {
        Ok(path) => UnixStream::connect(path.as_path()).await,
        Err(error) => Err(error),
    };
    let stream = match connected {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return Err(AskError::NotAllowed(data.display().to_string()));
        }
        Err(error) => return Err(AskError::NoAnswer(error.to_string())),
    };
    let answered = tokio::time::timeout(ANSWER_TIMEOUT, exchange(stream, command)).await;
    let line = answered
        .map_err(|_| AskError::NoAnswer("it took too long".to_owned()))?
        .map_err(|error| AskError::NoAnswer(error.to_string()))?;
    serde_json::from_str(&line).map(Some).map_err(|_| AskError::NoAnswer("the connection ended early".to_owned()))
}

async fn exchange(mut stream: UnixStream, command: &AdminCommand) -> std::io::Result<String> {
    let mut line = serde_json::to_vec(command)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut answer).await?;
    Ok(answer)
}
