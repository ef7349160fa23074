//! Which package may be built with which: the arrows of the layout, and where code belongs that wants another one.
//!
//! Only arrows between our own packages are judged, except for domains, which are told every package they may use.

use crate::workspace::{Finding, Package};

/// What a domain may be built with, ours or not.
const DOMAIN: [&str; 11] = [
    "feira-decider",
    "feira-money",
    "feira-ids",
    "feira-calendar",
    "feira-events",
    "feira-commands",
    // Nothing, but for the run that takes a protection out of the platform.
    "feira-mutants",
    "serde",
    "thiserror",
    "sha2",
    "const-hex",
];

/// What a server may be built with, beside its own domain.
const SERVER: [&str; 11] = [
    "feira-runtime",
    "feira-events",
    "feira-commands",
    "feira-codec",
    "feira-rows",
    "feira-money",
    "feira-ids",
    "feira-calendar",
    "feira-decider",
    "feira-projection-store",
    "feira-sealing",
];

/// The two homes: what the one binary chooses between and nobody else knows.
const HOMES: [&str; 4] = [
    "feira-event-log-embedded",
    "feira-event-log-kafka",
    "feira-projection-store-embedded",
    "feira-projection-store-cql",
];

/// What the shared packages may be built with. One that is not listed may use none of ours.
const SHARED: [(&str, &[&str]); 19] = [
    ("feira-money", &[]),
    ("feira-ids", &[]),
    ("feira-calendar", &[]),
    ("feira-mutants", &[]),
    // A process reacts to an event with its envelope.
    ("feira-decider", &["feira-events", "feira-ids"]),
    ("feira-event-log", &["feira-events", "feira-ids"]),
    ("feira-event-log-embedded", &["feira-event-log", "feira-events", "feira-ids"]),
    ("feira-event-log-kafka", &["feira-event-log", "feira-events", "feira-ids"]),
    ("feira-projection-store", &[]),
    ("feira-projection-store-embedded", &["feira-projection-store"]),
    // The keys are in the same database, in a keyspace of their own.
    ("feira-projection-store-cql", &["feira-projection-store", "feira-sealing"]),
    ("feira-sealing", &["feira-events", "feira-ids"]),
    (
        "feira-runtime",
        // It asks the table of operations who may do what, keeps timers in rows and reads clocks from them; its suite
        // for lanes speaks of carts, amounts included.
        &[
            "feira-codec",
            "feira-commands",
            "feira-decider",
            "feira-event-log",
            "feira-events",
            "feira-ids",
            "feira-money",
            "feira-mutants",
            "feira-projection-store",
            "feira-rows",
            "feira-sealing",
        ],
    ),
    (
        "feira-verify",
        // It judges what every service wrote, by their events and by whatever projections it is given.
        &[
            "feira-codec",
            "feira-event-log",
            "feira-events",
            "feira-ids",
            "feira-money",
            "feira-projection-store",
            "feira-runtime",
        ],
    ),
    (
        "feira-simulation",
        // The whole platform, as the binary has it, but for the homes: its log and store are simulated.
        &[
            "feira-billing-server",
            "feira-cart-server",
            "feira-catalog-server",
            "feira-conversation-server",
            "feira-payments-server",
            "feira-codec",
            "feira-commands",
            "feira-event-log",
            "feira-events",
            "feira-ids",
            "feira-money",
            "feira-mutants",
            "feira-projection-store",
            "feira-rows",
            "feira-runtime",
            "feira-verify",
        ],
    ),
    ("feira-events", &["feira-ids", "feira-money"]),
    ("feira-codec", &["feira-events", "feira-ids", "feira-money"]),
    ("feira-commands", &["feira-events", "feira-ids", "feira-money"]),
    // As many edits are kept in rows as can be taken back.
    ("feira-rows", &["feira-commands", "feira-events", "feira-ids", "feira-money", "feira-projection-store"]),
];

/// What only tests may use in addition.
const TESTS_OF_DOMAINS: [&str; 3] = ["feira-codec", "proptest", "serde_json"];

