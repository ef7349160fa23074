//! The services: what they are called, what they make of events, and what follows from those.

use std::sync::Arc;

use feira_ids::ServiceName;
use feira_runtime::{ProcessManager, Projection};

/// The services, each before those that follow its events, and how many lanes each has.
pub const SERVICES: [(&str, u32); 5] = [
    (feira_catalog_server::SERVICE, 2),
    (feira_payments_server::SERVICE, 3),
    (feira_conversation_server::SERVICE, 2),
    (feira_cart_server::SERVICE, 2),
    (feira_billing_server::SERVICE, 1),
];

/// Their names.
pub fn names() -> Vec<ServiceName> {
    SERVICES.iter().map(|(name, _)| ServiceName::new(name)).collect()
}

/// All projections.
pub fn projections() -> Vec<Arc<dyn Projection>> {
    [
        feira_catalog_server::projections(),
        feira_cart_server::projections(),
        feira_conversation_server::projections(),
        feira_payments_server::projections(),
        feira_billing_server::projections(),
    ]
    .concat()
}

/// All process managers.
pub fn managers() -> Vec<Arc<dyn ProcessManager>> {
    [
        feira_catalog_server::processes(),
        feira_cart_server::processes(),
        feira_conversation_server::processes(),
        feira_payments_server::processes(),
        feira_billing_server::processes(),
    ]
    .concat()
}
