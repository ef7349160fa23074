//! The lists that say which services there are, and what a new one adds to each: one place, marked where it is.

use super::name::Name;

/// What marks the place in a list.
const MARK: &str = "The next service goes above";

/// Where an entry goes.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// Above the mark; where a file has several, above the one that names this.
    Mark(&'static str),
    /// Among the public modules, which stand in the order of the alphabet.
    Modules,
}

/// What a new service adds to a list.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The file that holds the list.
    pub file: &'static str,
    /// Where in it.
    pub place: Place,
    /// What is added.
    pub text: &'static str,
}

/// Every list.
pub const ENTRIES: &[Entry] = &[
    Entry {
        file: "Cargo.toml",
        place: Place::Mark("."),
        text: "feira-__name__-domain = { path = \"services/__name__/domain\" }\n\
               feira-__name__-server = { path = \"services/__name__/server\" }\n",
    },
    Entry {
        file: "crates/ids/src/aggregate.rs",
        place: Place::Mark("."),
        text: "Kind { name: \"__name__\", service: \"__name__\" },\n",
    },
    Entry { file: "schemas/events/src/lib.rs", place: Place::Modules, text: "pub mod __name__;\n" },
    Entry { file: "schemas/commands/src/lib.rs", place: Place::Modules, text: "pub mod __name__;\n" },
    Entry {
        file: "schemas/commands/src/operation.rs",
        place: Place::Mark("."),
        text: "Operation { name: \"__name__.set_title\", kind: \"__name__\", roles: KEEPERS, reach: Reach::Tenant },\n",
    },
    Entry { file: "schemas/rows/src/lib.rs", place: Place::Modules, text: "pub mod __name__;\n" },
    Entry { file: "schemas/rows/src/lib.rs", place: Place::Mark(": its tables."), text: "&__name__::__NAME__,\n" },
    Entry {
        file: "schemas/rows/src/lib.rs",
        place: Place::Mark(": its projections."),
        text: "/// What each is called: writes [`__name__::__NAME__`] from the events of __name__.\n\
               pub const __NAME___PROJECTION: ProjectionId = ProjectionId { name: \"__name__\", version: 1 };\n\n",
    },
    Entry {
        file: "schemas/codec/src/sets.rs",
        place: Place::Mark("."),
        text: "event_set!(\"feira.__name__.v1\", feira_events::__name__::Event, [__Name__Titled]);\n",
    },
    Entry {
        file: "schemas/codec/src/released.rs",
        place: Place::Mark("."),
        text: "\"feira.__name__.v1.__Name__Titled.1.avsc\",\n",
    },
    Entry {
        file: "schemas/codec/tests/it/samples.rs",
        place: Place::Mark(": its file."),
        text: "#[path = \"samples/__name__.rs\"]\nmod __name__;\n",
    },
    Entry {
        file: "schemas/codec/tests/it/samples.rs",
        place: Place::Mark(": its events."),
        text: "__Name__: feira_events::__name__::Event [__Name__Titled] of \"__name__:main\";\n",
    },
    Entry {
        file: "schemas/codec/tests/it/samples.rs",
        place: Place::Mark(": its samples."),
        text: "samples.extend(__name__::all().into_iter().map(Sample::__Name__));\n",
    },
    Entry { file: "docs/roles.md", place: Place::Mark("."), text: "| `__name__.set_title` | | | yes | | | yes |\n" },
    Entry {
        file: "services/feira/Cargo.toml",
        place: Place::Mark("."),
        text: "feira-__name__-server.workspace = true\n",
    },
    Entry {
        file: "services/feira/src/services.rs",
        place: Place::Mark("."),
        text: include_str!("templates/known.txt"),
    },
    Entry { file: SETTINGS, place: Place::Mark(": its lanes."), text: "__name__ = 4\n" },
    Entry {
        file: SETTINGS,
        place: Place::Mark(": its section."),
        text: "[__name__]\nlisten = \"127.0.0.1:__port__\"\n\n",
    },
];

/// The settings for one machine, from which tests and scripts learn which services are processes of their own.
pub const SETTINGS: &str = "deploy/local/feira.toml";

impl Entry {
    /// `list` with the entry of the service called `name`.
    ///
    /// # Errors
    /// When the place is not there, or not once; says so.
    pub fn enter(&self, list: &str, name: &Name) -> Result<String, String> {
        let text = name.fill(self.text).replace("__port__", &free_port(list).to_string());
        let at = match self.place {
            Place::Mark(which) => above_mark(list, which)?,
            Place::Modules => first_module(list)?,
        };
        let indent: String = list[at..].chars().take_while(|c| *c == ' ').collect();
        let lines =
            text.split_inclusive('\n').map(|line| if line == "\n" { line.into() } else { indent.clone() + line });
        Ok(format!("{}{}{}", &list[..at], lines.collect::<String>(), &list[at..]))
    }
}

/// Where the line begins that says what goes above it.
fn above_mark(list: &str, which: &str) -> Result<usize, String> {
    let mark = format!("{MARK}{which}");
    let mut found = list.match_indices(&mark).map(|(at, _)| list[..at].rfind('\n').map_or(0, |end| end + 1));
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(at),
        (None, _) => Err(format!("no line says {mark:?}")),
        (Some(_), Some(_)) => Err(format!("more than one line says {mark:?}")),
    }
}

fn first_module(list: &str) -> Result<usize, String> {
    let at = list.find("\npub mod ").ok_or("it has no public modules")?;
    Ok(at + 1)
}

/// The port after the last that a service listens on in `settings`.
fn free_port(settings: &str) -> u16 {
    let ports = settings.lines().filter_map(|line| line.strip_prefix("listen = \"127.0.0.1:")?.strip_suffix('"'));
    // Clients are answered elsewhere, at a port that everyone knows.
    let ports = ports.filter_map(|port| port.parse::<u16>().ok()).filter(|port| (7_100..8_000).contains(port));
    ports.max().map_or(7_101, |port| port + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> Name {
        Name::parse("loyalty").unwrap()
    }

    #[test]
    fn an_entry_goes_above_its_mark_as_deep_as_it() {
        let entry = Entry { file: "a.rs", place: Place::Mark(": its b."), text: "__name__,\n\n__NAME__,\n" };
        let list = "[\n    a,\n    // The next service goes above: its b.\n]\n// The next service goes above: its c.\n";
        let entered = entry.enter(list, &name()).unwrap();
        assert!(entered.starts_with("[\n    a,\n    loyalty,\n\n    LOYALTY,\n    // The next"), "{entered}");
    }

    #[test]
    fn a_mark_that_is_missing_or_there_twice_is_said() {
        let entry = Entry { file: "a.rs", place: Place::Mark("."), text: "" };
        assert!(entry.enter("a\n", &name()).unwrap_err().contains("no line says"));
        let twice = "# The next service goes above.\n".repeat(2);
        assert!(entry.enter(&twice, &name()).unwrap_err().contains("more than one"));
    }

    #[test]
    fn a_service_listens_where_no_other_does() {
        let list = "[cart]\nlisten = \"127.0.0.1:7105\"\n\n# The next service goes above: its section.\n\n[gateway]\nlisten = \"127.0.0.1:8080\"\n";
        let entry = ENTRIES.iter().find(|entry| matches!(entry.place, Place::Mark(": its section."))).unwrap();
        assert!(entry.enter(list, &name()).unwrap().contains("[loyalty]\nlisten = \"127.0.0.1:7106\"\n\n# The"));
    }
}
