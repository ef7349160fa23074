//! A process manager without its types, so that one host runs several.

use std::marker::PhantomData;
use std::sync::Arc;

use feira_codec::{CodecError, Opened};
use feira_decider::{Do, Process};
use feira_ids::ServiceName;

/// What the host needs of a process.
pub trait ProcessManager: Send + Sync + 'static {
    /// Its name, once among all processes.
    fn name(&self) -> &'static str;

    /// The services whose events it follows, every lane of each.
    fn sources(&self) -> Vec<ServiceName>;

    /// What is to be done about a record; nothing for those that do not concern it.
    ///
    /// # Errors
    /// When the record cannot be read; the process stays before it until it can.
    fn react(&self, record: &Opened) -> Result<Vec<Do>, CodecError>;
}

/// The process `P`, following `sources`. `decode` makes its event of a record, or nothing where the record does not
/// concern it: [`Opened::event`] where it follows one set of events.
pub fn process<P: Process>(
    sources: &[&str],
    decode: impl Fn(&Opened) -> Result<Option<P::Event>, CodecError> + Send + Sync + 'static,
) -> Arc<dyn ProcessManager> {
    let sources = sources.iter().map(|name| ServiceName::new(name)).collect();
    Arc::new(ProcessOf::<P, _> { sources, decode, process: PhantomData })
}

struct ProcessOf<P, D> {
    sources: Vec<ServiceName>,
    decode: D,
    process: PhantomData<fn() -> P>,
}

impl<P, D> ProcessManager for ProcessOf<P, D>
where
    P: Process,
    D: Fn(&Opened) -> Result<Option<P::Event>, CodecError> + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn sources(&self) -> Vec<ServiceName> {
        self.sources.clone()
    }

    fn react(&self, record: &Opened) -> Result<Vec<Do>, CodecError> {
        let event = (self.decode)(record)?;
        Ok(event.map_or_else(Vec::new, |event| P::react(&record.meta, &event)))
    }
}
