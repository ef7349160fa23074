//! What the specifications of all kinds share: events go through the codec on their way.

use feira_codec::EventSet;
use feira_codec::fixture::wire;
use feira_decider::{Decider, Given, given};

pub fn history<D: Decider<Event: EventSet>>(events: impl IntoIterator<Item = D::Event>) -> Given<D> {
    given::<D>(events).through(wire)
}
