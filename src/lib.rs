//! Palabre: comment trees, scores and a moderators' queue, in one binary.
//!
//! Layers run one way, and a test guards it: `main → http, worker, cli → moderation → store, classifier → domain`.
//! `docs/architecture.md` is the map.

pub mod domain;
pub mod store;
