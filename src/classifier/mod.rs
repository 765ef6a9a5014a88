//! Text in, scores out: how toxic a comment is, why, and whether it was seen before.
//!
//! The way of a comment through [`Model::assess`], one file per step:
//!
//! 1. `normalise`: capitals, accents, look-alike letters; every character remembers its place in the original.
//! 2. `quotes`: what repeats the comment's ancestors is cut out.
//! 3. `tokens`, `scanner`: words, numbers, links, emoji; disguised spellings undone.
//! 4. `features` and `table`: hashed n-grams and their weights, the sparse first stage.
//! 5. `lexicon` and `frames`: hand-written word classes and how they stand together.
//! 6. `dense`: all of that as one small vector, on which the second stage, a logistic regression per label, is one dot
//!    product (`model`).
//!    A `site`'s own part, where a model has one, adds a second table and has the last stage fitted anew.
//! 7. `context`: what the comment above makes of a short reply.
//! 8. `highlight`: the same sums, handed back to the words they came from.
//! 9. `fingerprint`: for finding copies; `phrases`: what is none, whoever repeats it.
//!
//! Nothing here does I/O, keeps state, or knows of HTTP or databases. `artefact` is the file format of a model;
//! [`training`] makes one, and is the only place that names linfa.

mod artefact;
mod context;
mod dense;
mod features;
mod fingerprint;
mod frames;
mod highlight;
mod lexicon;
mod model;
mod normalise;
mod phrases;
mod quotes;
mod scanner;
mod site;
mod table;
mod tokens;
pub mod training;
mod wordlist;

pub use artefact::ModelError;
pub use fingerprint::{Anchors, Fingerprint, Signature};
pub use model::{Assessment, Comment, Model};
pub use normalise::fold;
pub use wordlist::{WordList, WordListError};
