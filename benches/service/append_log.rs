//! What a receiver of durable events can do at best: an HTTP server that appends each body to a file and answers when
//! it is flushed, with one flush for all that came in while the last one ran. It checks, finds and sorts nothing.

use std::{fs::File, io::Write, net::SocketAddr, path::Path, sync::mpsc, thread};

use actix_web::{App, HttpResponse, HttpServer, web};
use tokio::sync::oneshot;

/// As many as one commit of the store takes.
const GROUP: usize = 512;

struct Entry {
    body: web::Bytes,
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
                    .default_service(web::post().to(receive))
            });
            let server = server.bind(("127.0.0.1", 0)).unwrap();
            told.send(server.addrs()[0]).unwrap();
            server.run().await
        })
    });
    address.recv().unwrap()
}

async fn receive(body: web::Bytes, log: web::Data<mpsc::Sender<Entry>>) -> HttpResponse {
    let (flushed, done) = oneshot::channel();
    log.send(Entry { body, flushed }).unwrap();
    done.await.unwrap();
    HttpResponse::Ok().finish()
}

fn append(mut file: File, queue: &mpsc::Receiver<Entry>) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        group.extend(queue.try_iter().take(GROUP - 1));
        let bodies: Vec<&[u8]> = group.iter().map(|entry| entry.body.as_ref()).collect();
        file.write_all(&bodies.concat()).unwrap();
        file.sync_data().unwrap();
        for entry in group {
            // A sender that has gone away needs no answer.
            let _ = entry.flushed.send(());
        }
    }
}
