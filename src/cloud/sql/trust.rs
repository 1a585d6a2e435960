//! Reads the authorities that may sign a database server's certificate and makes a TLS connector.
//!
//! **Invariant:** there is no TLS without verification and no authority that the user did not name;
//! the cryptography provider is chosen here, not by whatever was installed for the process.

use crate::cloud::sql::error::SqlError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// What to do when no authorities are named.
const HOW_TO_TRUST: &str = "no authorities are named to verify the server with; download \
    https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem (the RDS bundle) and name it \
    in the estate as `environments.<env>.sql.sslrootcert`";

/// A TLS connector that trusts exactly the certificates in the PEM file `trust`.
///
/// # Errors
/// [`SqlError::Tls`] when no file is named, or when it has no usable certificate.
pub(super) async fn tls_connector(
    place: &str,
    trust: Option<&Path>,
) -> Result<MakeRustlsConnect, SqlError> {
    let path = trust.ok_or_else(|| SqlError::tls(place, HOW_TO_TRUST))?;
    let refused = |why: String| {
        SqlError::tls(place, &format!("`sslrootcert` file {}: {why}", path.display()))
    };
    let pem = tokio::fs::read(path).await.map_err(|error| refused(error.to_string()))?;
    let roots = authorities(&pem).map_err(refused)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the ring provider serves the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// The certificates of a PEM text. One broken certificate refuses the whole file: a bundle that was
/// cut off must not silently trust less, or something else, than the user believes.
pub(in crate::cloud) fn authorities(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
        let number = index + 1;
        let certificate =
            certificate.map_err(|error| format!("certificate {number} is broken: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("certificate {number} cannot be an authority: {error}"))?;
    }
    if roots.is_empty() {
        return Err("has no certificate; it must be PEM text with `BEGIN CERTIFICATE`".to_owned());
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_authorities_the_error_says_where_to_get_them() {
        let Err(error) = tls_connector("db:5432", None).await else { panic!("it trusted nobody") };
        let text = error.to_string();
        assert!(text.contains("global-bundle.pem"), "{text}");
        assert!(text.contains("environments.<env>.sql.sslrootcert"), "{text}");
        assert!(error.is_unreachable());
    }

    #[tokio::test]
    async fn unusable_files_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing.pem");
        let Err(error) = tls_connector("db:5432", Some(&missing)).await else { panic!() };
        assert!(error.to_string().contains("missing.pem"), "{error}");
        for (text, why) in [
            ("", "has no certificate"),
            ("not PEM at all", "has no certificate"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "certificate 1 is broken"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate 1"),
        ] {
            let path = directory.path().join("bad.pem");
            std::fs::write(&path, text).unwrap();
            let Err(error) = tls_connector("db:5432", Some(&path)).await else { panic!("{text}") };
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
    }
}
