//! The integration tests: a real server on port 0, HTTP from outside; the store contract; the house rules.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end with the line that could not")]

mod app;
mod bad_pictures;
mod cache;
mod classify;
mod clients;
mod contract;
mod docs;
mod doctor;
mod durability;
mod expected;
mod explain;
mod floors;
mod from_store;
mod greedy_pictures;
mod hostile;
mod keys;
mod live_models;
mod migration;
mod model;
mod ndjson;
mod oracle;
mod picture_load;
mod pictures;
mod report;
mod rescore;
mod results;
mod schemathesis;
mod score;
mod score_files;
mod shutdown;
mod spectral;
mod sql;
mod standin;
mod start;
mod url;
