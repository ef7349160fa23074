//! What was checked, and what came of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Check, Fault};

/// The most faults that are told one by one; the others are counted.
const TOLD_MAX: usize = 100;

/// How much of something was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// What: `records`.
    pub what: Cow<'static, str>,
    /// How many.
    pub count: u64,
}

/// The outcome of a verification.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// The last record of each lane that was judged: `cart/3` → 1,204.
    pub position: BTreeMap<String, u64>,
    /// What was looked at.
    pub checked: Vec<Counted>,
    /// What a reader should know: what was still under way, what could not be compared yet.
    pub notes: Vec<String>,
    /// What is wrong, the first hundred.
    pub faults: Vec<Fault>,
    /// How many faults there are, by what was looked at.
    pub faults_by_check: BTreeMap<Check, u64>,
}

impl Report {
    /// Whether everything is as it must be.
    pub fn is_sound(&self) -> bool {
        self.faults_by_check.is_empty()
    }

    /// How many faults there are.
    pub fn fault_count(&self) -> u64 {
        self.faults_by_check.values().sum()
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        *self.faults_by_check.entry(fault.check).or_default() += 1;
        if self.faults.len() < TOLD_MAX {
            self.faults.push(fault);
        }
    }

    pub(crate) fn counted(&mut self, what: &'static str, count: u64) {
        match self.checked.iter_mut().find(|counted| counted.what == what) {
            Some(counted) => counted.count += count,
            None => self.checked.push(Counted { what: what.into(), count }),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position: Vec<String> = self.position.iter().map(|(lane, last)| format!("{lane}:{last}")).collect();
        writeln!(f, "position  {}", position.join(" "))?;
        for counted in &self.checked {
            writeln!(f, "checked   {:>12} {}", counted.count, counted.what)?;
        }
        for note in &self.notes {
            writeln!(f, "note      {note}")?;
        }
        for fault in &self.faults {
            writeln!(f, "FAULT     {fault}")?;
        }
        match self.fault_count() {
            0 => write!(f, "sound: no fault was found"),
            count if count > self.faults.len() as u64 => {
                write!(f, "{count} faults, of which the first {} are named", self.faults.len())
            }
            count => write!(f, "{count} faults"),
        }
    }
}
