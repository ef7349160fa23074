//! Taking a port, and answering on it until asked to end.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// How long requests under way may take to finish.
const DRAIN: Duration = Duration::from_secs(10);

/// Takes the port.
pub async fn bind(listen: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(listen).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            Failure::new(format!("{listen} is taken by another process; stop it, or listen elsewhere"))
        }
        _ => Failure::because(format!("cannot listen on {listen}"), error),
    })
}

/// Answers on `listener` until `stop`; then lets requests under way finish.
pub fn answer(listener: TcpListener, router: Router, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        let asked = stop.clone();
        let serving = axum::serve(listener, router).with_graceful_shutdown(asked.cancelled_owned());
        let served = tokio::select! {
            served = async { serving.await } => served,
            () = async { stop.cancelled().await; tokio::time::sleep(DRAIN).await } => {
                tracing::warn!("requests are cut off that took longer than {} s to finish", DRAIN.as_secs());
                return;
            }
        };
        if let Err(error) = served {
            tracing::error!(error = &error as &dyn std::error::Error, "no longer listening");
        }
    })
}
