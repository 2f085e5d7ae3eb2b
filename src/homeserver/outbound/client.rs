//! The client: one request after another along redirects, each hop checked anew.

use std::error::Error as _;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, LOCATION};
use reqwest::{Client, Response, Url};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::config::OutboundConfig;
use super::error::FetchError;
use super::network::Bounds;
use super::resolver::{BoundResolver, DeniedAddress, Names, SystemNames};

/// The longest URL that is fetched, in bytes.
const URL_BYTES_MAX: usize = 4_096;

/// How many headers an answer may have.
const HEADERS_MAX: usize = 100;

/// What to fetch, and how much of it.
pub struct Fetch<'a> {
    /// Where from.
    pub url: Url,
    /// The request's `Accept`.
    pub accept: &'static str,
    /// The request's `Accept-Language`.
    pub languages: &'a str,
    /// How many redirects are followed.
    pub redirects_max: usize,
    /// How long all of it may take, in milliseconds.
    pub timeout_ms: u64,
    /// How long the answer may be, in bytes.
    pub bytes_max: usize,
    /// An answer that is too long is cut rather than refused.
    pub is_cut: bool,
    /// Says of each hop whether it may be asked.
    pub may_ask: &'a (dyn Fn(&Url) -> bool + Send + Sync),
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Where from, after redirects.
    pub url: Url,
    /// Its `Content-Type`.
    pub content_type: Option<String>,
    /// Its bytes.
    pub body: Bytes,
}

/// Makes requests. Cheap to clone.
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

struct Inner {
    bounds: Arc<Bounds>,
    names: Arc<dyn Names>,
    connect_timeout: Duration,
    /// Made with the first request: it reads the system's certificates, which takes time and memory.
    client: OnceLock<Result<Client, String>>,
}

impl Outbound {
    /// A client that finds servers as the operating system does.
    pub fn new(config: &OutboundConfig) -> Self {
        Self::with_names(config, Arc::new(SystemNames))
    }

    /// A client that finds servers by `names`.
    pub fn with_names(config: &OutboundConfig, names: Arc<dyn Names>) -> Self {
        Self(Arc::new(Inner {
            bounds: Arc::new(Bounds::new(config)),
            names,
            connect_timeout: Duration::from_millis(config.connect_timeout_ms),
            client: OnceLock::new(),
        }))
    }

    /// Fetches a URL. Answers other than 2xx are errors.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn get(&self, fetch: Fetch<'_>) -> Result<Fetched, FetchError> {
        let timeout = Duration::from_millis(fetch.timeout_ms);
        tokio::time::timeout(timeout, self.follow(fetch)).await.unwrap_or(Err(FetchError::TimedOut))
    }

    async fn follow(&self, fetch: Fetch<'_>) -> Result<Fetched, FetchError> {
        let mut url = fetch.url.clone();
        for _ in 0..=fetch.redirects_max {
            self.check_hop(&url, &fetch)?;
            let request = self.client()?.get(url.clone()).header(ACCEPT, fetch.accept);
            let response = request.header(ACCEPT_LANGUAGE, fetch.languages).send().await.map_err(|e| failure(&e))?;
            if !response.status().is_redirection() {
                return take_in(url, response, &fetch).await;
            }
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            url = to.and_then(|to| url.join(to).ok()).ok_or(FetchError::BadUrl)?;
        }
        Err(FetchError::TooManyRedirects)
    }

    /// Judges a URL before it is asked. Names are judged by their addresses when they are resolved; a host that is
    /// an address, however it is written, is resolved by nobody, and so judged here.
    fn check_hop(&self, url: &Url, fetch: &Fetch<'_>) -> Result<(), FetchError> {
        let is_plain =
            matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
        if !is_plain || url.as_str().len() > URL_BYTES_MAX {
            return Err(FetchError::BadUrl);
        }
        let host = url.host_str().ok_or(FetchError::BadUrl)?;
        let port = url.port_or_known_default().ok_or(FetchError::BadUrl)?;
        let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        let is_inside = address.is_some_and(|address| !self.0.bounds.is_address_allowed(address));
        if is_inside || !self.0.bounds.is_port_allowed(port) || !(fetch.may_ask)(url) {
            return Err(FetchError::Denied);
        }
        Ok(())
    }

    fn client(&self) -> Result<&Client, FetchError> {
        let client = self.0.client.get_or_init(|| self.build_client());
        client.as_ref().map_err(|reason| FetchError::Failed(reason.clone()))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place where a client is made")]
    fn build_client(&self) -> Result<Client, String> {
        let resolver = BoundResolver { names: Arc::clone(&self.0.names), bounds: Arc::clone(&self.0.bounds) };
        let builder = Client::builder()
            .tls_backend_preconfigured(tls_config()?)
            .dns_resolver(Arc::new(resolver))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .http1_only()
            .http1_max_headers(HEADERS_MAX)
            .connect_timeout(self.0.connect_timeout)
            // A connection is used once: the next request checks anew.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("Mozilla/5.0 (compatible; Hearth/", env!("CARGO_PKG_VERSION"), "; Matrix homeserver)"));
        builder.build().map_err(|error| error.to_string())
    }
}

/// TLS with the certificates that the operating system trusts.
fn tls_config() -> Result<ClientConfig, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!(errors = ?found.errors, "the system trusts no certificate authority: no https is fetched");
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Reads the answer as far as it may go.
async fn take_in(url: Url, mut response: Response, fetch: &Fetch<'_>) -> Result<Fetched, FetchError> {
    if !response.status().is_success() {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        let room = fetch.bytes_max - body.len();
        if chunk.len() > room && !fetch.is_cut {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            break;
        }
    }
    Ok(Fetched { url, content_type, body: body.freeze() })
}

/// The resolver's refusal lies somewhere inside the library's error.
fn failure(error: &reqwest::Error) -> FetchError {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<DeniedAddress>() {
            return FetchError::Denied;
        }
        cause = inner.source();
    }
    if error.is_timeout() { FetchError::TimedOut } else { FetchError::Failed(error.to_string()) }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
