//! What can be asked of stock.

use std::sync::Arc;

use feira_commands::stock::Input;

/// What can be asked of stock: an input, and the product, which is the aggregate's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The product.
    pub sku: Arc<str>,
    /// What is asked.
    pub input: Input,
}
