//! The certificate: loaded at start, and again when its files change.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use hearth_homeserver::{Stop, Worker};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

use crate::config::TlsConfig;

/// The largest certificate or key file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why there is no usable certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The configuration names TLS addresses, and no certificate.
    #[error("listeners.tls_addresses needs both tls.certificate and tls.key")]
    NotConfigured,
    /// A file cannot be read.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A file holds something else.
    #[error("{path} holds no {what} in PEM form")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        what: &'static str,
    },
    /// The library refuses them: the key is of another certificate, or of an unknown kind.
    #[error("certificate and key do not fit together: {0}")]
    Unfit(rustls::Error),
}

/// The certificate in use, which a reload replaces. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Certificate {
    files: Files,
    current: Arc<ArcSwap<CertifiedKey>>,
}

#[derive(Clone, Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What tells whether a file is still the same one: inode, length and time of change.
type Stamp = [Option<(u64, u64, i64, i64)>; 2];

impl Certificate {
    /// Loads the configured files.
    ///
    /// # Errors
    ///
    /// When none are configured, or they are unusable.
    pub fn load(config: &TlsConfig) -> Result<Self, TlsError> {
        let (Some(certificate), Some(key)) = (config.certificate.clone(), config.key.clone()) else {
            return Err(TlsError::NotConfigured);
        };
        let files = Files { certificate, key };
        let current = Arc::new(ArcSwap::from_pointee(files.load()?));
        Ok(Self { files, current })
    }

    /// What a listener needs to speak TLS with this certificate, whichever it is at the time.
    ///
    /// # Errors
    ///
    /// When the library cannot be set up.
    pub fn acceptor(&self) -> Result<TlsAcceptor, TlsError> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unfit)?;
        let resolver = Arc::new(Current(Arc::clone(&self.current)));
        let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl Files {
    fn load(&self) -> Result<CertifiedKey, TlsError> {
        let chain = read(&self.certificate)?;
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(&chain).collect::<Result<_, _>>().unwrap_or_default();
        if chain.is_empty() {
            return Err(TlsError::Malformed { path: self.certificate.clone(), what: "certificate" });
        }
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?)
            .map_err(|_| TlsError::Malformed { path: self.key.clone(), what: "private key" })?;
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(TlsError::Unfit)?;
        certified.keys_match().map_err(TlsError::Unfit)?;
        Ok(certified)
    }

    fn stamp(&self) -> Stamp {
        [&self.certificate, &self.key].map(|path| {
            let found = fs::metadata(path).ok()?;
            Some((found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
        })
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |error| TlsError::Unreadable { path: path.to_owned(), error };
    if fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
        return Err(unreadable(io::Error::other(format!("it is longer than {FILE_BYTES_MAX} bytes"))));
    }
    fs::read(path).map_err(unreadable)
}

/// Gives each handshake the certificate that is in use then.
#[derive(Debug)]
struct Current(Arc<ArcSwap<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// Looks at the files now and then, and takes over new ones that fit together.
#[derive(Clone, Debug)]
pub struct CertificateReloader {
    certificate: Certificate,
    every: Duration,
    seen: Stamp,
}

impl CertificateReloader {
    /// A reloader that looks every `every_ms` milliseconds.
    pub fn new(certificate: Certificate, every_ms: u32) -> Self {
        let seen = certificate.files.stamp();
        Self { certificate, every: Duration::from_millis(u64::from(every_ms.max(100))), seen }
    }

    /// Loads the files if they changed; whether others are in use now.
    /// Files that do not fit are reported once, and looked at again when they change again.
    fn reload_if_changed(&mut self) -> bool {
        let stamp = self.certificate.files.stamp();
        if stamp == self.seen {
            return false;
        }
        self.seen = stamp;
        match self.certificate.files.load() {
            Ok(certified) => {
                self.certificate.current.store(Arc::new(certified));
                tracing::info!("the changed certificate is in use");
                true
            }
            Err(error) => {
                tracing::error!(%error, "the changed certificate is unusable, the old one stays in use");
                false
            }
        }
    }
}

impl Worker for CertificateReloader {
    fn name(&self) -> &'static str {
        "certificate_reloader"
    }

    fn follows(&self) -> &'static str {
        "the files tls.certificate and tls.key"
    }

    fn run(mut self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(self.every) => {}
                    () = stop.cancelled() => return,
                }
                self.reload_if_changed();
            }
        })
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
