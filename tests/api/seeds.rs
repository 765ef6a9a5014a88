//! The sample threads, posted comment by comment: what a moderator would hold waits, what they would not goes through.
//!
//! The verdicts were written down by whoever wrote the threads, before any model saw them. They are no training data.

use std::{collections::HashMap, fs, path::Path};

use serde_json::{Value, json};

use crate::harness::{App, id, on_each_database};

/// What a moderator would surely hold as abuse or spam, by file and number.
const HOLD: &[(&str, &[u64])] = &[
    ("abidjan-gbaka-2026", &[7, 9, 14, 17]),
    ("aes-cedeao-frontieres-2026", &[9, 16, 20, 22, 25]),
    (
        "attaque-convoi-kenienwere-2026",
        &[8, 10, 17, 20, 25, 30, 33],
    ),
    ("bamako-delestage-2026", &[8, 10, 17, 23, 25, 30]),
    ("eastmarsh-low-traffic-2026", &[6, 8, 14, 17, 18, 23]),
    ("lagos-accra-fuel-2026", &[6, 12, 15, 18]),
    ("lyon-greve-transports-2026", &[6, 8, 15, 21, 24, 25, 27]),
    ("senegal-mali-quart-2026", &[12, 20, 23, 24]),
];

/// Copies of an earlier comment: file, number, and the number in the same file that it repeats.
const COPIES: &[(&str, u64, u64)] = &[
    ("attaque-convoi-kenienwere-2026", 35, 26),
    ("senegal-mali-quart-2026", 26, 1),
    ("lyon-greve-transports-2026", 31, 11),
    ("aes-cedeao-frontieres-2026", 28, 1),
    ("bamako-delestage-2026", 29, 22),
    ("eastmarsh-low-traffic-2026", 24, 21),
];

/// Replies that quote their parent at length and then answer it.
const QUOTING: &[(&str, &[u64])] = &[
    ("aes-cedeao-frontieres-2026", &[10]),
    ("attaque-convoi-kenienwere-2026", &[36]),
    ("bamako-delestage-2026", &[6, 32]),
    ("eastmarsh-low-traffic-2026", &[11, 13]),
    ("lyon-greve-transports-2026", &[3]),
];

/// Where a moderator could go either way.
const EITHER: &[(&str, &[u64])] = &[
    ("aes-cedeao-frontieres-2026", &[7, 11]),
    ("attaque-convoi-kenienwere-2026", &[14, 34]),
    ("bamako-delestage-2026", &[14, 34]),
    ("eastmarsh-low-traffic-2026", &[9]),
    ("lagos-accra-fuel-2026", &[8]),
    ("lyon-greve-transports-2026", &[10, 17, 29]),
    ("senegal-mali-quart-2026", &[6, 10, 15]),
];

fn listed(list: &[(&str, &[u64])], file: &str, n: u64) -> bool {
    list.iter()
        .any(|(name, numbers)| *name == file && numbers.contains(&n))
}

fn threads() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/threads");
    let mut threads: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (
                name,
                serde_json::from_slice(&fs::read(path).unwrap()).unwrap(),
            )
        })
        .collect();
    threads.sort_by(|(a, _), (b, _)| a.cmp(b));
    threads
}

on_each_database! {
    async fn real_life_goes_through_and_abuse_waits(app: App) {
        let site = app.site();
        let mut posted: HashMap<(String, u64), Value> = HashMap::new();
        for (file, thread) in threads() {
            for comment in thread["comments"].as_array().unwrap() {
                let n = comment["n"].as_u64().unwrap();
                let parent = comment["parent"].as_u64().map(|n| id(&posted[&(file.clone(), n)]).to_owned());
                let stored = site
                    .comment_with(&file, json!({
                        "body": comment["body"], "author": comment["author"], "parent_id": parent,
                    }))
                    .await;
                posted.insert((file.clone(), n), stored);
            }
        }
        assert!(posted.len() >= 120, "{}", posted.len());

        let is_copy = |file: &str, n| COPIES.iter().any(|(name, copy, _)| *name == file && *copy == n);
        for (file, copy, of) in COPIES {
            let copy = &posted[&((*file).to_owned(), *copy)];
            assert_eq!(copy["duplicate_of"]["id"], posted[&((*file).to_owned(), *of)]["id"], "{file} {copy:#}");
            assert_eq!(copy["status"], "pending");
        }
        for ((file, n), comment) in &posted {
            if listed(QUOTING, file, *n) {
                assert_eq!(comment["duplicate_of"], json!(null), "{file} {n}");
            }
        }

        let held = |comment: &Value| comment["status"] == "pending";
        let (mut missed, mut abuse, mut false_alarms, mut calm) = (Vec::new(), 0, Vec::new(), 0);
        for ((file, n), comment) in &posted {
            if is_copy(file, *n) || listed(EITHER, file, *n) {
                continue;
            }
            if listed(HOLD, file, *n) {
                abuse += 1;
                if !held(comment) {
                    missed.push(format!("{file} {n}"));
                }
            } else {
                calm += 1;
                if held(comment) {
                    false_alarms.push(format!("{file} {n} {}", comment["reasons"]));
                }
            }
        }
        missed.sort();
        false_alarms.sort();
        println!("missed {}/{abuse}: {missed:#?}\nfalse alarms {}/{calm}: {false_alarms:#?}", missed.len(), false_alarms.len());
        // The shipped model's own figures, with a little room: a change that loses more should say so here.
        assert!(missed.len() * 100 <= abuse * 12, "missed {missed:#?}");
        assert!(false_alarms.len() * 100 <= calm * 9, "false alarms {false_alarms:#?}");
    }
}
