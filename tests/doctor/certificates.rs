//! TLS between the world and the service: every fault of a certificate by its name.

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use crate::world::{Authority, Report, TlsServer, World};

/// What doctor finds under this https address, on a machine that knows this authority alone.
async fn doctor(world: &World, server: &TlsServer, known: &Authority) -> Report {
    let roots = world.folder.write("roots.pem", &known.pem);
    world
        .doctor_with(&[
            ("PUBLIC_URL", &server.url),
            ("SSL_CERT_FILE", roots.to_str().unwrap()),
            // The webhooks of the application are those of the other address.
            ("VONAGE_API_KEY", ""),
        ])
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_is_whole() {
    let world = World::start().await;
    let root = Authority::root("Test");
    let intermediate = root.intermediate();
    let (own, key) = intermediate.issue("localhost", |_| {});
    let chain = vec![own, intermediate.certificate()];
    let server = TlsServer::start(chain, &key, &world.front.url).await;
    let report = doctor(&world, &server, &root).await;
    assert_eq!(
        report.that_are("failed"),
        Vec::<&str>::new(),
        "{:#}",
        report.json
    );
    assert_eq!(report.status("public-address"), "ok");
    // And now not even the settings have anything to warn of.
    assert_eq!(report.status("settings"), "ok", "{:#}", report.json);
}

/// The name in the certificate, what is changed in it, and the words of problem and remedy.
type Case = (
    &'static str,
    fn(&mut CertificateParams),
    &'static str,
    &'static str,
);

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_with_a_fault() {
    let world = World::start().await;
    let root = Authority::root("Test");
    let intermediate = root.intermediate();
    let cases: [Case; 3] = [
        (
            "other.example",
            |_| {},
            "the certificate is not for localhost",
            "certbot --nginx -d localhost",
        ),
        (
            "localhost",
            |params| {
                params.not_before = date_time_ymd(2020, 1, 1);
                params.not_after = date_time_ymd(2020, 3, 1);
            },
            "the certificate has expired",
            "certbot renew",
        ),
        (
            "localhost",
            |params| {
                params.not_before = date_time_ymd(2999, 1, 1);
                params.not_after = date_time_ymd(2999, 3, 1);
            },
            "is not valid yet",
            "set the clocks",
        ),
    ];
    for (name, change, words, remedy) in cases {
        let (own, key) = intermediate.issue(name, change);
        let chain = vec![own, intermediate.certificate()];
        let server = TlsServer::start(chain, &key, &world.front.url).await;
        let report = doctor(&world, &server, &root).await;
        report.fails("public-address", words, remedy);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_nobody_vouches_for() {
    let world = World::start().await;
    let (root, stranger) = (Authority::root("Test"), Authority::root("Another"));
    let intermediate = root.intermediate();
    let (own, key) = intermediate.issue("localhost", |_| {});
    let server = TlsServer::start(vec![own.clone()], &key, &world.front.url).await;
    let report = doctor(&world, &server, &root).await;
    report.fails(
        "public-address",
        "without the intermediate certificate",
        "fullchain.pem",
    );

    let chain = vec![own, intermediate.certificate()];
    let server = TlsServer::start(chain, &key, &world.front.url).await;
    let report = doctor(&world, &server, &stranger).await;
    report.fails(
        "public-address",
        "an authority that this machine does not know",
        "certbot",
    );

    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let own = params.self_signed(&key).unwrap().der().clone();
    let server = TlsServer::start(vec![own], &key, &world.front.url).await;
    let report = doctor(&world, &server, &root).await;
    report.fails("public-address", "signed by itself", "certbot");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tls_at_all() {
    let world = World::start().await;
    let url = world
        .front
        .url
        .replacen("http://127.0.0.1", "https://localhost", 1);
    let report = doctor(&world, &TlsServer { url }, &Authority::root("Test")).await;
    report.fails(
        "public-address",
        "no TLS connection can be made",
        "the proxy speaks TLS",
    );
}
