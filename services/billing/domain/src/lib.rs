//! Billing: what a business used in a month, what that comes to, and its invoices.
//!
//! Nothing here waits or reads a clock. Usage is entered once, priced by a pure function from a rate card, and issued
//! in invoices that never change. Subscriptions, campaigns, credit notes and taxes are not here yet.

pub mod hash;
pub mod invoice;
pub mod month;
pub mod processes;
pub mod rate_card;
pub mod rating;
pub mod usage;

/// An envelope for events of `aggregate`.
#[cfg(test)]
fn test_meta(aggregate: &str) -> feira_events::Meta {
    let command_id = feira_ids::CommandId::default();
    feira_events::Meta {
        event_id: command_id.event(0),
        lane: 3,
        lane_seq: 41,
        term: 1,
        aggregate: aggregate.into(),
        aggregate_seq: Some(1),
        hlc: 1_795_694_400_000_000,
        at: 1_795_694_400_000,
        tenant: feira_ids::TenantId::new("feira-livre").unwrap(),
        principal: "service:process-usage".into(),
        command_id,
        fingerprint: feira_ids::Fingerprint::default(),
        index: 0,
        count: 1,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
    }
}
