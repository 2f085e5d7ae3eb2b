use std::fs;
use std::path::Path;

use super::{Certificate, CertificateReloader, TlsError};
use crate::config::TlsConfig;

const ONE: (&str, &str) = (include_str!("testdata/one.crt.pem"), include_str!("testdata/one.key.pem"));
const TWO: (&str, &str) = (include_str!("testdata/two.crt.pem"), include_str!("testdata/two.key.pem"));

/// Puts a file in place as certificate tools do: under another name first, so that its inode changes.
fn put(folder: &Path, name: &str, text: &str) {
    let unfinished = folder.join("unfinished");
    fs::write(&unfinished, text).unwrap();
    fs::rename(unfinished, folder.join(name)).unwrap();
}

fn config(folder: &Path) -> TlsConfig {
    TlsConfig { certificate: Some(folder.join("crt")), key: Some(folder.join("key")), ..TlsConfig::default() }
}

fn in_use(certificate: &Certificate) -> Vec<u8> {
    certificate.current.load().cert[0].to_vec()
}

#[test]
fn a_changed_certificate_is_taken_over_once_both_files_fit() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "crt", ONE.0);
    put(folder.path(), "key", ONE.1);
    let certificate = Certificate::load(&config(folder.path())).unwrap();
    let mut reloader = CertificateReloader::new(certificate.clone(), 0);
    let first = in_use(&certificate);
    assert!(!reloader.reload_if_changed(), "nothing changed");

    put(folder.path(), "crt", TWO.0);
    assert!(!reloader.reload_if_changed(), "the key is still the old one");
    assert_eq!(in_use(&certificate), first);

    put(folder.path(), "key", TWO.1);
    assert!(reloader.reload_if_changed());
    assert_ne!(in_use(&certificate), first);
}

#[test]
fn bad_files_leave_the_old_certificate_in_use() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "crt", ONE.0);
    put(folder.path(), "key", ONE.1);
    let certificate = Certificate::load(&config(folder.path())).unwrap();
    let mut reloader = CertificateReloader::new(certificate.clone(), 0);
    let first = in_use(&certificate);
    for text in ["", "not PEM", &ONE.0[..200]] {
        put(folder.path(), "crt", text);
        assert!(!reloader.reload_if_changed());
        assert_eq!(in_use(&certificate), first);
    }
    fs::remove_file(folder.path().join("key")).unwrap();
    assert!(!reloader.reload_if_changed());
    put(folder.path(), "crt", ONE.0);
    put(folder.path(), "key", ONE.1);
    assert!(reloader.reload_if_changed(), "good files are taken over again");
}

#[test]
fn unusable_files_are_told_apart_at_start() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Certificate::load(&TlsConfig::default()), Err(TlsError::NotConfigured)));
    assert!(matches!(Certificate::load(&config(folder.path())), Err(TlsError::Unreadable { .. })));
    put(folder.path(), "crt", ONE.1);
    put(folder.path(), "key", ONE.1);
    assert!(matches!(Certificate::load(&config(folder.path())), Err(TlsError::Malformed { .. })));
    put(folder.path(), "crt", TWO.0);
    assert!(matches!(Certificate::load(&config(folder.path())), Err(TlsError::Unfit(_))));
}

#[test]
fn an_acceptor_offers_both_versions_of_http() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "crt", ONE.0);
    put(folder.path(), "key", ONE.1);
    let acceptor = Certificate::load(&config(folder.path())).unwrap().acceptor().unwrap();
    assert_eq!(acceptor.config().alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
}
