//! The moderators' page in a real browser: runs the tests of `tests/browser` where Node.js, Chromium and their packages are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail loudly"
)]

#[path = "support/postgres.rs"]
mod postgres;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser");
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// The browser at `CHROMIUM`, or the first that the path has.
fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    BROWSERS
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
}

/// What is missing for tests in a browser.
fn missing() -> Option<&'static str> {
    if Command::new("node").arg("--version").output().is_err() {
        Some("Node.js")
    } else if browser().is_none() {
        Some("Chromium")
    } else if !Path::new(FOLDER).join("node_modules").is_dir() {
        Some("packages: run npm ci in tests/browser")
    } else {
        None
    }
}

#[test]
fn moderators_work_in_a_browser() {
    if let Some(what) = missing() {
        assert!(
            std::env::var_os("PALABRE_REQUIRE_BROWSER").is_none(),
            "PALABRE_REQUIRE_BROWSER is set, but there is no {what}"
        );
        postgres::say_loudly(&format!("NOT TESTED IN A BROWSER: there is no {what}"));
        return;
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".test.js"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let output = Command::new("node")
        .args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
        .args(files)
        .env("PALABRE_BIN", env!("CARGO_BIN_EXE_palabre"))
        .env("CHROMIUM", browser().unwrap())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
}