/// Where a package stands in the layout.
enum Place<'a> {
    Domain,
    Server { service: &'a str },
    Gateway,
    Binary,
    Shared,
    Tool,
}

fn place(package: &Package) -> Option<Place<'_>> {
    let parts: Vec<_> = package.folder.split('/').collect();
    match parts.as_slice() {
        ["services", "gateway"] => Some(Place::Gateway),
        ["services", "feira"] => Some(Place::Binary),
        ["services", _, "domain"] => Some(Place::Domain),
        ["services", service, "server"] => Some(Place::Server { service }),
        ["crates" | "schemas", _] => Some(Place::Shared),
        ["xtask" | "load-tests"] => Some(Place::Tool),
        _ => None,
    }
}

/// The arrows that the layout does not have.
pub fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(of).collect()
}

fn of(package: &Package) -> Vec<Finding> {
    let manifest = format!("{}/Cargo.toml", package.folder);
    let Some(place) = place(package) else {
        let what = "no such place in the layout: a service is services/<name>/domain and services/<name>/server, \
                    what several share is crates/<name>, what they agree on is schemas/<name>";
        return vec![Finding::new(&manifest, what)];
    };
    let mut findings = vec![];
    for need in &package.needs {
        findings.extend(refusal(package, &place, need).map(|why| Finding::new(&manifest, why)));
    }
    for need in &package.tests_need {
        let allowed = match place {
            Place::Domain => TESTS_OF_DOMAINS.contains(&need.as_str()),
            // What is proved of a package may take others of ours, as long as the program itself knows only its own.
            Place::Server { .. } | Place::Gateway | Place::Shared => !is_service(need),
            Place::Binary | Place::Tool => false,
        };
        if !allowed {
            findings
                .extend(refusal(package, &place, need).map(|why| Finding::new(&manifest, format!("{why} (tests)"))));
        }
    }
    findings
}

/// Whether a package belongs to a service: other services meet it only in `schemas`.
fn is_service(name: &str) -> bool {
    name == "feira-gateway" || name == "feira" || name.ends_with("-domain") || name.ends_with("-server")
}

