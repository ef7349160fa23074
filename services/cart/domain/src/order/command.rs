//! What can be asked of an order. It needs no facts: all that it must know it is told by what happened.

pub use feira_commands::order::Input as Command;
