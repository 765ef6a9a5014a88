//! What a newspaper keeps when the things around `palabre serve` break: the power, the database, the disk, the clock,
//! the network, a replica. Every test runs the program itself and asks it over HTTP; nothing leaves this machine.
//!
//! ```text
//! cargo test --test faults                                 # shortened: about 80 s on two cores
//! PALABRE_FAULTS=full cargo test --release --test faults   # in full: about 20 min
//! ```
//!
//! What is random (the moment of a kill, the texts) follows from `PALABRE_FAULTS_SEED`, 1 where it is not set. Each test
//! says on stderr what it counted. `PALABRE_TEST_BIN` names another build of the program to test.
//!
//! What a machine does not offer is left out, and said loudly: PostgreSQL (see `tests/support/postgres.rs`), mounting a
//! tmpfs (needs root), a C compiler for `shim.c`, which stands between the program and the C library.
//!
//! Tests wait for conditions, within bounds. The only durations are those of the faults themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail loudly"
)]

#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/program.rs"]
mod program;

mod books;
mod harness;
mod ledger;
mod proxy;
mod shim;

mod clock;
mod connections;
mod database_gone;
mod disk_full;
mod kill;
mod logs;
mod replicas;
mod slow_disk;
