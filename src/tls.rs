//! TLS of the HTTP and WebSocket surface: versions 1.2 and 1.3 of rustls, with a certificate and its key from PEM files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error, ServerConfig};

use crate::config::HttpConfig;

/// A certificate or key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of the files cannot be read as PEM.
    #[error(
        "{0} '{1}': {2}; give it as PEM: the engine's certificate first and those of who signed it after, the key unencrypted"
    )]
    File(&'static str, PathBuf, String),
    /// They do not go together, or nobody takes them.
    #[error("http.tls_certificate and http.tls_key cannot be used: {0}")]
    Unfit(Error),
}

/// What takes connections with TLS; none where none is configured.
pub fn acceptor(config: &HttpConfig) -> Result<Option<TlsAcceptor>, TlsError> {
    let (Some(certificate), Some(key)) = (&config.tls_certificate, &config.tls_key) else { return Ok(None) };
    let (chain, key) = (chain(certificate)?, private_key(key)?);
    let with_ring = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let versions = with_ring.with_safe_default_protocol_versions().map_err(TlsError::Unfit)?;
    let mut server = versions.with_no_client_auth().with_single_cert(chain, key).map_err(TlsError::Unfit)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(server))))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unfit = |why: String| TlsError::File("http.tls_certificate", path.into(), why);
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = read.map_err(|error| unfit(error.to_string()))?;
    if chain.is_empty() { Err(unfit("there is no certificate in it".into())) } else { Ok(chain) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| TlsError::File("http.tls_key", path.into(), error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(certificate: &str, key: &str) -> Result<bool, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            Some(path)
        };
        let (tls_certificate, tls_key) = (file("cert.pem", certificate), file("key.pem", key));
        let config = HttpConfig { tls_certificate, tls_key, ..HttpConfig::default() };
        acceptor(&config).map(|acceptor| acceptor.is_some()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_certificate_goes_with_its_key_and_what_is_wrong_is_named() {
        let made = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (one, other) = (made(), made());
        let (pem, key) = (one.cert.pem(), one.signing_key.serialize_pem());
        assert_eq!(read(&pem, &key), Ok(true));
        assert!(read(&pem, &other.signing_key.serialize_pem()).unwrap_err().contains("cannot be used"));
        assert!(read("", &key).unwrap_err().contains("no certificate"));
        let error = read(&pem, &pem).unwrap_err();
        assert!(error.contains("tls_key") && error.contains("PEM"), "{error}");
        assert!(acceptor(&HttpConfig::default()).unwrap().is_none());
    }
}
