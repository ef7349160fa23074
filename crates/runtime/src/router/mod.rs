//! The way of a command to the owner of its lane: in this process, or over the network.
//!
//! Whatever was not decided is asked again with the same id until the command's deadline; the owner decides an id once.

mod attempts;
mod local;
mod remote;

pub use local::LocalCommands;
pub use remote::RemoteCommands;
