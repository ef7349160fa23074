//! Commands to whichever process owns the lane.
//!
//! Who owns it is only ever a hint: the owner itself says whether it is. One that does not answer, or cannot decide yet,
//! is asked by one command at a time, while the others wait for what becomes of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use feira_event_log::{EventLog, LogError, Owner, OwnerHints};
use feira_ids::{LaneId, ServiceName, lane_of};
use tokio::time::{Instant, timeout_at};

use super::attempts::{may_change, until_answered};
use crate::chain::Chain;
use crate::rpc::{Link, LinkFault, Peer, Secret};
use crate::{Answer, Command, Commands};

/// How long an owner may be silent before it is probed.
const SILENCE: Duration = Duration::from_secs(2);
/// How long after one probe the next may follow.
const PROBE_PAUSE: Duration = Duration::from_millis(50);
/// How many commands wait for a silent owner; more are put off.
const WAITING_MAX: usize = 1024;

/// Gives the link to an address.
type Dial = Box<dyn Fn(&str) -> Arc<dyn Link> + Send + Sync>;

/// Sends commands to the owners of lanes, in whichever process they are. Cheap to clone.
#[derive(Clone)]
pub struct RemoteCommands(Arc<Inner>);

struct Inner {
    hints: Arc<dyn OwnerHints>,
    routes: HashMap<ServiceName, Vec<Route>>,
    links: Mutex<HashMap<String, Arc<dyn Link>>>,
    dial: Dial,
    silence: Duration,
}

/// What is known of the way to one lane.
struct Route {
    lane: LaneId,
    state: Mutex<RouteState>,
    probe: tokio::sync::Mutex<()>,
    waiting: AtomicUsize,
}

#[derive(Default)]
struct RouteState {
    /// What an owner said of another.
    told: Option<Owner>,
    /// Who did not answer when last asked.
    silent: Option<Owner>,
}

impl RemoteCommands {
    /// To the lanes of `services` on `log`. Asks the log how many lanes each has, and may block for it.
    ///
    /// # Errors
    /// When the log does not answer, or has no such service.
    pub fn new(log: Arc<dyn EventLog>, services: &[ServiceName], secret: Secret) -> Result<Self, LogError> {
        Self::over(log, services, move |address| Arc::new(Peer::new(address, secret.clone())))
    }

    /// The same over links of another kind: `dial` gives the one to an address.
    ///
    /// # Errors
    /// As [`RemoteCommands::new`].
    pub fn over(
        log: Arc<dyn EventLog>,
        services: &[ServiceName],
        dial: impl Fn(&str) -> Arc<dyn Link> + Send + Sync + 'static,
    ) -> Result<Self, LogError> {
        let mut routes = HashMap::new();
        for service in services {
            let lanes = (0..log.lanes(service)?).map(|index| Route {
                lane: LaneId::new(service, index),
                state: Mutex::default(),
                probe: tokio::sync::Mutex::default(),
                waiting: AtomicUsize::new(0),
            });
            routes.insert(service.clone(), lanes.collect());
        }
        Ok(Self(Arc::new(Inner {
            hints: log.owners(),
            routes,
            links: Mutex::default(),
            dial: Box::new(dial),
            silence: SILENCE,
        })))
    }

    /// Sets how long an owner may be silent before it is probed. To be called before the first command.
    pub fn with_silence(mut self, silence: Duration) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.silence = silence;
        }
        self
    }
}

#[async_trait]
impl Commands for RemoteCommands {
    async fn ask(&self, command: Command) -> Answer {
        let inner = &self.0;
        let service = feira_ids::kind(command.aggregate.kind_name()).map_or("", |kind| kind.service);
        let routes = inner.routes.iter().find(|(name, _)| name.as_str() == service);
        let Some((_, routes)) = routes else {
            let reason = format!("no service is known here that decides for {}", command.aggregate.kind_name());
            return Answer::Invalid { reason: reason.into() };
        };
        let route = &routes[lane_of(&command.tenant, &command.aggregate, routes.len() as u32) as usize];
        until_answered(command, |command, until| inner.attempt(route, command, until)).await
    }
}

