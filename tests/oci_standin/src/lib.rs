//! A test double of Oracle's client library (OCI), for machines without an Oracle database.
//!
//! The cdylib exports the OCI functions that the `oracle` crate (through ODPI-C) calls for this project's statements.
//! A test links it as `libclntsh.so` and the real driver, the real pool and the real SQL run against it; the SQL is
//! done by SQLite after a translation of a small dialect, with Oracle's types, its error numbers and its price of a
//! round trip. It is **not** Oracle: it proves how a program talks to a database, not how the database behaves. What
//! is outside of the dialect is ORA-00900, never a guess. The live test suite is the last word.
//!
//! The rlib is the tests' side: [`StandIn`] makes a database, sets its latency and faults and reads its counters. It
//! shares nothing with the loaded library but files, since both copies may be in one process: see `control`.
//!
//! # Where it differs from Oracle, knowingly
//! - One transaction writes at a time; the others wait for it (as long as their call timeout, or 60 s: ORA-02049),
//!   whether or not they change the same rows. Readers never wait.
//! - Results are read whole when a query is executed; prefetching decides only about round trips.
//! - NUMBERs beyond what an integer of 64 bits or a double holds exactly compare as texts.
//! - `ORDER BY` puts NULLs first; `LIKE`, `||` and functions are SQLite's.
//! - A round trip's time passes before its work, a commit's after it: a call that times out in the former has done
//!   nothing, in the latter everything.
//! - Logging on and off are not among the round trips.
//! - One schema with one account; no sequences, triggers, views, LOB locators, `RETURNING` or PL/SQL with binds.
//!
//! # Layout, from the bottom
//! `error`, `number`, `datetime`, `types`: Oracle's values. `token`, `translate`, `parts`, `statement`, `ddl`: its
//! language.
//! `control`, `link`: the shared state, faults and latency. `dictionary`, `catalog`: the tables. `session`, `turn`,
//! `execute`, `change`: a session at work.
//! `oci`: the C functions. `testing`: the tests' side.

mod catalog;
mod change;
mod control;
mod datetime;
mod ddl;
mod dictionary;
mod error;
mod execute;
mod link;
mod number;
mod oci;
mod parts;
mod session;
mod statement;
mod testing;
mod token;
mod translate;
mod turn;
mod types;

pub use testing::{Counters, FailOn, Hang, PASSWORD, StandIn, USER, Views, link_client_library};
