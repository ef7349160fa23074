//! The word that everything of a kind is to end, for whoever waits for it.
//!
//! Those who wait hear it in the order in which they began to: tokio's `watch` wakes them in an order by chance, which a
//! simulation could not repeat.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Whether it was said.
#[derive(Default)]
pub(crate) struct Closing {
    said: AtomicBool,
    heard: Notify,
}

impl Closing {
    /// Says it, for good.
    pub fn say(&self) {
        self.said.store(true, Ordering::SeqCst);
        self.heard.notify_waiters();
    }

    /// Whether it was said.
    pub fn is_said(&self) -> bool {
        self.said.load(Ordering::SeqCst)
    }

    /// Waits until it is said.
    pub async fn wait(&self) {
        // Made before the look: what is said in between is heard.
        let heard = self.heard.notified();
        if !self.is_said() {
            heard.await;
        }
    }
}
