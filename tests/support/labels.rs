//! Our own labelled comments.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The files in `seeds/labels`, by name.
pub fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/labels");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|name| name == "jsonl"))
        .collect();
    files.sort();
    files
}
