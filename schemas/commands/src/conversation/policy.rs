//! Window policies: until when a business may write, and which messages are charged.
//!
//! A policy is a named version: its figures and rules are tables beside this crate, each line with its source and date,
//! and never change under the same name. Every message carries the policy that classed it. The owner of a thread and
//! whoever wants to know beforehand ask the same function.

use std::sync::LazyLock;

use feira_events::conversation::{Category, Class, ClassReason, Windows};

const WINDOWS: &str = include_str!("../../data/conversation-windows.tsv");
const CLASSES: &str = include_str!("../../data/conversation-classes.tsv");

/// The policy by which messages are classed where nothing else is chosen.
pub const DEFAULT_POLICY: &str = "feira-1";

/// One version of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name, for ever.
    pub name: &'static str,
    /// How long a customer's message lets the business write freely, in milliseconds.
    pub window_ms: i64,
    /// How long the business has to answer a customer whom an ad brought, in milliseconds.
    pub entry_answer_ms: i64,
    /// How long everything is free after that answer, in milliseconds.
    pub entry_ms: i64,
    rules: Vec<Rule>,
}

/// What one line of the table of classes says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule {
    category: Category,
    in_window: bool,
    in_entry: bool,
    /// None refuses.
    verdict: Option<Verdict>,
}

/// What a message would be, or is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether its delivery is charged.
    pub class: Class,
    /// Why.
    pub reason: ClassReason,
}

static POLICIES: LazyLock<Vec<Policy>> =
    LazyLock::new(|| read(WINDOWS, CLASSES).expect("the tables beside this crate are read by a test"));

/// The policy called `name`.
pub fn policy(name: &str) -> Option<&'static Policy> {
    POLICIES.iter().find(|policy| policy.name == name)
}

/// The policy called [`DEFAULT_POLICY`].
pub fn default_policy() -> &'static Policy {
    policy(DEFAULT_POLICY).expect("a test finds it in the tables")
}

impl Policy {
    /// What a message of `category` is when it is sent at `at`; none when it may not be sent.
    pub fn class(&self, windows: &Windows, category: Category, at: i64) -> Option<Verdict> {
        let windows = self.after_sending(windows, at);
        let in_window = windows.window_until.is_some_and(|until| at < until);
        let in_entry = windows.entry_until.is_some_and(|until| at < until);
        let rule = |rule: &&Rule| (rule.category, rule.in_window, rule.in_entry) == (category, in_window, in_entry);
        self.rules.iter().find(rule)?.verdict
    }

    /// The windows after a message that the customer sent at `sent_at`; `referred` says whether an ad brought it.
    ///
    /// A message that comes late counts from its own time, and never shortens what is open.
    pub fn after_receiving(&self, windows: &Windows, sent_at: i64, referred: bool) -> Windows {
        let first = windows.window_until.is_none_or(|until| until <= sent_at);
        let until = sent_at.saturating_add(self.window_ms);
        let pending = (first && referred).then(|| sent_at.saturating_add(self.entry_answer_ms));
        Windows {
            window_until: windows.window_until.max(Some(until)),
            entry_pending_until: windows.entry_pending_until.max(pending),
            entry_until: windows.entry_until,
        }
    }

    /// The windows after a message that the business sent at `at`: the first in time opens the free entry point.
    pub fn after_sending(&self, windows: &Windows, at: i64) -> Windows {
        match windows.entry_pending_until {
            Some(until) if at <= until => {
                let opened = Some(at.saturating_add(self.entry_ms));
                Windows { entry_pending_until: None, entry_until: windows.entry_until.max(opened), ..*windows }
            }
            Some(_) | None => *windows,
        }
    }
}

