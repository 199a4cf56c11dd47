//! The public address, what stands before it, and the files that come through it.

use axum::http::{HeaderValue, Method, StatusCode};

use crate::world::{Proxy, World};

/// Nothing listens on the discard port.
const NOBODY: &str = "http://127.0.0.1:9";

/// A check that depends on the public address has its own words for that.
async fn astray(world: &World, url: &str, found: &str, remedy: &str) {
    // The webhooks of the application are those of the right address.
    let report = world
        .doctor_with(&[("PUBLIC_URL", url), ("VONAGE_API_KEY", "")])
        .await;
    report.fails("public-address", found, remedy);
    assert_eq!(report.status("proxy"), "skipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_leads_nowhere() {
    let world = World::start().await;
    astray(
        &world,
        "http://calls.invalid",
        "calls.invalid leads to no address",
        "make a DNS record",
    )
    .await;
    astray(&world, NOBODY, "nothing listens on 127.0.0.1:9", "curl -i").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_leads_elsewhere() {
    let world = World::start().await;
    let other = World::with(|folder| {
        folder.set("SESSION_SECRET", "canary-secret-of-another-installation");
    })
    .await;
    astray(
        &world,
        &other.front.url,
        "another installation of click-to-call answers",
        "replicas of one installation share",
    )
    .await;
    astray(
        &world,
        world.simulator.base_url(),
        "another server answers",
        "let the proxy pass everything",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_gets_in_the_way() {
    let world = World::start().await;
    let front = world.front.url.clone();
    world.front.asking(|request| {
        let path = request
            .uri
            .path()
            .replacen("/.well-known", "/app/.well-known", 1);
        request.uri = path.parse().unwrap();
    });
    astray(
        &world,
        &front,
        "a proxy on the way changes the path",
        "StripPrefix",
    )
    .await;

    world.front.asking(|request| {
        request.headers.remove("authorization");
    });
    astray(
        &world,
        &front,
        "takes the Authorization header away",
        "Vonage's signature",
    )
    .await;

    world.front.asking(|_| {});
    world.front.answering(|answer| {
        answer.status = StatusCode::MOVED_PERMANENTLY;
        answer.headers.insert(
            "location",
            HeaderValue::from_static("https://calls.example/"),
        );
    });
    astray(
        &world,
        &front,
        "redirects to https://calls.example/",
        "set PUBLIC_URL",
    )
    .await;

    world.front.answering(|answer| {
        answer.status = StatusCode::BAD_GATEWAY;
        answer.body = b"<h1>502 Bad Gateway</h1>".to_vec();
    });
    astray(
        &world,
        &front,
        "it can't reach the service",
        "point the proxy",
    )
    .await;

    // A free port: the service is said not to run.
    let report = world
        .doctor_with(&[("PORT", "9"), ("VONAGE_API_KEY", "")])
        .await;
    report.says(
        "public-address",
        "the service does not run",
        "click-to-call serve",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_a_proxy_hides() {
    let world = World::start().await;
    world.front.asking(|request| {
        request.headers.remove("x-forwarded-for");
    });
    let report = world.doctor().await;
    report.fails(
        "proxy",
        "the proxy at 127.0.0.1 sends no X-Forwarded-For",
        "proxy_set_header",
    );

    let world = World::with(|folder| {
        folder
            .variables
            .remove("CLICK_TO_CALL__HTTP__TRUSTED_PROXIES");
    })
    .await;
    let report = world.doctor().await;
    report.fails(
        "proxy",
        "X-Forwarded-For comes from 127.0.0.1",
        "CLICK_TO_CALL__HTTP__TRUSTED_PROXIES=127.0.0.1/32",
    );
    // Without a proxy, and on http, there is nothing to trust.
    let service = world.service.url.clone();
    let report = world
        .doctor_with(&[("PUBLIC_URL", &service), ("VONAGE_API_KEY", "")])
        .await;
    assert_eq!(report.status("proxy"), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_a_proxy_changes() {
    let world = World::start().await;
    world.front.answering(|answer| {
        if answer.is(&Method::GET, "/static/") {
            answer.body.extend_from_slice(b"// measured");
        }
    });
    let report = world.doctor().await;
    report.fails(
        "assets",
        "arrives changed",
        "switch off what rewrites scripts",
    );
    world.front.answering(|answer| {
        if answer.is(&Method::GET, "/static/") {
            answer.status = StatusCode::NOT_FOUND;
        }
    });
    let report = world.doctor().await;
    report.fails(
        "assets",
        "does not arrive under the public address: 404",
        "pass /static/ on",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_proxy_with_the_same_way_is_as_good() {
    let world = World::start().await;
    let second = Proxy::start(world.front.url.clone()).await;
    let report = world
        .doctor_with(&[("PUBLIC_URL", &second.url), ("VONAGE_API_KEY", "")])
        .await;
    assert_eq!(report.status("public-address"), "ok");
}
