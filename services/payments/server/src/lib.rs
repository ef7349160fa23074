//! The ledger as a service.