impl Inner {
    /// Asks once.
    async fn attempt(&self, route: &Route, command: Command, until: Instant) -> Answer {
        let Some(mut owner) = self.owner(route) else { return Answer::NotReady };
        let mut probe = None;
        if route.is_silent(&owner) {
            let Some(_place) = Place::take(&route.waiting) else { return Answer::Overloaded };
            let turn = route.probe.lock().await;
            // While we waited, someone may have had an answer, or the lane another owner.
            let Some(now) = self.owner(route) else { return Answer::NotReady };
            owner = now;
            if route.is_silent(&owner) {
                probe = Some(turn);
            }
        }
        let answer = self.ask_owner(route, &owner, command, until).await;
        if probe.is_some() && may_change(&answer) {
            // Whoever is next would hear the same at once.
            tokio::time::sleep(PROBE_PAUSE).await;
        }
        drop(probe);
        if let Answer::Moved { owner: Some(address), term } = &answer {
            route.hear(Owner { address: address.clone(), term: *term });
        }
        answer
    }

    async fn ask_owner(&self, route: &Route, owner: &Owner, command: Command, until: Instant) -> Answer {
        let link = self.link(&owner.address);
        let wait_until = until.min(Instant::now() + self.silence);
        let budget = until.saturating_duration_since(Instant::now());
        match timeout_at(wait_until, link.ask(command, budget, wait_until)).await {
            // A lane that is being taken, or has lost its log, takes a while: thousands would ask it all the time.
            Ok(Ok(Answer::NotReady)) => {
                route.fell_silent(owner);
                Answer::NotReady
            }
            Ok(Ok(answer)) => {
                route.answered(owner);
                answer
            }
            Ok(Err(fault @ LinkFault::Unsendable(_))) => Answer::Invalid { reason: Chain(&fault).to_string().into() },
            Ok(Err(fault)) => {
                if route.fell_silent(owner) {
                    tracing::warn!(lane = %route.lane, error = %Chain(&fault), "the lane's owner cannot be asked");
                }
                Answer::TimedOut
            }
            Err(_) => {
                if route.fell_silent(owner) {
                    tracing::warn!(lane = %route.lane, peer = owner.address, "the lane's owner does not answer");
                }
                Answer::TimedOut
            }
        }
    }

    /// Who owns the lane, by what is known latest.
    fn owner(&self, route: &Route) -> Option<Owner> {
        let told = route.state().told.clone();
        let announced = self.hints.owner(&route.lane);
        match (told, announced) {
            (Some(told), Some(announced)) if announced.term >= told.term => Some(announced),
            (Some(told), _) => Some(told),
            (None, announced) => announced,
        }
    }

    fn link(&self, address: &str) -> Arc<dyn Link> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.entry(address.to_owned()).or_insert_with(|| (self.dial)(address)).clone()
    }
}

impl Route {
    fn state(&self) -> std::sync::MutexGuard<'_, RouteState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_silent(&self, owner: &Owner) -> bool {
        self.state().silent.as_ref() == Some(owner)
    }

    /// Notes that an owner did not answer; says whether that is news.
    fn fell_silent(&self, owner: &Owner) -> bool {
        let mut state = self.state();
        let news = state.silent.as_ref() != Some(owner);
        state.silent = Some(owner.clone());
        news
    }

    fn answered(&self, owner: &Owner) {
        let mut state = self.state();
        if state.silent.as_ref() == Some(owner) {
            state.silent = None;
        }
    }

    fn hear(&self, owner: Owner) {
        let mut state = self.state();
        if state.told.as_ref().is_none_or(|told| told.term < owner.term) {
            state.told = Some(owner);
        }
    }
}

/// A place among those who wait.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        if waiting.fetch_add(1, Ordering::SeqCst) >= WAITING_MAX {
            waiting.fetch_sub(1, Ordering::SeqCst);
            return None;
        }
        Some(Self(waiting))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
