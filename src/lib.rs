//! augur
