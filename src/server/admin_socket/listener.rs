//! The server's end of the admin socket.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hearth_homeserver::Stop;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use super::path::SocketPath;
use super::{AdminCommand, Answer, LINE_BYTES_MAX, Operator};
use crate::workers::Tasks;

/// Commands at a time; further ones wait.
const COMMANDS_MAX: usize = 4;

/// How long a command's line may take to arrive.
const LINE_TIMEOUT: Duration = Duration::from_secs(10);

/// The socket, listening. It is removed when this is dropped.
pub struct AdminListener {
    socket: UnixListener,
    path: SocketPath,
}

impl Drop for AdminListener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.path.as_path());
    }
}

impl AdminListener {
    /// Listens in `data`. Only for whoever has the database open: a socket that lies there is then
    /// of a process that is gone, and is replaced.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written.
    pub fn bind(data: &Path) -> io::Result<Self> {
        let path = SocketPath::of(data)?;
        match std::fs::remove_file(path.as_path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixListener::bind(path.as_path())?;
        std::fs::set_permissions(path.as_path(), std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { socket, path })
    }

    /// Runs commands until `stop`.
    pub async fn serve(self, operator: Operator, tasks: Tasks, stop: Stop) {
        let places = Arc::new(Semaphore::new(COMMANDS_MAX));
        loop {
            let place = Arc::clone(&places).acquire_owned();
            let accepted = tokio::select! {
                accepted = async { (place.await, self.socket.accept().await) } => accepted,
                () = stop.cancelled() => return,
            };
            let (place, Ok((stream, _))) = accepted else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (operator, stop) = (operator.clone(), stop.clone());
            tasks.start_connection(async move {
                let _place = place;
                tokio::select! {
                    // A caller that went away gets no answer; there is nobody to tell.
                    _ = converse(stream, operator) => {}
                    () = stop.cancelled() => {}
                }
            });
        }
    }
}

async fn converse(stream: UnixStream, operator: Operator) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader.take(LINE_BYTES_MAX));
    let read = tokio::time::timeout(LINE_TIMEOUT, reader.read_line(&mut line)).await;
    let answer = match read {
        Err(_) => Answer::refused("the command did not arrive in time"),
        Ok(Err(_)) => Answer::refused("the command is not UTF-8"),
        Ok(Ok(_)) if !line.ends_with('\n') => Answer::refused("the command is no line, or too long"),
        Ok(Ok(_)) => match serde_json::from_str::<AdminCommand>(&line) {
            Ok(command) => operator.run(command).await,
            Err(error) => Answer::refused(format!("the command is not understood: {error}")),
        },
    };
    let mut answer = serde_json::to_vec(&answer)?;
    answer.push(b'\n');
    writer.write_all(&answer).await
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
