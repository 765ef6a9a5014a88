//! The service as its users see it: through a real port, on both databases.
//!
//! Each test is written once with [`on_each_database!`] and runs on SQLite and on PostgreSQL. PostgreSQL is found by
//! `TEST_DATABASE_URL`, or on 127.0.0.1:5432; where there is none, those runs say so loudly and pass, unless
//! `PALABRE_REQUIRE_POSTGRES` is set.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail loudly"
)]

mod harness;
#[path = "../support/models.rs"]
mod models;

mod access;
mod appeals;
mod authors;
mod changes;
mod claims;
mod comments;
mod contract;
mod copies;
mod decisions;
mod deletes;
mod edits;
mod escalation;
mod groups;
mod idempotency;
mod keys;
mod limits;
mod metrics;
mod openapi;
mod opinions;
mod policies;
mod presence;
mod queue;
mod reach;
mod recall;
mod reports;
mod sampled;
mod score;
mod search;
mod seeds;
mod sessions;
mod shadow;
mod sites;
mod threads;
mod tree;
