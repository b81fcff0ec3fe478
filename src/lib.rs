//! augur answers `POST /url {"url": "..."}` from a result table or, on a miss, from a regression model whose prediction it
//! stores: look up, else predict, store, answer.
//!
//! # Code map
//! Imports run downwards only; `tests/it/floors.rs` fails on one that does not.
//!
//! ```text
//! main -> cli -> application -> http -> service -> { store, model } -> domain
//!                      settings, telemetry: seen by application and cli
//!                      auth: seen by all down to service; stamp: by whoever watches a file
//! ```
//! - [`cli`]: one file per subcommand.
//! - [`application`]: the only wiring.
//! - [`settings`], [`telemetry`]: configuration and logs.
//! - [`auth`]: API keys.
//! - [`http`]: the URL table ([`http::routes`]), one file per resource, one table from failures to status codes.
//! - [`service`]: look up, else predict, store and answer; the lanes, which are the hop from async to blocking.
//! - [`store`]: the result table behind a batch-first trait; SQLite and Oracle.
//! - [`model`]: features, training, artifacts, prediction; smartcore stays inside.
//! - [`stamp`]: whether a file has changed.
//! - [`domain`]: keys, outcomes, stored results: parsed at the door, then never wrong.

pub mod application;
pub mod auth;
pub mod cli;
pub mod domain;
pub mod http;
pub mod model;
pub mod service;
pub mod settings;
pub mod stamp;
pub mod store;
pub mod telemetry;
