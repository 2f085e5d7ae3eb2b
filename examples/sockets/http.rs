//! Requests over one connection that is kept, as little as it takes.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::Failure;

/// The filter of all syncs, as it stands in a query: with the room for messages that clients usually leave.
pub const FILTER: &str = "%7B%22room%22%3A%7B%22timeline%22%3A%7B%22limit%22%3A50%7D%7D%7D";

/// What a connection reads at once, in bytes; ten thousand have it.
const BUFFER_BYTES: usize = 2_048;

/// A connection with the token of who uses it.
pub struct Http {
    stream: BufReader<TcpStream>,
    token: String,
}

impl Http {
    /// Connects.
    pub async fn connect(address: SocketAddr, token: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(BUFFER_BYTES, stream), token: token.to_owned() })
    }

    /// Asks, and gives the body of the answer. Paths begin below `/_matrix/client/v3`.
    pub async fn request(&mut self, method: &str, path: &str, body: &str) -> Result<String, Failure> {
        self.send(method, path, body).await?;
        let (status, body) = self.receive().await?;
        if status == 200 { Ok(body) } else { Err(format!("{method} {path}: {status} {body}").into()) }
    }

    /// The same with an answer that is read as JSON.
    pub async fn json(&mut self, method: &str, path: &str, body: &Value) -> Result<Value, Failure> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Ok(serde_json::from_str(&self.request(method, path, &body).await?)?)
    }

    /// Asks what is new since a position, without waiting for the answer.
    pub async fn ask(&mut self, since: &str, timeout_ms: u64) -> Result<(), Failure> {
        self.send("GET", &format!("/sync?since={since}&filter={FILTER}&timeout={timeout_ms}"), "").await
    }

    /// The answer to what was asked.
    pub async fn answer(&mut self) -> Result<String, Failure> {
        let (status, body) = self.receive().await?;
        if status == 200 { Ok(body) } else { Err(format!("{status} {body}").into()) }
    }

    async fn send(&mut self, method: &str, path: &str, body: &str) -> Result<(), Failure> {
        let token = &self.token;
        let length = body.len();
        let request = format!(
            "{method} /_matrix/client/v3{path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes()).await?;
        Ok(())
    }

    async fn receive(&mut self) -> Result<(u16, String), Failure> {
        let (mut status, mut length, mut line) = (0, 0, String::new());
        loop {
            line.clear();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err("the connection ended".into());
            }
            match line.trim_end() {
                "" => break,
                text if status == 0 => status = text.split(' ').nth(1).ok_or("no status")?.parse()?,
                text => {
                    if let Some((name, value)) = text.split_once(':')
                        && name.eq_ignore_ascii_case("content-length")
                    {
                        length = value.trim().parse()?;
                    }
                }
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok((status, String::from_utf8(body)?))
    }
}

/// Text as it stands in a path.
pub fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
