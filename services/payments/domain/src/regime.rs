//! Regimes: the rules that the payments of a country are under, as dated data with their sources.
//!
//! A regime is a set of rules as they stood when it was announced. An account names its regime when it is opened and
//! keeps it, so that a later rule never changes an earlier decision; a newer set of rules is a regime of its own.

use feira_events::payments::Purpose;

/// The rules of one country at one time.
#[derive(Debug)]
pub struct Regime {
    /// Its name, in accounts and events.
    pub name: &'static str,
    /// What accounts under it are kept in.
    pub currency: &'static str,
    /// Whose days and months limits are counted by.
    pub zone: &'static str,
    /// The least that can be sent, in minor units.
    pub minimum: i64,
    /// What one may send and receive.
    pub rules: &'static [Rule],
    /// Whether people may ask each other for money.
    pub collect: Collect,
    /// What a business is charged for a payment, in basis points.
    pub fee_bp: u32,
    /// Where that is from.
    pub fee_source: Source,
}

/// A limit on what one account sends or receives.
#[derive(Debug)]
pub struct Rule {
    /// Its name, in refusals and events.
    pub id: &'static str,
    /// Whose use is counted.
    pub side: Side,
    /// What is counted.
    pub measure: Measure,
    /// Over which time.
    pub window: Window,
    /// The most: minor units, or a number.
    pub cap: i64,
    /// For which payments.
    pub purposes: &'static [Purpose],
    /// Where it is from.
    pub source: Source,
}

/// Where a rule is from.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Since when it holds.
    pub effective_from: &'static str,
    /// Who says so.
    pub said_by: &'static str,
    /// Whether the text itself was read, not only what the press wrote of it.
    pub verified: bool,
}

/// Whose use of a limit is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who pays; judged where the money is held.
    Payer,
    /// Who is paid; judged where the money arrives.
    Payee,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Minor units.
    Amount,
    /// Payments.
    Count,
}

/// Over which time a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Each payment for itself.
    Each,
    /// A day of the regime's zone.
    Day,
    /// A month of the regime's zone.
    Month,
}

/// Whether people may ask each other for money.
#[derive(Clone, Copy, Debug)]
pub struct Collect {
    /// Whether they may at all.
    pub allowed: bool,
    /// The most for one request, in minor units, where there is such a limit.
    pub cap: Option<i64>,
    /// Where that is from.
    pub source: Source,
}

/// What one person gives another, asked or not.
const BETWEEN_PEOPLE: &[Purpose] = &[Purpose::Gift, Purpose::Request];

const BR_TRIAL: Source = Source {
    effective_from: "2020-06-15",
    said_by: "announcement of the payments trial in Brazil, as reported by propmark, conta-corrente and istoé",
    verified: false,
};

const IN_UPI: Source = Source {
    effective_from: "2021-01-01",
    said_by: "circulars of the scheme for UPI transfers between people, as reported by the press",
    verified: false,
};

const IN_COLLECT_2019: Source =
    Source { effective_from: "2019-10-31", said_by: "circular OC/76 of 31 October 2019, as reported", verified: false };

const IN_COLLECT_2025: Source = Source {
    effective_from: "2025-10-01",
    said_by: "circular of 29 July 2025: requests between people end, as reported",
    verified: false,
};

const PLATFORM: Source = Source {
    effective_from: "2026-01-01",
    said_by: "the platform's own price where no scheme sets one; an assumption",
    verified: true,
};

const IN_RULES: &[Rule] = &[
    Rule {
        id: "sent-per-day",
        side: Side::Payer,
        measure: Measure::Amount,
        window: Window::Day,
        cap: 10_000_000,
        purposes: BETWEEN_PEOPLE,
        source: IN_UPI,
    },
    Rule {
        id: "transfers-sent-per-day",
        side: Side::Payer,
        measure: Measure::Count,
        window: Window::Day,
        cap: 20,
        purposes: BETWEEN_PEOPLE,
        source: IN_UPI,
    },
    Rule {
        id: "paid-per-order",
        side: Side::Payer,
        measure: Measure::Amount,
        window: Window::Each,
        cap: 20_000_000,
        purposes: &[Purpose::Order],
        source: IN_UPI,
    },
];

