//! Rebuilds when a migration is added, which `sqlx::migrate!` does not notice by itself; lists the sample threads and the
//! files of the moderators' page, which it leaves without what only its authors read, and compressed; and gathers our own
//! labelled sentences.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=migrations");
    gather_own_sentences()?;
    list("seeds/threads", &["json"], "seed_threads.rs", |path| {
        let name = path.file_stem().unwrap_or_default().display().to_string();
        Ok(format!(
            "({name:?}, include_str!({:?})),",
            path.display().to_string()
        ))
    })?;
    list(
        "src/http/page",
        &["html", "css", "js"],
        "page_assets.rs",
        |path| {
            let name = path.file_name().unwrap_or_default().display().to_string();
            let (plain, gzip) = (out()?.join(&name), out()?.join(format!("{name}.gz")));
            let text = without_comments(&fs::read_to_string(path)?);
            fs::write(&plain, &text)?;
            compress(&text, &gzip)?;
            Ok(format!(
                "Asset {{ name: {name:?}, plain: include_bytes!({:?}), gzip: include_bytes!({:?}) }},",
                plain.display().to_string(),
                gzip.display().to_string()
            ))
        },
    )
}

/// Leaves out lines that are a comment, and indentation.
fn without_comments(text: &str) -> String {
    let lines = text.lines().map(str::trim_start).filter(|line| {
        let is_comment = line.starts_with("//") || (line.starts_with("/*") && line.ends_with("*/"));
        !line.is_empty() && !is_comment
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn compress(text: &str, to: &Path) -> io::Result<()> {
    let mut encoder = GzEncoder::new(fs::File::create(to)?, Compression::best());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()?;
    Ok(())
}

/// Puts the rows of `seeds/labels` into one file, compressed.
fn gather_own_sentences() -> io::Result<()> {
    println!("cargo:rerun-if-changed=seeds/labels");
    let mut gathered = String::new();
    for file in files("seeds/labels", &["jsonl"])? {
        gathered.push_str(fs::read_to_string(file)?.trim_end());
        gathered.push('\n');
    }
    compress(&gathered, &out()?.join("own_sentences.jsonl.gz"))
}

/// Writes an array with an entry for each file of a folder that has one of these endings.
fn list(
    folder: &str,
    endings: &[&str],
    into: &str,
    entry: impl Fn(&Path) -> io::Result<String>,
) -> io::Result<()> {
    println!("cargo:rerun-if-changed={folder}");
    let mut array = Vec::from(b"[\n");
    for path in files(folder, endings)? {
        writeln!(array, "{}", entry(&path)?)?;
    }
    array.push(b']');
    fs::write(out()?.join(into), array)
}

/// The files of a folder that have one of these endings, by name.
fn files(folder: &str, endings: &[&str]) -> io::Result<Vec<PathBuf>> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let mut files = fs::read_dir(Path::new(&root).join(folder))?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.retain(|path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| endings.contains(&ending))
    });
    files.sort();
    Ok(files)
}

fn out() -> io::Result<PathBuf> {
    env::var("OUT_DIR")
        .map(PathBuf::from)
        .map_err(io::Error::other)
}
