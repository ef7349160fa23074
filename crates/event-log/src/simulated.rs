//! A log in memory that can do what real ones do wrong: being written.
