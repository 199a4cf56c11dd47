//! `port`: it is free for the service, or the service has it.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use futures_util::FutureExt;

use crate::cli::doctor::{
    check::{Check, Trouble, Verdict},
    context::Context,
    reach::Astray,
};

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "port",
    matters: "the service can't start while something else listens where it should",
    look: |context| look(context).boxed(),
};

async fn look(context: &Context) -> Verdict {
    let http = context.http()?;
    if http.port == 0 {
        return Err(Trouble::skipped(
            "PORT is 0: a free one is taken at each start",
        ));
    }
    let address = context.local_address()?;
    match context.here().await {
        Ok(Ok(presence)) if presence.version == env!("CARGO_PKG_VERSION") => {
            return Ok(format!("this service listens on {address}"));
        }
        Ok(Ok(presence)) => {
            return Err(Trouble::warning(
                format!(
                    "the service that listens on {address} is version {}, this program {}",
                    presence.version,
                    env!("CARGO_PKG_VERSION")
                ),
                "restart the service, so that it is the version that you look at",
            ));
        }
        Ok(Err(Astray::OtherInstallation)) => {
            return Err(Trouble::failed(
                format!("another installation of click-to-call listens on {address}"),
                "stop it, choose another PORT, or run doctor with its settings: its folder, its database",
            ));
        }
        // Whatever else it says: what counts is whether the port is free.
        Ok(Err(_)) | Err(_) => {}
    }
    match TcpListener::bind((http.bind, http.port)) {
        Ok(_listener) => Ok(format!("{address} is free; the service does not run")),
        Err(error) => Err(taken(&error, address)),
    }
}

fn taken(error: &io::Error, address: SocketAddr) -> Trouble {
    let (problem, remedy) = if error.kind() == io::ErrorKind::AddrInUse {
        (
            format!("another program listens on {address}"),
            "see which with `ss -ltnp`, and stop it; or choose another PORT",
        )
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        (
            format!("this user may not listen on {address}"),
            "choose a PORT of 1024 or more, and put a proxy before it",
        )
    } else if error.kind() == io::ErrorKind::AddrNotAvailable {
        (
            format!("{} is no address of this machine", address.ip()),
            "set http.bind to one that is, or to 0.0.0.0 for all of them",
        )
    } else {
        (
            format!("nothing can listen on {address}: {error}"),
            "choose another PORT, or another http.bind",
        )
    };
    Trouble::failed(problem, remedy)
}
