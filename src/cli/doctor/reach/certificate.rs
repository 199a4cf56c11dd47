//! What is wrong with a server's certificate. Vonage tries no webhook again after such a fault, and browsers show a
//! warning in the page's place.

use std::{
    error::Error,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use url::Url;
use webpki::EndEntityCert;

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::doctor) enum CertificateFault {
    /// It is for other names.
    Name,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// The server has signed it itself.
    SelfSigned,
    /// The server sends it alone, without the one that it was issued by.
    NoIntermediate,
    /// It goes back to an authority that this machine does not know.
    Untrusted,
    /// Something else.
    Other(String),
}

/// The TLS error that a request ended with, if it was one.
pub(super) fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut source: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = source {
        if let Some(found) = cause.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        // An I/O error passes over what it carries when it is asked for its source.
        let carried = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        source = match carried {
            Some(carried) => Some(carried),
            None => cause.source(),
        };
    }
    None
}

/// Says what the fault of a certificate is, after another look at what the server sends.
pub(super) async fn explain(
    fault: &CertificateError,
    base: &Url,
    patience: Duration,
) -> CertificateFault {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a list of somebody else's, most of which no server on the web meets"
    )]
    match fault {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateFault::Name
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            CertificateFault::Expired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateFault::NotYetValid
        }
        CertificateError::UnknownIssuer => untrusted(&served(base, patience).await),
        other => CertificateFault::Other(other.to_string()),
    }
}

/// Why nobody vouches for these certificates, the server's own first.
fn untrusted(served: &[CertificateDer<'static>]) -> CertificateFault {
    let Some(own) = served.first() else {
        return CertificateFault::Untrusted;
    };
    let is_self_signed = EndEntityCert::try_from(own)
        .is_ok_and(|certificate| certificate.issuer() == certificate.subject());
    match served {
        [_own] if is_self_signed => CertificateFault::SelfSigned,
        [_own] => CertificateFault::NoIntermediate,
        _ => CertificateFault::Untrusted,
    }
}

/// The certificates that a server sends.
async fn served(base: &Url, patience: Duration) -> Vec<CertificateDer<'static>> {
    let witness = Arc::new(Witness::default());
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map(|builder| {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::<Witness>::clone(&witness))
                .with_no_client_auth()
        });
    let client = config.ok().and_then(|config| {
        reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .timeout(patience)
            .no_proxy()
            .build()
            .ok()
    });
    if let Some(client) = client {
        // Always an error: the witness lets nobody pass.
        let _ = client.get(base.clone()).send().await;
    }
    let mut seen = witness.0.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *seen)
}

/// Notes the certificates of a server and refuses every one, so that nothing is ever sent over such a connection.
#[derive(Debug, Default)]
struct Witness(Mutex<Vec<CertificateDer<'static>>>);

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = std::iter::once(own)
            .chain(others)
            .map(|certificate| certificate.clone().into_owned())
            .collect();
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(CertificateError::UnknownIssuer.into())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
