//! What a receiver of durable events can do at best: an HTTP server that checks and reads them as the service does,
//! appends each body to a file, and answers when it is flushed, with one flush for all that came in while the last one
//! ran. It knows no event again and finds no call.

use std::{fs::File, io::Write, net::SocketAddr, path::Path, sync::mpsc, thread};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::header, web};
use chrono::TimeDelta;
use click_to_call::{
    domain::clock::Clock,
    vonage::{
        signature::{Payload, SignatureCheck, Verdict},
        webhook,
    },
};
use tokio::sync::oneshot;

use crate::load::requests;

/// As many as one commit of the store takes.
const GROUP: usize = 512;

struct Entry {
    raw: Vec<u8>,
    flushed: oneshot::Sender<()>,
}

/// Starts it, for as long as the process lives.
pub(crate) fn start(path: &Path) -> SocketAddr {
    let file = File::create(path).unwrap();
    let (entries, queue) = mpsc::channel();
    thread::spawn(move || append(file, &queue));
    let (told, address) = mpsc::channel();
    thread::spawn(move || {
        let system = actix_web::rt::System::new();
        system.block_on(async move {
            let server = HttpServer::new(move || {
                App::new()
                    .app_data(web::Data::new(entries.clone()))
                    .app_data(web::Data::new(signature_check()))
                    .default_service(web::post().to(receive))
            });
            let server = server.bind(("127.0.0.1", 0)).unwrap();
            told.send(server.addrs()[0]).unwrap();
            server.run().await
        })
    });
    address.recv().unwrap()
}

/// As the service under test checks.
fn signature_check() -> SignatureCheck {
    let secret = requests::SIGNATURE_SECRET.to_owned().into();
    let application = requests::APPLICATION.to_owned();
    SignatureCheck::new(&[secret], None, application, TimeDelta::minutes(5))
}

async fn receive(
    request: HttpRequest,
    body: web::Bytes,
    check: web::Data<SignatureCheck>,
    log: web::Data<mpsc::Sender<Entry>>,
) -> HttpResponse {
    let authorization = request.headers().get(header::AUTHORIZATION);
    let authorization = authorization.map(|value| value.to_str().unwrap());
    let (payload, now) = (Payload::Body(&body), Clock::system().now());
    let Verdict::Genuine(genuine) = check.verdict(authorization, payload, now) else {
        return HttpResponse::Unauthorized().finish();
    };
    let raw = webhook::event(payload, Some(genuine.replay), now).raw;
    let (flushed, done) = oneshot::channel();
    log.send(Entry { raw, flushed }).unwrap();
    done.await.unwrap();
    HttpResponse::Ok().finish()
}

fn append(mut file: File, queue: &mpsc::Receiver<Entry>) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        group.extend(queue.try_iter().take(GROUP - 1));
        let bodies: Vec<&[u8]> = group.iter().map(|entry| entry.raw.as_slice()).collect();
        file.write_all(&bodies.concat()).unwrap();
        file.sync_data().unwrap();
        for entry in group {
            // A sender that has gone away needs no answer.
            let _ = entry.flushed.send(());
        }
    }
}
