//! What every log must pass: being written.
