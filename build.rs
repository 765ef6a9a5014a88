//! Rebuilds when a migration is added, which `sqlx::migrate!` does not notice by itself, and lists the sample threads and
//! the files of the moderators' page.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=migrations");
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

/// Writes an array with an entry for each file of a folder that has one of these endings.
fn list(
    folder: &str,
    endings: &[&str],
    into: &str,
    entry: impl Fn(&Path) -> String,
) -> io::Result<()> {
    println!("cargo:rerun-if-changed={folder}");
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let mut files = fs::read_dir(Path::new(&root).join(folder))?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<PathBuf>>>()?;
    files.retain(|path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| endings.contains(&ending))
    });
    files.sort();
    let mut array = String::from("[\n");
    for path in files {
        writeln!(array, "{}", entry(&path)).map_err(io::Error::other)?;
    }
    array.push(']');
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join(into), array)
}
