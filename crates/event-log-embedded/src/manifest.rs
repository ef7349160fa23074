//! The list of what a log holds: its id, and the services whose lanes it has, in the order that batches number them.
//!
//! Services are added and never removed; the number of a service's lanes is fixed when it is added, since a key's lane
//! follows from it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use feira_event_log::LogError;
use feira_ids::{Hash16, ServiceName};

use crate::disk::{RESTORE, damaged, failed, sync_folder};
use crate::format::LogId;

const FIRST_LINE: &str = "feira event log 1";

/// What the manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The log's name.
    pub id: LogId,
    /// Services by number, each with its lanes.
    pub services: Vec<(ServiceName, u32)>,
}

impl Manifest {
    /// A log that is new: its id is drawn.
    pub fn new() -> io::Result<Self> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(io::Error::other)?;
        Ok(Self { id: LogId(id), services: Vec::new() })
    }

    /// The manifest in `folder`, if there is one.
    pub fn read(folder: &Path) -> Result<Option<Self>, LogError> {
        let path = path(folder);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path)(error)),
        };
        match std::str::from_utf8(&text).ok().and_then(parse) {
            Some(manifest) => Ok(Some(manifest)),
            None => Err(damaged(&path, 0, format!("it is not as it was written; {RESTORE}"))),
        }
    }

    /// Puts the manifest in place of the former one; durable when this returns.
    pub fn write(&self, folder: &Path) -> Result<(), LogError> {
        let (path, new) = (path(folder), folder.join("manifest.new"));
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(self.text().as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            sync_folder(folder)
        };
        write().map_err(failed("write", &path))
    }

    /// Enters the services that are not there yet; says whether any was.
    pub fn add(&mut self, services: &[(ServiceName, u32)]) -> bool {
        let before = self.services.len();
        for (service, lanes) in services {
            match self.services.iter().find(|(known, _)| known == service) {
                None => self.services.push((service.clone(), *lanes)),
                Some((_, made)) if made == lanes => {}
                Some((_, made)) => tracing::warn!(
                    "{service} keeps the {made} lanes its log was made with; to have {lanes}, start with a new folder"
                ),
            }
        }
        self.services.len() > before
    }

    fn text(&self) -> String {
        let mut text = format!("{FIRST_LINE}\nid {}\n", Hash16(self.id.0));
        for (service, lanes) in &self.services {
            text.push_str(&format!("service {service} {lanes}\n"));
        }
        let crc = crc32c::crc32c(text.as_bytes());
        text.push_str(&format!("crc {crc:08x}\n"));
        text
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("manifest")
}

fn parse(text: &str) -> Option<Manifest> {
    let mut lines = text.lines();
    (lines.next()? == FIRST_LINE).then_some(())?;
    let id = Hash16::from_hex(lines.next()?.strip_prefix("id ")?).ok()?;
    let mut manifest = Manifest { id: LogId(id.0), services: Vec::new() };
    for line in lines {
        if let Some(service) = line.strip_prefix("service ") {
            let (name, lanes) = service.split_once(' ')?;
            let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase());
            named.then_some(())?;
            manifest.services.push((ServiceName::new(name), lanes.parse().ok()?));
        }
    }
    // The text made anew holds the checksum: nothing that differs anywhere passes.
    (manifest.text() == text).then_some(manifest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example() -> Manifest {
        let services = vec![(ServiceName::new("cart"), 4), (ServiceName::new("catalog"), 2)];
        Manifest { id: LogId([3; 16]), services }
    }

    #[test]
    fn a_manifest_reads_back_as_written() {
        assert_eq!(parse(&example().text()), Some(example()));
    }

    #[test]
    fn no_byte_of_a_manifest_can_change_unseen() {
        let text = example().text();
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            assert_eq!(std::str::from_utf8(&changed).ok().and_then(parse), None, "byte {at}");
            assert_eq!(parse(&text[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn a_service_keeps_its_number_and_its_lanes() {
        let mut manifest = example();
        assert!(!manifest.add(&[(ServiceName::new("catalog"), 8)]));
        assert!(manifest.add(&[(ServiceName::new("billing"), 1), (ServiceName::new("cart"), 4)]));
        assert_eq!(manifest.services[..2], example().services);
        assert_eq!(manifest.services[2], (ServiceName::new("billing"), 1));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,80}") {
            prop_assert_eq!(parse(&text), None);
        }
    }
}
