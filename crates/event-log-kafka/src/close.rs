//! Letting go of a client without being held by it.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Drops `client` on a thread of its own, and waits for that no longer than `wait`: dropping one may wait for a broker
/// that never answers, and its caller has lanes to hand over.
pub(crate) fn within<T: Send + 'static>(wait: Duration, what: &str, client: T) {
    let (done, finished) = mpsc::channel();
    let closing = thread::Builder::new().name("kafka-close".into()).spawn(move || {
        drop(client);
        // Nobody waits any more when this fails.
        let _ = done.send(());
    });
    if closing.is_err() {
        tracing::warn!("{what} could not be closed apart: the system gives no more threads");
        return;
    }
    if !wait.is_zero() && finished.recv_timeout(wait).is_err() {
        tracing::warn!(waited_ms = wait.as_millis() as u64, "{what} is still closing; going on without it");
    }
}