/// Reads the two tables; says what is wrong with them.
fn read(windows: &'static str, classes: &'static str) -> Result<Vec<Policy>, String> {
    let mut policies: Vec<Policy> = vec![];
    for line in windows.lines().skip(1) {
        let [name, window, hours, _source, _as_of] = cells(line)?;
        let hours: i64 = hours.parse().map_err(|_| format!("not a number of hours: {line}"))?;
        let ms = hours.checked_mul(60 * 60 * 1_000).ok_or_else(|| format!("too long: {line}"))?;
        if !policies.iter().any(|policy| policy.name == name) {
            policies.push(Policy { name, window_ms: 0, entry_answer_ms: 0, entry_ms: 0, rules: vec![] });
        }
        let policy = policies.iter_mut().find(|policy| policy.name == name);
        let policy = policy.ok_or_else(|| format!("no policy: {line}"))?;
        *match window {
            "service" => &mut policy.window_ms,
            "entry_answer" => &mut policy.entry_answer_ms,
            "entry" => &mut policy.entry_ms,
            _ => return Err(format!("no such window: {line}")),
        } = ms;
    }
    for line in classes.lines().skip(1) {
        let [name, category, in_window, in_entry, answer, reason, _source, _as_of] = cells(line)?;
        let policy = policies.iter_mut().find(|policy| policy.name == name);
        let policy = policy.ok_or_else(|| format!("a policy without windows: {line}"))?;
        let verdict = match (answer, reason) {
            ("FREE", "IN_WINDOW") => Some(Verdict { class: Class::Free, reason: ClassReason::InWindow }),
            ("FREE", "ENTRY") => Some(Verdict { class: Class::Free, reason: ClassReason::Entry }),
            ("CHARGE", "TEMPLATE") => Some(Verdict { class: Class::Charged, reason: ClassReason::Template }),
            ("REFUSE", "") => None,
            _ => return Err(format!("no such answer: {line}")),
        };
        let category = match category {
            "SERVICE" => Category::Service,
            "UTILITY" => Category::Utility,
            "MARKETING" => Category::Marketing,
            "AUTHENTICATION" => Category::Authentication,
            _ => return Err(format!("no such category: {line}")),
        };
        policy.rules.push(Rule { category, in_window: yes(in_window)?, in_entry: yes(in_entry)?, verdict });
    }
    Ok(policies)
}

fn cells<const N: usize>(line: &'static str) -> Result<[&'static str; N], String> {
    let cells: Vec<&'static str> = line.split('\t').collect();
    cells.try_into().map_err(|_| format!("another number of columns than {N}: {line}"))
}

fn yes(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(format!("neither yes nor no: {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 60 * 60 * 1_000;

    #[test]
    fn the_tables_read_and_answer_every_case_once() {
        let policies = read(WINDOWS, CLASSES).unwrap();
        assert!(policies.iter().any(|policy| policy.name == DEFAULT_POLICY));
        for policy in policies {
            assert!(policy.window_ms > 0 && policy.entry_answer_ms > 0 && policy.entry_ms > 0, "{}", policy.name);
            for category in [Category::Service, Category::Utility, Category::Marketing, Category::Authentication] {
                for (in_window, in_entry) in [(false, false), (false, true), (true, false), (true, true)] {
                    let case = (category, in_window, in_entry);
                    let rules = policy.rules.iter();
                    let rules = rules.filter(|rule| (rule.category, rule.in_window, rule.in_entry) == case);
                    assert_eq!(rules.count(), 1, "{}: {case:?}", policy.name);
                }
            }
        }
    }

    #[test]
    fn a_broken_table_is_told_by_its_line() {
        let error = read("head\nfeira-9\tservice\tmany\tx\ty\n", "head\n").unwrap_err();
        assert_eq!(error, "not a number of hours: feira-9\tservice\tmany\tx\ty");
        assert!(read("head\nfeira-9\tservice\t24\n", "head\n").is_err());
        assert!(read("head\n", "head\nfeira-9\tSERVICE\tyes\tno\tFREE\tENTRY\tx\ty\n").is_err());
    }

    #[test]
    fn the_millisecond_at_which_a_window_ends_lies_outside() {
        let policy = default_policy();
        let windows = policy.after_receiving(&Windows::default(), 1_000, false);
        assert_eq!(windows.window_until, Some(1_000 + 24 * HOUR_MS));
        let free = Some(Verdict { class: Class::Free, reason: ClassReason::InWindow });
        let charged = Some(Verdict { class: Class::Charged, reason: ClassReason::Template });
        let end = 1_000 + 24 * HOUR_MS;
        assert_eq!(policy.class(&windows, Category::Service, end - 1), free);
        assert_eq!(policy.class(&windows, Category::Service, end), None);
        assert_eq!(policy.class(&windows, Category::Utility, end - 1), free);
        assert_eq!(policy.class(&windows, Category::Utility, end), charged);
        assert_eq!(policy.class(&windows, Category::Marketing, 1_000), charged);
        assert_eq!(policy.class(&windows, Category::Unknown, 1_000), None);
    }
}
