//! What was asked and what was answered: the history as a client saw it.

use std::fmt;

/// A command's id as it stands in the log: 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub [u8; 16]);

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&const_hex::encode(self.0))
    }
}

/// One command, however often it was sent.
#[derive(Clone, Debug)]
pub struct Op {
    /// Its id.
    pub id: Id,
    /// The aggregate it was for.
    pub cart: String,
    /// When it was first sent, in microseconds of the run.
    pub began: u64,
    /// Every answer that stood. None: its outcome is unknown.
    pub answers: Vec<Answer>,
}

/// An answer that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When it came, in microseconds of the run.
    pub at: u64,
    /// Where it said that the command's last record is.
    pub lane: u32,
    /// Its place there.
    pub seq: i64,
    /// The cart's version that came with it; none when the command was refused.
    pub version: Option<i64>,
    /// Whether the command was refused.
    pub refused: bool,
    /// Whether it said that the command had been decided before.
    pub repeated: bool,
}

impl Op {
    /// When it was first known to have been decided.
    pub fn ended(&self) -> Option<u64> {
        self.answers.iter().map(|answer| answer.at).min()
    }
}