/// Every regime there is.
pub static REGIMES: &[Regime] = &[
    Regime {
        name: "BR-trial-2020",
        currency: "BRL",
        zone: "America/Sao_Paulo",
        minimum: 100,
        rules: &[
            Rule {
                id: "per-transfer",
                side: Side::Payer,
                measure: Measure::Amount,
                window: Window::Each,
                cap: 100_000,
                purposes: &[Purpose::Gift, Purpose::Request, Purpose::Order],
                source: BR_TRIAL,
            },
            Rule {
                id: "sent-per-month",
                side: Side::Payer,
                measure: Measure::Amount,
                window: Window::Month,
                cap: 500_000,
                purposes: BETWEEN_PEOPLE,
                source: BR_TRIAL,
            },
            Rule {
                id: "received-per-month",
                side: Side::Payee,
                measure: Measure::Amount,
                window: Window::Month,
                cap: 500_000,
                purposes: BETWEEN_PEOPLE,
                source: BR_TRIAL,
            },
            Rule {
                id: "transfers-received-per-day",
                side: Side::Payee,
                measure: Measure::Count,
                window: Window::Day,
                cap: 20,
                purposes: BETWEEN_PEOPLE,
                source: BR_TRIAL,
            },
            Rule {
                id: "spent-per-month",
                side: Side::Payer,
                measure: Measure::Amount,
                window: Window::Month,
                cap: 500_000,
                purposes: &[Purpose::Order],
                source: BR_TRIAL,
            },
        ],
        collect: Collect { allowed: true, cap: None, source: BR_TRIAL },
        fee_bp: 399,
        fee_source: BR_TRIAL,
    },
    Regime {
        name: "IN-upi-2019",
        currency: "INR",
        zone: "Asia/Kolkata",
        minimum: 100,
        rules: IN_RULES,
        collect: Collect { allowed: true, cap: Some(200_000), source: IN_COLLECT_2019 },
        fee_bp: 200,
        fee_source: PLATFORM,
    },
    Regime {
        name: "IN-upi-2025",
        currency: "INR",
        zone: "Asia/Kolkata",
        minimum: 100,
        rules: IN_RULES,
        collect: Collect { allowed: false, cap: None, source: IN_COLLECT_2025 },
        fee_bp: 200,
        fee_source: PLATFORM,
    },
];

/// The regime called `name`.
pub fn regime(name: &str) -> Option<&'static Regime> {
    REGIMES.iter().find(|regime| regime.name == name)
}

#[cfg(test)]
mod tests {
    use feira_calendar::{Date, Zone};
    use feira_money::Currency;

    use super::*;

    #[test]
    fn every_rule_has_a_name_a_bound_and_a_source() {
        for regime in REGIMES {
            assert!(regime.currency.parse::<Currency>().is_ok() && Zone::parse(regime.zone).is_ok(), "{}", regime.name);
            let mut names: Vec<_> = regime.rules.iter().map(|rule| rule.id).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), regime.rules.len(), "{}: two rules of one name", regime.name);
            let sources = regime.rules.iter().map(|rule| &rule.source);
            for source in sources.chain([&regime.collect.source, &regime.fee_source]) {
                let parts: Vec<i32> = source.effective_from.split('-').map(|part| part.parse().unwrap()).collect();
                assert!(Date::new(parts[0] as i16, parts[1] as u8, parts[2] as u8).is_ok());
                assert!(!source.said_by.is_empty());
            }
            assert!(regime.rules.iter().all(|rule| rule.cap > 0 && !rule.purposes.is_empty()));
        }
    }
}
