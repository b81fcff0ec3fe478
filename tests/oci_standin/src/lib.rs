//! A test double.
