//! Whether the servers answer that a process stands on: asked again and again beside the requests, which never wait for it.
//!
//! What counts is how long ago a server answered last, so that one question that goes astray is no outage, and a question
//! that nobody ever answers is one.

use std::error::Error;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// How servers are asked.
#[derive(Clone, Copy)]
pub struct Pace {
    /// The pause between two questions.
    pub pause: Duration,
    /// How long an answer is waited for.
    pub patience: Duration,
    /// How old the last answer may be.
    pub age_max: Duration,
}

/// How they are asked where nothing else is said: one question may go unanswered without being an outage.
pub const PACE: Pace =
    Pace { pause: Duration::from_secs(1), patience: Duration::from_secs(2), age_max: Duration::from_secs(5) };

/// Why a question was not answered.
pub type Silence = Box<dyn Error + Send + Sync>;

/// Servers, and when each answered last.
pub struct Watch {
    pace: Pace,
    servers: Vec<Arc<Server>>,
}

struct Server {
    name: &'static str,
    answered: Mutex<Option<Instant>>,
}

impl Watch {
    /// A watch over nothing yet.
    pub fn new(pace: Pace) -> Self {
        Self { pace, servers: Vec::new() }
    }

    /// Watches over `name` as well: from now on, until `stop`, `ask` puts a question to it.
    pub fn over<F>(
        mut self,
        name: &'static str,
        ask: impl Fn() -> F + Send + Sync + 'static,
        stop: &CancellationToken,
    ) -> Self
    where
        F: Future<Output = Result<(), Silence>> + Send + 'static,
    {
        let server = Arc::new(Server { name, answered: Mutex::default() });
        self.servers.push(server.clone());
        let (pace, stop) = (self.pace, stop.clone());
        tokio::spawn(async move { stop.run_until_cancelled(server.keep_asking(ask, pace)).await });
        self
    }

    /// Which servers do not answer, in words; nothing when all do.
    pub fn waits_for(&self) -> Result<(), String> {
        let silent = self.servers.iter().filter(|server| !server.answered_within(self.pace.age_max));
        let names: Vec<&str> = silent.map(|server| server.name).collect();
        if names.is_empty() { Ok(()) } else { Err(format!("no answer from {}", names.join(" and "))) }
    }
}

impl Server {
    fn answered_within(&self, age_max: Duration) -> bool {
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.is_some_and(|answered| answered.elapsed() <= age_max)
    }

    async fn keep_asking<F>(&self, ask: impl Fn() -> F, pace: Pace)
    where
        F: Future<Output = Result<(), Silence>>,
    {
        let mut told = false;
        loop {
            let answer = match tokio::time::timeout(pace.patience, ask()).await {
                Ok(answer) => answer,
                Err(_) => Err(format!("nothing came within {} ms", pace.patience.as_millis()).into()),
            };
            match answer {
                Ok(()) => {
                    *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                    if told {
                        tracing::info!("{} answers again", self.name);
                    }
                    told = false;
                }
                // An outage is told once: whoever looks sees that it lasts.
                Err(error) if !told && !self.answered_within(pace.age_max) => {
                    tracing::warn!(
                        error = &*error as &dyn Error,
                        "{} does not answer; asked again and again",
                        self.name
                    );
                    told = true;
                }
                Err(_) => {}
            }
            tokio::time::sleep(pace.pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const QUICK: Pace = Pace {
        pause: Duration::from_millis(1),
        patience: Duration::from_millis(50),
        age_max: Duration::from_millis(200),
    };
    /// How long a condition is waited for.
    const LIMIT: Duration = Duration::from_secs(20);

    /// A server that answers while it is up; else it refuses, or says nothing at all.
    #[derive(Clone, Default)]
    struct Fake {
        up: Arc<AtomicBool>,
        mute: bool,
    }

    impl Fake {
        fn set(&self, up: bool) {
            self.up.store(up, Ordering::Relaxed);
        }

        async fn ask(self) -> Result<(), Silence> {
            match (self.up.load(Ordering::Relaxed), self.mute) {
                (true, _) => Ok(()),
                (false, false) => Err("connection refused".into()),
                (false, true) => std::future::pending().await,
            }
        }
    }

    /// A log that refuses when it is down, and a store that falls silent.
    fn watched(stop: &CancellationToken) -> (Watch, Fake, Fake) {
        let (log, store) = (Fake::default(), Fake { mute: true, ..Fake::default() });
        let (log_asked, store_asked) = (log.clone(), store.clone());
        let watch = Watch::new(QUICK).over("the log", move || log_asked.clone().ask(), stop).over(
            "the store",
            move || store_asked.clone().ask(),
            stop,
        );
        (watch, log, store)
    }

    async fn comes_to_say(watch: &Watch, said: Result<(), &str>) {
        let until = Instant::now() + LIMIT;
        while watch.waits_for() != said.map_err(str::to_owned) {
            assert!(Instant::now() < until, "{:?} instead of {said:?}", watch.waits_for());
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn nothing_is_ready_before_its_servers_have_answered() {
        let (watch, log, store) = watched(&CancellationToken::new());
        assert_eq!(watch.waits_for(), Err("no answer from the log and the store".to_owned()));
        log.set(true);
        comes_to_say(&watch, Err("no answer from the store")).await;
        store.set(true);
        comes_to_say(&watch, Ok(())).await;
    }

    #[tokio::test]
    async fn a_server_that_is_lost_is_named_until_it_answers_again() {
        let (watch, log, store) = watched(&CancellationToken::new());
        log.set(true);
        store.set(true);
        comes_to_say(&watch, Ok(())).await;
        log.set(false);
        comes_to_say(&watch, Err("no answer from the log")).await;
        store.set(false);
        comes_to_say(&watch, Err("no answer from the log and the store")).await;
        log.set(true);
        comes_to_say(&watch, Err("no answer from the store")).await;
        store.set(true);
        comes_to_say(&watch, Ok(())).await;
    }
}
