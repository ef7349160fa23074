//! What can be asked, with the aggregate that it is asked of.

use std::sync::Arc;

use feira_commands::__name__::Input;

/// What can be asked: an input, and the aggregate's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Which one.
    pub id: Arc<str>,
    /// What is asked.
    pub input: Input,
}
