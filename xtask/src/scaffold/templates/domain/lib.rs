//! The rules of __name__: so far, what each is called.
//!
//! Nothing here waits or reads a clock.

pub mod __name__;
