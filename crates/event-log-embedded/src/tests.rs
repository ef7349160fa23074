//! Tests that reach behind the public interface.
