//! What every store must pass: being written.