/// Why `package` may not be built with `need`, and where the code belongs instead.
fn refusal(package: &Package, place: &Place<'_>, need: &str) -> Option<String> {
    if matches!(place, Place::Domain) {
        return (!DOMAIN.contains(&need)).then(|| {
            format!(
                "a domain is not built with `{need}`, only with {}: what needs it belongs in the server beside it, \
                 and its result comes in with the command",
                DOMAIN.join(", ")
            )
        });
    }
    if need != "feira" && !need.starts_with("feira-") {
        return None;
    }
    if HOMES.contains(&need) && !matches!(place, Place::Binary) {
        return Some(format!("`{need}` is a home, which only services/feira chooses: use the trait it fulfils"));
    }
    match place {
        Place::Server { service } => {
            let own = format!("feira-{service}-domain");
            if need == own || SERVER.contains(&need) {
                None
            } else if is_service(need) {
                Some(format!("a service does not use another (`{need}`): what both must know belongs in schemas/"))
            } else {
                Some(format!("a server is not built with `{need}`, only with {own}, {}", SERVER.join(", ")))
            }
        }
        Place::Gateway => {
            if is_service(need) {
                return Some(format!("the gateway does not use a service (`{need}`): they meet in schemas/"));
            }
            // What happens is told to who listens as it stands on the log.
            let known = SERVER.contains(&need) || need == "feira-event-log";
            (!known).then(|| format!("the gateway is not built with `{need}`, only with {}", SERVER.join(", ")))
        }
        Place::Binary => need.ends_with("-domain").then(|| {
            format!("the binary takes a service as its server offers it: what it wants of `{need}` belongs there")
        }),
        Place::Shared => {
            let listed = SHARED.iter().find(|(name, _)| *name == package.name).map_or(&[][..], |(_, needs)| needs);
            (!listed.contains(&need)).then(|| {
                format!(
                    "`{}` is not built with `{need}`: code that needs both belongs in the one that stands above, or \
                     the arrow belongs in the table of shared packages in xtask/src/tidy/arrows.rs with its reason",
                    package.name
                )
            })
        }
        Place::Tool => Some(format!("a tool looks at the project from outside: it is not built with `{need}`")),
        Place::Domain => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(folder: &str, name: &str, needs: &[&str], tests_need: &[&str]) -> Vec<Finding> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        check(&[Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            needs: owned(needs),
            tests_need: owned(tests_need),
            benches: vec![],
        }])
    }

    #[test]
    fn a_domain_is_built_with_nothing_that_reaches_outside() {
        let of = |needs: &[&str], tests: &[&str]| findings("services/cart/domain", "feira-cart-domain", needs, tests);
        assert_eq!(of(&["feira-decider", "feira-commands", "serde"], &["proptest", "feira-codec"]), []);
        for need in ["tokio", "rand", "feira-runtime", "feira-codec", "feira-catalog-domain", "feira-sealing"] {
            assert_eq!(of(&[need], &[]).len(), 1, "{need}");
        }
        assert_eq!(of(&[], &["tokio"]).len(), 1);
    }

    #[test]
    fn a_refusal_says_where_the_code_belongs() {
        let found = findings("services/cart/server", "feira-cart-server", &["feira-catalog-domain"], &[]);
        assert_eq!(found[0].place, "services/cart/server/Cargo.toml");
        assert!(found[0].what.contains("belongs in schemas/"), "{}", found[0]);
    }

    #[test]
    fn a_server_knows_its_own_domain_and_no_home() {
        let of = |need: &str| findings("services/cart/server", "feira-cart-server", &[need], &[]).len();
        assert_eq!((of("feira-cart-domain"), of("feira-runtime"), of("axum")), (0, 0, 0));
        for need in ["feira-catalog-domain", "feira-catalog-server", "feira-gateway", "feira-event-log-kafka"] {
            assert_eq!(of(need), 1, "{need}");
        }
        assert_eq!(of("feira-event-log"), 1, "a server speaks with the runtime, not with the log");
    }

    #[test]
    fn the_gateway_knows_no_service() {
        let of = |need: &str| findings("services/gateway", "feira-gateway", &[need], &[]).len();
        assert_eq!((of("feira-rows"), of("feira-runtime")), (0, 0));
        assert_eq!((of("feira-cart-server"), of("feira-cart-domain"), of("feira-projection-store-cql")), (1, 1, 1));
    }

    #[test]
    fn the_runtime_knows_only_traits() {
        let of = |need: &str| findings("crates/runtime", "feira-runtime", &[need], &[]).len();
        assert_eq!((of("feira-event-log"), of("feira-projection-store"), of("tokio")), (0, 0, 0));
        for need in HOMES.iter().chain(&["feira-cart-domain", "feira-calendar"]) {
            assert_eq!(of(need), 1, "{need}");
        }
    }

    #[test]
    fn only_the_binary_picks_the_home() {
        for need in HOMES {
            assert_eq!(findings("services/feira", "feira", &[need], &[]), []);
            assert_eq!(findings("crates/sealing", "feira-sealing", &[need], &[]).len(), 1);
        }
        assert_eq!(findings("services/feira", "feira", &["feira-cart-domain"], &[]).len(), 1);
    }

    #[test]
    fn a_package_in_no_place_is_refused() {
        assert_eq!(findings("services/cart/helpers", "feira-cart-helpers", &[], &[]).len(), 1);
        assert_eq!(findings("lib", "feira-lib", &[], &[]).len(), 1);
    }

    #[test]
    fn a_new_shared_package_starts_with_no_arrows() {
        assert_eq!(findings("crates/search", "feira-search", &["serde"], &[]), []);
        assert_eq!(findings("crates/search", "feira-search", &["feira-ids"], &[]).len(), 1);
    }
}
