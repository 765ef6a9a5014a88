//! Layers run one way: `main → http, worker, cli → moderation → store, classifier → domain`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail loudly"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What each module may import of the crate; `main.rs` and `lib.rs` may all.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &["domain"]),
    ("classifier", &["classifier", "domain"]),
    ("store", &["store", "domain"]),
    ("document", &["document"]),
    (
        "moderation",
        &["moderation", "store", "classifier", "domain", "document"],
    ),
    (
        "worker",
        &["worker", "moderation", "store", "classifier", "domain"],
    ),
    (
        "http",
        &["http", "moderation", "store", "classifier", "domain"],
    ),
    (
        "cli",
        &[
            "cli",
            "http",
            "worker",
            "config",
            "moderation",
            "store",
            "classifier",
            "domain",
            "document",
        ],
    ),
    ("config", &["config"]),
];

/// Where alone these crates may be named.
const ONLY_IN: &[(&str, &str)] = &[
    ("sqlx", "store"),
    ("linfa", "classifier/training"),
    ("linfa_logistic", "classifier/training"),
    ("actix_web", "http"),
    ("clap", "cli or config"),
    ("jsonwebtoken", "moderation"),
    ("utoipa", "domain or moderation or http"),
    ("utoipa_swagger_ui", "http"),
];

/// A source file: its path below `src`, and its code without comments.
struct Source {
    path: String,
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut directories = vec![root.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push(Source {
                    path: path
                        .strip_prefix(&root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                    code: without_comments(&text),
                });
            }
        }
    }
    found
}

/// Lines without `//` comments. Good enough: what a string holds after `//` is not looked at either.
fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

fn module_of(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap()
}

/// The modules that `crate::...` paths name, groups (`crate::{a, b::c}`) included.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => found.push(first_name(rest)),
            Some(group) => found.extend(first_names_of_group(group)),
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

fn first_name(path: &str) -> String {
    path.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// The first name of each member of a group, whose opening brace is behind us.
fn first_names_of_group(group: &str) -> Vec<String> {
    let mut names = vec![first_name(group)];
    let mut depth = 1;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(first_name(&group[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// Whether `code` names the crate `name` in a path or an attribute.
fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + name.len()..];
        let begins = !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '"'));
        begins && (after.starts_with("::") || after.starts_with(';') || after.starts_with(" as "))
            || begins && after.starts_with('(') && before == Some('[')
    })
}

#[test]
fn imports_run_one_way() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for source in sources() {
        let module = module_of(&source.path);
        if matches!(module, "main" | "lib") {
            continue;
        }
        let (_, allowed) = MAY_IMPORT
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("{module} is a new module: say here what it may import"));
        for import in imports(&source.code) {
            // A macro that a module exports is found under the crate's own name.
            let is_module = MAY_IMPORT.iter().any(|(name, _)| *name == import);
            seen += usize::from(is_module);
            if is_module && !allowed.contains(&import.as_str()) {
                broken.push(format!("src/{} imports crate::{import}", source.path));
            }
        }
    }
    assert!(seen > 50, "the imports were not found");
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn each_library_has_its_place() {
    let sources = sources();
    for (name, place) in ONLY_IN {
        let users: Vec<&Source> = sources
            .iter()
            .filter(|source| names_crate(&source.code, name))
            .collect();
        assert!(
            !users.is_empty(),
            "{name} is named nowhere: is it still needed?"
        );
        for source in users {
            let inside = place.split(" or ").any(|place| {
                source.path.starts_with(&format!("{place}/"))
                    || source.path == format!("{place}.rs")
            });
            assert!(
                inside || source.path == "main.rs",
                "src/{} names {name}, which belongs in src/{place}",
                source.path
            );
        }
    }
}

#[test]
fn imports_are_found_in_every_form() {
    let code = "use crate::domain::Site;\nuse crate::{store::{Db, Lock}, http,\n    domain::Role};\nfn f(x: crate::worker::Worker) {}";
    assert_eq!(
        imports(&without_comments(code)),
        ["domain", "store", "http", "domain", "worker"]
    );
    assert_eq!(
        imports(&without_comments("// see crate::http")),
        Vec::<String>::new()
    );
    assert!(names_crate("use sqlx::Row;", "sqlx") && names_crate("#[sqlx(flatten)]", "sqlx"));
    assert!(!names_crate("let my_sqlx::x", "sqlx") && !names_crate("\"sqlx::x\"", "sqlx"));
}
