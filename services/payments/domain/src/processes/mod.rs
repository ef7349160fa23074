//! What follows between shards.

mod transfers;

pub use transfers::TransferProcess;

/// What follows from an event at once, for who carries it by hand.
#[cfg(test)]
pub(crate) fn asks(
    meta: &feira_events::Meta,
    event: &feira_events::payments::Event,
) -> Vec<feira_commands::payments::Input> {
    use feira_decider::{Do, Process};
    let now = TransferProcess::react(meta, event).into_iter().filter_map(|one| match one {
        Do::Ask(ask) => Some(ask),
        Do::At { .. } | Do::Forget { .. } => None,
    });
    now.map(|ask| test_input(&ask.input)).collect()
}

#[cfg(test)]
fn test_input(json: &str) -> feira_commands::payments::Input {
    serde_json::from_str(json).expect("what a process asks reads back")
}
