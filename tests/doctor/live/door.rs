//! A public address that was there before anybody listened behind it, as a tunnel's is.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Passes connections on as soon as it knows where to.
pub(super) struct Door {
    pub(super) url: String,
    behind: watch::Sender<Option<SocketAddr>>,
}

impl Door {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let behind = watch::Sender::new(None);
        let seen = behind.clone();
        tokio::spawn(async move {
            while let Ok((mut front, _)) = listener.accept().await {
                let mut behind = seen.subscribe();
                tokio::spawn(async move {
                    let address = *behind.wait_for(Option::is_some).await.unwrap();
                    // Whoever is gone has been told by a closed connection.
                    if let Ok(mut back) = TcpStream::connect(address.unwrap()).await {
                        let _ = copy_bidirectional(&mut front, &mut back).await;
                    }
                });
            }
        });
        Self { url, behind }
    }

    pub(super) fn lead_to(&self, address: SocketAddr) {
        self.behind.send_replace(Some(address));
    }
}
