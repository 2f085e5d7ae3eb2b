//! The server that is measured: a process of its own, which ends with this one's measurement.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Failure;

/// By this token devices are made without a password, whose hashing would take longer than all the rest.
pub const SERVICE_TOKEN: &str = "the load generator's token";

/// How long the server may take to start.
const START_MAX: Duration = Duration::from_secs(30);

/// A tick of the processor time that the kernel tells, in milliseconds.
const TICK_MS: u64 = 10;

/// A running server. Dropping it ends it and removes its folder.
pub struct Server {
    pub address: SocketAddr,
    process: Child,
    folder: PathBuf,
}

impl Server {
    /// Starts a server with an empty folder.
    pub async fn start(program: &Path) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("hearth-sockets-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let service = folder.join("service.yaml");
        std::fs::write(&service, registration())?;
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = std::fs::File::create(folder.join("log"))?;
        let process = Command::new(program)
            .args(["serve", "--server-name", "localhost", "--registration", "open", "--rate-limits", "off"])
            .args(["--listen", &address.to_string(), "--data"])
            .arg(folder.join("data"))
            .env("HEARTH_SERVER__APPSERVICES", &service)
            .env("HEARTH_LISTENERS__CONNECTIONS_MAX", "19000")
            .env("HEARTH_LISTENERS__CONNECTIONS_PER_ADDRESS_MAX", "19000")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut server = Self { address, process, folder };
        server.wait_until_up().await?;
        Ok(server)
    }

    async fn wait_until_up(&mut self) -> Result<(), Failure> {
        let began = tokio::time::Instant::now();
        while tokio::net::TcpStream::connect(self.address).await.is_err() {
            if began.elapsed() > START_MAX || self.process.try_wait()?.is_some() {
                let log = std::fs::read_to_string(self.folder.join("log"))?;
                return Err(format!("the server did not start:\n{log}").into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Its resident memory that is its own and no file's, in KiB.
    pub fn memory_kib(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find(|line| line.starts_with("RssAnon:")).ok_or("no RssAnon")?;
        Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
    }

    /// Its processor time so far, in milliseconds.
    pub fn cpu_ms(&self) -> Result<u64, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).ok_or("no processor time")?.parse::<u64>().map_err(|_| "no number");
        Ok((ticks(11)? + ticks(12)?) * TICK_MS)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            let _ = writeln!(std::io::stderr(), "{} stays: {error}", self.folder.display());
        }
    }
}

fn registration() -> String {
    format!(
        "id: load\nurl: null\nas_token: \"{SERVICE_TOKEN}\"\nhs_token: nobody\nsender_localpart: load\n\
         rate_limited: false\nnamespaces:\n  users:\n    - exclusive: true\n      regex: \"@load_.*\"\n"
    )
}
