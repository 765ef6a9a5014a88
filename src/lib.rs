//! Palabre: comment trees, scores and a moderators' queue, in one binary.
//!
//! Layers run one way, and a test guards it: `main → http, worker, cli → moderation → store, classifier → domain`.
//! `document` knows nothing of them, and draws pages. `docs/architecture.md` is the map.

pub mod classifier;
pub mod cli;
pub mod config;
pub mod document;
pub mod domain;
pub mod http;
pub mod moderation;
pub mod store;
pub mod worker;
