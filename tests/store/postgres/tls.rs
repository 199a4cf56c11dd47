//! Connections with TLS, to a server that takes no others from a network.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::LazyLock,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::NamedTempFile;
use uuid::Uuid;

use super::{
    opening::{assert_says, refusal},
    serve,
};
use crate::{cluster::Cluster, pem::pem};

static SECURED: LazyLock<Secured> = LazyLock::new(Secured::start);

/// A server with two addresses and a certificate for one of them.
struct Secured {
    cluster: Cluster,
    port: u16,
    named: Ipv4Addr,
    unnamed: Ipv4Addr,
    /// The certificate of the authority that issued the server's.
    authority: NamedTempFile,
}

impl Secured {
    fn start() -> Self {
        // Addresses of the loopback network that nobody else on this machine uses: PostgreSQL can't choose a free port, and
        // between its choice here and its use another process may take one.
        let [a, b, c, ..] = Uuid::new_v4().into_bytes();
        let [named, unnamed] = [1, 2].map(|last| Ipv4Addr::new(127, a.max(1), b, c & !3 | last));
        let addresses = format!("listen_addresses = '{named},{unnamed}'");
        let port = free_port(named);
        let cluster = Cluster::start_on(port, &[&addresses]);
        let (authority, certificate, key) = certificates(named);
        cluster.write("server.crt", &certificate);
        cluster.write("server.key", &key);
        cluster
            .configure("ssl = on\nssl_cert_file = '../server.crt'\nssl_key_file = '../server.key'");
        cluster.admit("hostssl all calls all trust\nhostnossl all all all reject");
        let file = NamedTempFile::new().unwrap();
        std::fs::write(&file, authority).unwrap();
        Self {
            cluster,
            port,
            named,
            unnamed,
            authority: file,
        }
    }

    /// The address of a new database by way of this host.
    async fn url(&self, host: Ipv4Addr, parameters: &str) -> String {
        let database = self.cluster.create_database().await;
        let port = self.port;
        format!("postgres://calls@{host}:{port}/{database}?{parameters}")
    }

    fn verified(&self) -> String {
        format!(
            "sslmode=verify-full&sslrootcert={}",
            self.authority.path().display()
        )
    }
}

/// One that nobody listens on, not even for all addresses.
fn free_port(address: Ipv4Addr) -> u16 {
    let listener = TcpListener::bind((address, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// An authority's certificate, one that it issued for this address, and the key of the latter.
fn certificates(address: Ipv4Addr) -> (String, String, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![address.to_string()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    (
        pem("CERTIFICATE", authority.der()),
        pem("CERTIFICATE", certificate.der()),
        pem("PRIVATE KEY", key.serialized_der()),
    )
}

#[tokio::test]
async fn certificate_is_verified_against_an_authority_of_ones_own() {
    let store = serve(&SECURED.url(SECURED.named, &SECURED.verified()).await)
        .await
        .unwrap();
    store.ping().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn certificate_that_need_not_be_proven_is_taken() {
    for mode in ["require", "prefer"] {
        let parameters = format!("sslmode={mode}");
        let store = serve(&SECURED.url(SECURED.unnamed, &parameters).await)
            .await
            .unwrap();
        store.ping().await.unwrap();
        store.close().await;
    }
}

#[tokio::test]
async fn authority_that_is_not_known_is_told() {
    let url = SECURED.url(SECURED.named, "sslmode=verify-full").await;
    assert_says(
        &refusal(&url).await,
        &["authority that is not known here", "sslrootcert"],
    );
}

#[tokio::test]
async fn certificate_for_another_name_is_told() {
    let url = SECURED.url(SECURED.unnamed, &SECURED.verified()).await;
    assert_says(
        &refusal(&url).await,
        &["certificate is for another name", "write the host"],
    );
}

#[tokio::test]
async fn server_that_demands_tls_says_so_to_a_connection_without() {
    let url = SECURED.url(SECURED.named, "sslmode=disable").await;
    assert_says(
        &refusal(&url).await,
        &[
            "does not let calls in without TLS",
            "set sslmode=verify-full",
        ],
    );
}

#[tokio::test]
async fn tls_over_a_socket_is_told() {
    // No server speaks TLS there, whatever its settings.
    let cluster = Cluster::shared();
    let database = cluster.create_database().await;
    let url = format!("{}?sslmode=require", cluster.url(&database));
    let refusal = refusal(&url).await;
    assert_says(&refusal, &["with TLS", "Unix socket", "leave sslmode out"]);
    assert!(!refusal.contains("ssl = on"), "{refusal}");
}

#[tokio::test]
async fn server_without_tls_is_told() {
    let [a, b, ..] = Uuid::new_v4().into_bytes();
    let address = Ipv4Addr::new(127, a.max(1), b, 1);
    let port = free_port(address);
    let listens = format!("listen_addresses = '{address}'");
    let cluster = Cluster::start_on(port, &[&listens]);
    let database = cluster.create_database().await;
    let url = format!("postgres://calls@{address}:{port}/{database}?sslmode=require");
    assert_says(&refusal(&url).await, &["with TLS", "ssl = on"]);
}

#[tokio::test]
async fn file_that_is_missing_is_told() {
    for parameter in ["sslrootcert", "sslcert", "sslkey"] {
        let parameters = format!("sslmode=verify-full&{parameter}=/no/such.pem");
        let url = SECURED.url(SECURED.named, &parameters).await;
        assert_says(
            &refusal(&url).await,
            &["cannot read /no/such.pem", parameter, "No such file"],
        );
    }
}
