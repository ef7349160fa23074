//! What is read of usage and invoices.

mod invoices;
mod usage;

pub use invoices::InvoiceRows;
pub use usage::UsageRows;
