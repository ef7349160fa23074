//! What can be asked of a shard.

pub use feira_commands::payments::Input;

/// What can be asked of a shard: an input, and which shard it is asked of. There are no facts: all that a shard must know
/// it holds itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The shard's number.
    pub shard: u32,
    /// What is asked.
    pub input: Input,
}
