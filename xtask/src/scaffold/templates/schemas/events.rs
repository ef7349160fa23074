//! What happens in __name__.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// It was given a title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct __Name__Titled {
    /// Which one.
    pub id: Arc<str>,
    /// What it is called from now on.
    pub title: Arc<str>,
}

/// Any event of __name__.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// See [`__Name__Titled`].
    __Name__Titled(__Name__Titled),
}
