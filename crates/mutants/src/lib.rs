//! Mutants: the platform with one of its protections taken out, so that the simulation can show that it would be missed.
//!
//! A protection that nothing misses when it is gone is one that nobody tests. Each mutant takes out one, where it stands
//! in the program, and nothing else. Only the run that looks for them is built with the feature `mutants`: everywhere
//! else [`is`] is a constant, and what it guards is not compiled.

use std::fmt;

/// A protection that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// A take leaves the former owner able to append.
    NoFence,
    /// A lane is taken without proof that it is assigned.
    TakeWithoutProof,
    /// A refusal is answered from a batch that leaves nothing on the log.
    RefusalWithoutRecord,
    /// A new owner reads to the last stable offset, not to the high watermark.
    RecoveryToLastStable,
    /// Answers go out before the batch stands.
    AnswerBeforeCommit,
    /// A process that begins anew does not know which commands were decided.
    NoDedupeAfterRestart,
    /// A process manager takes a new id each time it asks.
    RandomIds,
    /// A shard takes a transfer in as often as it is asked.
    CreditTwice,
    /// What a shard declines leaves no trace in it.
    NoTombstone,
    /// The payer's shard gives the money back by its own clock.
    PayerVoids,
    /// Snapshots are written before the batch stands.
    SnapshotAhead,
    /// A checkpoint is written before its rows.
    CheckpointFirst,
    /// A reservation of stock does not end with its time.
    NoExpiry,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::NoFence,
        Self::TakeWithoutProof,
        Self::RefusalWithoutRecord,
        Self::RecoveryToLastStable,
        Self::AnswerBeforeCommit,
        Self::NoDedupeAfterRestart,
        Self::RandomIds,
        Self::CreditTwice,
        Self::NoTombstone,
        Self::PayerVoids,
        Self::SnapshotAhead,
        Self::CheckpointFirst,
        Self::NoExpiry,
    ];

    /// Its name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoFence => "no-fence",
            Self::TakeWithoutProof => "take-without-proof",
            Self::RefusalWithoutRecord => "refusal-without-record",
            Self::RecoveryToLastStable => "recovery-to-last-stable",
            Self::AnswerBeforeCommit => "answer-before-commit",
            Self::NoDedupeAfterRestart => "no-dedupe-after-restart",
            Self::RandomIds => "random-ids",
            Self::CreditTwice => "credit-twice",
            Self::NoTombstone => "no-tombstone",
            Self::PayerVoids => "payer-voids",
            Self::SnapshotAhead => "snapshot-ahead",
            Self::CheckpointFirst => "checkpoint-first",
            Self::NoExpiry => "no-expiry",
        }
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whether this program is `mutant`.
#[cfg(not(feature = "mutants"))]
pub const fn is(_mutant: Mutant) -> bool {
    false
}

#[cfg(feature = "mutants")]
pub use chosen::{choose, is};

#[cfg(feature = "mutants")]
mod chosen {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Mutant;

    /// None of them.
    const NONE: u8 = u8::MAX;

    static CHOSEN: AtomicU8 = AtomicU8::new(NONE);

    /// Whether this program is `mutant`.
    pub fn is(mutant: Mutant) -> bool {
        CHOSEN.load(Ordering::SeqCst) == mutant as u8
    }

    /// Makes this program `mutant`, or what it should be.
    pub fn choose(mutant: Option<Mutant>) {
        CHOSEN.store(mutant.map_or(NONE, |mutant| mutant as u8), Ordering::SeqCst);
    }
}
