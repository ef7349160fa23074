//! The asker's end of the stream: one for each owner, opened when it is first needed and again when it broke.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::frame::{Ask, Frames, Outgoing, Reply, chunks, encode};
use super::{PATH, Secret};
use crate::{Answer, Command};

/// How long a connection may take to stand.
const CONNECT_WAIT: Duration = Duration::from_secs(1);
/// How often a silent peer is asked whether it is there, and how long it may take to say so.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(4));
/// What may be under way without being read.
const WINDOW_BYTES: u32 = 4 << 20;
/// How many frames wait to be written.
const OUTGOING_MAX: usize = 4096;

/// Why a command got no answer from a peer. It may have been decided.
#[derive(Debug, thiserror::Error)]
pub enum LinkFault {
    /// Nobody is there.
    #[error("cannot connect to {address}")]
    Connect {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It does not let us in.
    #[error("{address} does not let this process in ({status}): do both have the same secret, and clocks that agree?")]
    TurnedAway {
        /// Who.
        address: String,
        /// With what.
        status: StatusCode,
    },
    /// The stream ended before the answer came.
    #[error("the stream to {address} ended")]
    Lost {
        /// To where.
        address: String,
    },
    /// The command cannot be sent.
    #[error("the command cannot be sent")]
    Unsendable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The way to one process that owns lanes.
#[async_trait]
pub trait Link: Send + Sync {
    /// Sends a command and waits for its answer, as long as the caller does: `patience` is how long that is, `budget`
    /// how long the owner may work on it.
    ///
    /// # Errors
    /// [`LinkFault`]; the command may have been decided all the same.
    async fn ask(&self, command: Command, budget: Duration, patience: Instant) -> Result<Answer, LinkFault>;
}

/// An owner of lanes, by its address.
pub(crate) struct Peer {
    address: String,
    secret: Secret,
    link: tokio::sync::Mutex<Option<Arc<Stream>>>,
}

/// One open stream.
struct Stream {
    outgoing: mpsc::Sender<Outgoing>,
    pending: Pending,
    next: AtomicU64,
}

/// Who waits for which answer; none any more once the stream has ended.
type Pending = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<Answer>>>>>;

impl Peer {
    pub fn new(address: &str, secret: Secret) -> Self {
        Self { address: address.to_owned(), secret, link: tokio::sync::Mutex::default() }
    }

    fn lost(&self) -> LinkFault {
        LinkFault::Lost { address: self.address.clone() }
    }

    /// The open stream, or a new one.
    async fn link(&self, patience: Instant) -> Result<Arc<Stream>, LinkFault> {
        let mut kept = self.link.lock().await;
        // Those whose time ran out in the queue do not knock once more, one after the other.
        if Instant::now() >= patience {
            return Err(self.lost());
        }
        if let Some(link) = kept.as_ref().filter(|link| link.is_open()) {
            return Ok(link.clone());
        }
        *kept = None;
        let opened = timeout(CONNECT_WAIT, self.open()).await;
        let link = opened.unwrap_or_else(|elapsed| Err(self.unreachable(elapsed)))?;
        *kept = Some(link.clone());
        Ok(link)
    }

    fn unreachable(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> LinkFault {
        LinkFault::Connect { address: self.address.clone(), source: source.into() }
    }

    async fn open(&self) -> Result<Arc<Stream>, LinkFault> {
        let stream = TcpStream::connect(&self.address).await.map_err(|error| self.unreachable(error))?;
        stream.set_nodelay(true).map_err(|error| self.unreachable(error))?;
        let handshake = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .keep_alive_interval(KEEP_ALIVE.0)
            .keep_alive_timeout(KEEP_ALIVE.1)
            .handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.map_err(|error| self.unreachable(error))?;
        tokio::spawn(connection);
        let (outgoing, receiver) = mpsc::channel(OUTGOING_MAX);
        let body = StreamBody::new(chunks(receiver).map(|chunk| Ok::<_, Infallible>(Frame::data(chunk))).boxed());
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("http://{}{PATH}", self.address))
            .header(header::AUTHORIZATION, format!("Feira {}", self.secret.pass()))
            .body(body)
            .map_err(|error| self.unreachable(error))?;
        let response = sender.send_request(request).await.map_err(|error| self.unreachable(error))?;
        if response.status() != StatusCode::OK {
            return Err(LinkFault::TurnedAway { address: self.address.clone(), status: response.status() });
        }
        let pending: Pending = Arc::new(Mutex::new(Some(HashMap::new())));
        // The request lives as long as the sender of its connection does.
        tokio::spawn(read(self.address.clone(), response.into_body(), pending.clone(), sender));
        Ok(Arc::new(Stream { outgoing, pending, next: AtomicU64::new(0) }))
    }
}

#[async_trait]
impl Link for Peer {
    async fn ask(&self, command: Command, budget: Duration, patience: Instant) -> Result<Answer, LinkFault> {
        let link = self.link(patience).await?;
        let number = link.next.fetch_add(1, Ordering::Relaxed);
        let proof = self.secret.vouch(&command);
        let budget_ms = u32::try_from(budget.as_millis()).unwrap_or(u32::MAX);
        let frame =
            encode(&Ask { number, budget_ms, command, proof }).map_err(|fault| LinkFault::Unsendable(fault.into()))?;
        let (sender, receiver) = oneshot::channel();
        match link.pending.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(pending) => pending.insert(number, sender),
            None => return Err(self.lost()),
        };
        // Whoever stops waiting takes its place in the list along.
        let waiting = Waiting { link: &link, number };
        link.outgoing.send(Outgoing { frame, last: false }).await.map_err(|_| self.lost())?;
        let answer = receiver.await.map_err(|_| self.lost());
        drop(waiting);
        answer
    }
}

impl Stream {
    fn is_open(&self) -> bool {
        !self.outgoing.is_closed() && self.pending.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

struct Waiting<'a> {
    link: &'a Stream,
    number: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(pending) = self.link.pending.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            pending.remove(&self.number);
        }
    }
}

/// Gives answers to those who wait, until the stream ends; then nobody waits any more.
async fn read<S>(address: String, mut body: Incoming, pending: Pending, _sender: S) {
    let mut frames = Frames::default();
    let ended = loop {
        let chunk: Bytes = match body.frame().await {
            None => break "it ended".to_owned(),
            Some(Err(error)) => break error.to_string(),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(chunk) => chunk,
                Err(_) => continue,
            },
        };
        frames.feed(&chunk);
        if let Some(end) = give(&mut frames, &pending) {
            break end;
        }
    };
    tracing::debug!(peer = address, error = ended, "a stream to an owner of lanes ended");
    pending.lock().unwrap_or_else(PoisonError::into_inner).take();
}

/// Gives out the answers that have come whole; says why the stream is to end, if it is.
fn give(frames: &mut Frames, pending: &Pending) -> Option<String> {
    loop {
        match frames.next::<Reply>() {
            Ok(None) => return None,
            Ok(Some(Reply::Answer { number, answer })) => {
                let mut pending = pending.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(waiting) = pending.as_mut().and_then(|pending| pending.remove(&number)) {
                    let _ = waiting.send(answer);
                }
            }
            Ok(Some(Reply::Closing { reason })) => {
                tracing::warn!(error = reason, "an owner of lanes closed the stream");
                return Some(reason);
            }
            Err(fault) => return Some(fault.to_string()),
        }
    }
}
