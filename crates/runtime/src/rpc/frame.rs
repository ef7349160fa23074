//! Frames: four bytes of length, then a message. What is too long or does not read ends the stream it came by.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::Stream;
use futures::stream::unfold;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{Answer, Command};

/// The longest frame, in bytes, its length left out.
pub(crate) const FRAME_BYTES_MAX: usize = 1 << 20;
/// How much is written at once.
const WRITE_BYTES: usize = 64 << 10;

/// From the one who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ask {
    /// Told again with the answer.
    pub number: u64,
    /// How long the asker still waits, in milliseconds: clocks of two machines differ.
    pub budget_ms: u32,
    /// What is asked.
    pub command: Command,
    /// That the principal is the one it says.
    pub proof: [u8; 32],
}

/// To the one who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// To one of the commands.
    Answer {
        /// Which.
        number: u64,
        /// The owner's answer.
        answer: Answer,
    },
    /// Nothing more will be answered here.
    Closing {
        /// Why.
        reason: String,
    },
}

/// What is wrong with what came in, or was to go out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameFault {
    /// Its length says so.
    #[error("a frame of {bytes} bytes; at most {FRAME_BYTES_MAX} are allowed")]
    TooLong { bytes: usize },
    /// It is no message.
    #[error("a frame that does not read")]
    Unreadable(#[source] postcard::Error),
    /// More than a message.
    #[error("{bytes} bytes after the end of a message")]
    Trailing { bytes: usize },
}

/// Writes a message as a frame.
pub(crate) fn encode(message: &impl Serialize) -> Result<Bytes, FrameFault> {
    let mut frame = postcard::to_extend(message, vec![0; 4]).map_err(FrameFault::Unreadable)?;
    let bytes = frame.len() - 4;
    if bytes > FRAME_BYTES_MAX {
        return Err(FrameFault::TooLong { bytes });
    }
    frame[..4].copy_from_slice(&(bytes as u32).to_be_bytes());
    Ok(frame.into())
}

/// Cuts what comes in into messages.
#[derive(Default)]
pub(crate) struct Frames(BytesMut);

impl Frames {
    /// More has come.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next whole message.
    pub fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameFault> {
        let Some(head) = self.0.first_chunk::<4>() else { return Ok(None) };
        let bytes = u32::from_be_bytes(*head) as usize;
        if bytes > FRAME_BYTES_MAX {
            return Err(FrameFault::TooLong { bytes });
        }
        if self.0.len() < 4 + bytes {
            return Ok(None);
        }
        self.0.advance(4);
        let frame = self.0.split_to(bytes);
        let (message, rest) = postcard::take_from_bytes(&frame).map_err(FrameFault::Unreadable)?;
        if rest.is_empty() { Ok(Some(message)) } else { Err(FrameFault::Trailing { bytes: rest.len() }) }
    }
}

/// A frame on its way out, and whether it is the last one.
pub(crate) struct Outgoing {
    pub frame: Bytes,
    pub last: bool,
}

/// What is sent, as chunks: whatever has gathered goes out together.
pub(crate) fn chunks(receiver: mpsc::Receiver<Outgoing>) -> impl Stream<Item = Bytes> + Send + 'static {
    unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        let Outgoing { frame, mut last } = receiver.recv().await?;
        // Most chunks are one frame: it goes out as it is.
        let Ok(mut next) = receiver.try_recv() else {
            return Some((frame, (!last).then_some(receiver)));
        };
        let mut chunk = BytesMut::with_capacity(WRITE_BYTES);
        chunk.put(frame);
        loop {
            chunk.put(next.frame);
            last |= next.last;
            if last || chunk.len() >= WRITE_BYTES {
                break;
            }
            match receiver.try_recv() {
                Ok(more) => next = more,
                Err(_) => break,
            }
        }
        Some((chunk.freeze(), (!last).then_some(receiver)))
    })
}

#[cfg(test)]
mod tests {
    use feira_commands::cart::Input;
    use proptest::prelude::*;

    use super::*;
    use crate::suite::command;

    fn ask(number: u64) -> Ask {
        let mut command = command("BR.1", Input::AddItem { sku: "चाय".into(), quantity: 2 }, "k1");
        command.deadline_ms = 1;
        Ask { number, budget_ms: 10, command, proof: [9; 32] }
    }

    #[test]
    fn messages_come_out_as_they_went_in_however_they_are_cut() {
        let stream: Vec<u8> = (0..5).flat_map(|number| encode(&ask(number)).unwrap()).collect();
        for size in [1, 3, 4, 7, 100, stream.len()] {
            let (mut frames, mut numbers) = (Frames::default(), Vec::new());
            for chunk in stream.chunks(size) {
                frames.feed(chunk);
                while let Some(found) = frames.next::<Ask>().unwrap() {
                    assert_eq!(found, ask(found.number));
                    numbers.push(found.number);
                }
            }
            assert_eq!(numbers, [0, 1, 2, 3, 4]);
        }
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_before_it_has_come() {
        let mut frames = Frames::default();
        frames.feed(&(FRAME_BYTES_MAX as u32 + 1).to_be_bytes());
        assert!(matches!(frames.next::<Ask>(), Err(FrameFault::TooLong { .. })));
        let mut long = ask(1);
        long.command.input = vec![b'x'; FRAME_BYTES_MAX].into();
        assert!(matches!(encode(&long), Err(FrameFault::TooLong { .. })));
    }

    #[test]
    fn what_follows_a_message_in_its_frame_is_refused() {
        let mut frame = encode(&ask(1)).unwrap().to_vec();
        frame.push(0);
        let bytes = frame.len() as u32 - 4;
        frame[..4].copy_from_slice(&bytes.to_be_bytes());
        let mut frames = Frames::default();
        frames.feed(&frame);
        assert!(matches!(frames.next::<Ask>(), Err(FrameFault::Trailing { bytes: 1 })));
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_fail_otherwise_than_typed(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut frames = Frames::default();
            frames.feed(&bytes);
            while let Ok(Some(_)) = frames.next::<Ask>() {}
            let mut framed = (bytes.len() as u32).to_be_bytes().to_vec();
            framed.extend_from_slice(&bytes);
            let mut frames = Frames::default();
            frames.feed(&framed);
            let _ = frames.next::<Ask>();
            let mut frames = Frames::default();
            frames.feed(&framed);
            let _ = frames.next::<Reply>();
        }

        #[test]
        fn no_flip_makes_reading_fail_otherwise_than_typed(place in any::<prop::sample::Index>(), flip in 1u8..) {
            let mut bytes = encode(&ask(1)).unwrap().to_vec();
            let place = place.index(bytes.len());
            bytes[place] ^= flip;
            let mut frames = Frames::default();
            frames.feed(&bytes);
            let _ = frames.next::<Ask>();
        }
    }
}
