//! Steps that bring the bodies of older versions to the form of the next.
//!
//! A field that was added needs none: the type's default serves. A step is for what a default cannot say.

use apache_avro::types::Value;

/// Turns a body of one version into a body of the next.
pub(crate) type Step = fn(Value) -> Result<Value, String>;

/// A step and where it applies.
pub(crate) struct Upcaster {
    /// The event's full name.
    pub(crate) name: &'static str,
    /// The version it reads; it makes the next one.
    pub(crate) from: u32,
    /// What it does.
    pub(crate) step: Step,
}

/// Every step there is. They are total over all history and never taken out.
pub(crate) const UPCASTERS: &[Upcaster] = &[];

/// The steps from `version` of `name` to today's form, in order.
pub(crate) fn steps(upcasters: &[Upcaster], name: &str, version: u32) -> Vec<Step> {
    let mut found: Vec<&Upcaster> = upcasters.iter().filter(|u| u.name == name && u.from >= version).collect();
    found.sort_by_key(|upcaster| upcaster.from);
    found.into_iter().map(|upcaster| upcaster.step).collect()
}
