//! Rebuilds when a migration is added, which `sqlx::migrate!` does not notice by itself, lists the sample threads and the
//! files of the moderators' page, and gathers our own test sentences.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=migrations");
    gather_test_sentences()?;
    list("seeds/threads", &["json"], "seed_threads.rs", |path| {
        let name = path.file_stem().unwrap_or_default().display().to_string();
        format!(
            "({name:?}, include_str!({:?})),",
            path.display().to_string()
        )
    })?;
    list(
        "src/http/page",
        &["html", "css", "js"],
        "page_assets.rs",
        |path| {
            let name = path.file_name().unwrap_or_default().display().to_string();
            format!(
                "({name:?}, include_bytes!({:?})),",
                path.display().to_string()
            )
        },
    )
}

/// Puts the test rows of `seeds/labels` into one file.
fn gather_test_sentences() -> io::Result<()> {
    println!("cargo:rerun-if-changed=seeds/labels");
    let mut gathered = String::new();
    for file in files("seeds/labels", &["jsonl"])? {
        for line in fs::read_to_string(file)?.lines() {
            if line.contains("\"split\": \"test\"") {
                gathered.push_str(line);
                gathered.push('\n');
            }
        }
    }
    write("own_sentences.jsonl", &gathered)
}

/// Writes an array with an entry for each file of a folder that has one of these endings.
fn list(
    folder: &str,
    endings: &[&str],
    into: &str,
    entry: impl Fn(&Path) -> String,
) -> io::Result<()> {
    println!("cargo:rerun-if-changed={folder}");
    let mut array = String::from("[\n");
    for path in files(folder, endings)? {
        writeln!(array, "{}", entry(&path)).map_err(io::Error::other)?;
    }
    array.push(']');
    write(into, &array)
}

/// The files of a folder that have one of these endings, by name.
fn files(folder: &str, endings: &[&str]) -> io::Result<Vec<PathBuf>> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let mut files = fs::read_dir(Path::new(&root).join(folder))?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<PathBuf>>>()?;
    files.retain(|path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| endings.contains(&ending))
    });
    files.sort();
    Ok(files)
}

fn write(into: &str, text: &str) -> io::Result<()> {
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join(into), text)
}
