//! The least way to a lane in another process: length and message, one after the other over one TCP connection each way.
//! No names, no secrets, no deadlines, no flow control, nobody else's lanes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use feira_runtime::{Answer, Command, Commands};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Answer>>>>;

/// Answers one connection with what `commands` says.
pub async fn serve(listener: TcpListener, commands: Arc<dyn Commands>) {
    let (read, write) = listener.accept().await.expect("somebody connects").0.into_split();
    let (answered, answers) = mpsc::unbounded_channel();
    tokio::spawn(send(write, answers));
    let mut read = BufReader::with_capacity(64 << 10, read);
    while let Some((id, command)) = receive::<(u64, Command)>(&mut read).await {
        let (commands, answered) = (commands.clone(), answered.clone());
        tokio::spawn(async move {
            let answer = commands.ask(command).await;
            // Who asked may have gone.
            let _ = answered.send((id, answer));
        });
    }
}

/// The other end.
pub struct Wire {
    next: AtomicU64,
    waiting: Waiting,
    asked: mpsc::UnboundedSender<(u64, Command)>,
}

impl Wire {
    /// Connects.
    pub async fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("it is served");
        stream.set_nodelay(true).expect("a connection can be told so");
        let (read, write) = stream.into_split();
        let (asked, to_ask) = mpsc::unbounded_channel();
        let waiting = Waiting::default();
        tokio::spawn(send(write, to_ask));
        tokio::spawn(hear(read, waiting.clone()));
        Self { next: AtomicU64::new(0), waiting, asked }
    }

    /// Asks, and waits for the answer.
    pub async fn ask(&self, command: Command) -> Answer {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        self.asked.send((id, command)).expect("the connection is there");
        answer.await.expect("the connection is there")
    }
}

async fn hear(read: OwnedReadHalf, waiting: Waiting) {
    let mut read = BufReader::with_capacity(64 << 10, read);
    while let Some((id, answer)) = receive::<(u64, Answer)>(&mut read).await {
        let sender = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        // Who asked may have gone.
        let _ = sender.expect("only what was asked is answered").send(answer);
    }
}

/// Writes messages as they come, and lets them go when no more is there.
async fn send<T: Serialize>(write: OwnedWriteHalf, mut messages: mpsc::UnboundedReceiver<T>) {
    let mut write = BufWriter::with_capacity(64 << 10, write);
    while let Some(message) = messages.recv().await {
        let mut next = Some(message);
        while let Some(message) = next {
            let bytes = postcard::to_stdvec(&message).expect("it is texts, numbers and bytes");
            write.write_u32(bytes.len() as u32).await.expect("the connection is there");
            write.write_all(&bytes).await.expect("the connection is there");
            next = messages.try_recv().ok();
        }
        write.flush().await.expect("the connection is there");
    }
}

/// The next message; none once the other end has gone.
async fn receive<T: DeserializeOwned>(read: &mut BufReader<OwnedReadHalf>) -> Option<T> {
    let length = read.read_u32().await.ok()?;
    let mut bytes = vec![0; length as usize];
    read.read_exact(&mut bytes).await.ok()?;
    Some(postcard::from_bytes(&bytes).expect("as it was written"))
}
