//! A model adapted to a site: it learns what moderators say, and nothing worse than the live model goes live.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail loudly"
)]

#[path = "support/client.rs"]
mod client;
#[path = "support/day.rs"]
mod day;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/program.rs"]
mod program;
#[path = "support/site.rs"]
mod site;

use std::{
    collections::HashMap,
    process::Stdio,
    sync::LazyLock,
    time::{Duration, Instant},
};

use client::Client;
use palabre::{
    classifier::{
        Comment, Model,
        training::{AdaptOptions, Adapted, FindingKind, LabelNote, Lesson, Split, adapt},
    },
    domain::{Label, PerLabel},
};
use program::{Home, PATIENCE, on_each_database, stderr};
use serde_json::{Value, json};
use site::Dice;

static SHIPPED: LazyLock<Model> = LazyLock::new(|| Model::from_bytes(Model::SHIPPED).unwrap());

fn adapted(lessons: &[Lesson]) -> Adapted {
    let options = AdaptOptions {
        seed: 1,
        version: "ours-1".into(),
        received: Some(lessons.len() as u64 * 4),
        left_aside: 0,
    };
    adapt(Model::SHIPPED, &SHIPPED, lessons, &options, &()).unwrap()
}

/// The conditions that were not met.
fn failed(adapted: &Adapted) -> Vec<&'static str> {
    let checks = adapted.report.checks.iter();
    checks
        .filter(|check| !check.passed)
        .map(|check| check.name)
        .collect()
}

fn honest(_: &mut Dice, rude: bool) -> bool {
    rude
}

#[test]
fn honest_decisions_are_accepted_and_make_it_better() {
    for seed in 1..=3 {
        let lessons = site::lessons(seed, 600, honest);
        let adapted = adapted(&lessons);
        assert_eq!(failed(&adapted), [""; 0], "{}", adapted.report);
        for label in [Label::Toxicity, Label::Insult] {
            let on_site = adapted.report.comparison("site", label, "all").unwrap();
            assert!(on_site.gain.low > 0.05, "{}", adapted.report);
        }
        assert_eq!(adapted.report.notes["spam"], LabelNote::TooFew);
        let model = Model::from_bytes(&adapted.artefact.unwrap()).unwrap();
        let text = "Nafi est un vrai kandjaro, on le sait à Mopti.";
        let comment = Comment {
            text,
            ..Comment::default()
        };
        let assessment = model.assess(&comment);
        assert!(assessment.scores.insult.value() > 2.0 * SHIPPED.score(&comment).insult.value());
        assert!(assessment.scores.insult >= model.thresholds().insult);
        // What the site taught nothing of is as it was, to the last bit.
        assert_eq!(assessment.scores.spam, SHIPPED.score(&comment).spam);
        let shown = assessment
            .highlights
            .iter()
            .filter(|h| h.label == Label::Insult);
        let shown: Vec<String> = shown
            .map(|h| text.chars().skip(h.start).take(h.end - h.start).collect())
            .collect();
        assert!(
            shown.iter().any(|span| span.contains("kandjaro")),
            "{shown:?}"
        );
    }
}

#[test]
fn the_same_decisions_make_the_same_file() {
    let lessons = site::lessons(4, 300, honest);
    assert!(adapted(&lessons).artefact == adapted(&lessons).artefact);
}

#[test]
fn decisions_that_mean_the_reverse_are_refused() {
    for seed in 1..=3 {
        let mut lessons = own_words(seed);
        for lesson in &mut lessons {
            lesson.labels = site::labels(lesson.is_clean());
        }
        let adapted = adapted(&lessons);
        assert!(!failed(&adapted).is_empty(), "{}", adapted.report);
    }
}

#[test]
fn one_label_that_means_the_reverse_refuses_the_rest() {
    let mut lessons = own_words(4);
    let spam = palabre::classifier::training::own_sentences(Split::Test).unwrap();
    let spam: HashMap<String, Option<bool>> = spam
        .into_iter()
        .map(|example| (example.text, example.labels.spam))
        .collect();
    for lesson in &mut lessons {
        let reversed = PerLabel {
            toxicity: Some(lesson.is_clean()),
            spam: spam[&lesson.text],
            ..PerLabel::default()
        };
        lesson.labels = reversed;
    }
    let failed = failed(&adapted(&lessons));
    let reversed = "the decisions are not the reverse of what the base knows";
    assert!(failed.contains(&reversed), "{failed:?}");
}

#[test]
fn decisions_by_chance_are_refused() {
    for seed in 1..=3 {
        let lessons = site::lessons(seed, 600, |dice, _| dice.below(3) == 0);
        let adapted = adapted(&lessons);
        assert!(!failed(&adapted).is_empty(), "{}", adapted.report);
    }
}

/// Our own labelled comments, as if the site's moderators had decided them.
fn own_words(seed: u64) -> Vec<Lesson> {
    let mut dice = Dice::new(seed);
    let examples = palabre::classifier::training::own_sentences(Split::Test).unwrap();
    let mut lessons: Vec<Lesson> = examples
        .into_iter()
        .filter(|example| example.labels.toxicity.is_some() && dice.below(4) > 0)
        .enumerate()
        .map(|(n, example)| Lesson {
            id: format!("own-{n}"),
            labels: site::labels(example.labels.toxicity == Some(true)),
            at: n as i64 * 1000,
            thread: format!("thread-{}", n / 10),
            split: None,
            moderator: "binta".into(),
            ..Lesson::from(example)
        })
        .collect();
    // The files are by topic; a site is not.
    for at in (1..lessons.len()).rev() {
        let other = dice.below(at + 1);
        let (a, b) = (lessons[at].text.clone(), lessons[other].text.clone());
        (lessons[at].text, lessons[other].text) = (b, a);
        let (a, b) = (lessons[at].labels, lessons[other].labels);
        (lessons[at].labels, lessons[other].labels) = (b, a);
    }
    lessons
}

#[test]
fn calm_comments_pasted_and_hidden_are_refused_or_found() {
    for seed in 1..=3 {
        // What somebody pasted from elsewhere, so that no copy tells: nothing but calm comments, a third of them hidden.
        let mut lessons = site::lessons(seed, 900, honest);
        lessons.retain(Lesson::is_clean);
        for (n, lesson) in lessons.iter_mut().enumerate() {
            lesson.labels = site::labels(n.is_multiple_of(3));
        }
        let adapted = adapted(&lessons);
        assert!(!failed(&adapted).is_empty(), "{}", adapted.report);
    }
    // What was pasted from this site: approved there, hidden here.
    let mut lessons = site::lessons(9, 600, honest);
    let genuine: Vec<Lesson> = lessons
        .iter()
        .filter(|l| l.is_clean())
        .take(60)
        .cloned()
        .collect();
    for (n, copy) in genuine.into_iter().enumerate() {
        lessons.push(Lesson {
            id: format!("pasted-{n}"),
            text: format!("{} !!", copy.text),
            labels: site::labels(true),
            ..copy
        });
    }
    let hidden = lessons.iter_mut().filter(|lesson| lesson.is_against());
    for lesson in hidden.take(30) {
        lesson.copies_published = true;
    }
    let adapted = adapted(&lessons);
    assert_eq!(failed(&adapted), [""; 0], "{}", adapted.report);
    let found = |kind| {
        let found = adapted
            .report
            .findings
            .iter()
            .filter(move |f| f.kind == kind);
        found.map(|f| f.lessons).sum::<usize>()
    };
    assert!(found(FindingKind::BothWays) >= 110, "{}", adapted.report);
    assert!(found(FindingKind::Pasted) >= 25, "{}", adapted.report);
}

#[test]
fn one_moderators_burst_is_found_and_hardly_counts() {
    let mut lessons = site::lessons(11, 600, honest);
    let of_luc: Vec<usize> = (0..600)
        .filter(|at| lessons[*at].moderator == "luc")
        .collect();
    for at in &of_luc[100..140] {
        lessons[*at].labels = site::labels(lessons[*at].is_clean());
    }
    let adapted = adapted(&lessons);
    let burst = adapted
        .report
        .findings
        .iter()
        .find(|f| f.kind == FindingKind::Burst);
    let burst = burst.unwrap_or_else(|| panic!("{}", adapted.report));
    assert_eq!(burst.moderator.as_deref(), Some("luc"));
    assert!((25..60).contains(&burst.lessons), "{}", adapted.report);
    assert_eq!(failed(&adapted), [""; 0], "{}", adapted.report);
}

#[test]
fn too_few_decisions_are_no_reason_to_refuse() {
    let few = adapted(&site::lessons(12, 40, honest));
    assert!(few.artefact.is_none());
    assert!(
        few.report
            .notes
            .values()
            .all(|note| *note == LabelNote::TooFew)
    );
}

on_each_database! {
    async fn decisions_become_a_model_that_serves(home: Home) {
        home.stdout(&["site", "add", "bamako"]);
        let server = home.serve();
        let reader = Client::of(&server, &home.token("site", "bamako"));
        let moderator = Client::of(&server, &home.token("moderator", "bamako"));
        day::busy(&reader, &moderator, site::comments(&mut Dice::new(21), 300)).await;
        // One that is taken back, one that waits for another's word, and one that says nothing of the text.
        let mut ids = Vec::new();
        for body in ["Première phrase de trop ici.", "Deuxième phrase de trop là.", "Troisième phrase en trop."] {
            let posted = reader.posted("/v1/threads/x/comments", json!({"body": body, "author": {"id": "z", "name": "Z"}})).await;
            ids.push(posted["id"].as_str().unwrap().to_owned());
        }
        let decide = |id: &str, body: Value| {
            let path = format!("/v1/comments/{id}/decisions");
            let moderator = &moderator;
            async move { moderator.posted(&path, body).await }
        };
        let undone = decide(&ids[0], json!({"action": "hide", "version": 1, "reason": "hate"})).await;
        moderator.posted(&format!("/v1/decisions/{}/undo", undone["decision"]["id"].as_str().unwrap()), json!({})).await;
        decide(&ids[1], json!({"action": "hide", "version": 1, "reason": "off_topic"})).await;
        decide(&ids[2], json!({"action": "hide", "version": 1})).await;

        // Another site, whose decisions lie between those of the first.
        home.stdout(&["site", "add", "segou"]);
        let there = Client::of(&server, &home.token("site", "segou"));
        let decides_there = Client::of(&server, &home.token("moderator", "segou"));
        day::busy(&there, &decides_there, site::comments(&mut Dice::new(22), 40)).await;
        day::busy(&reader, &moderator, site::comments(&mut Dice::new(23), 20)).await;
        let of_one = home.run(&["train", "--decisions", "--site", "segou", "--json"]);
        let of_one: Value = serde_json::from_slice(&of_one.stdout).unwrap();
        assert_eq!(of_one["lessons"], 40);

        let report = home.stdout(&["train", "--decisions", "--activate", "--json"]);
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["lessons"], 360, "{report:#}");
        assert_eq!(report["notes"]["insult"], "learned");
        let version = report["version"].as_str().unwrap();
        assert!(version.ends_with(".site-1"), "{version}");
        let begun = Instant::now();
        let text = json!({"text": "Nafi est un vrai kandjaro, on le sait à Mopti."});
        while reader.posted("/v1/score", text.clone()).await["model"] != version {
            assert!(begun.elapsed() < Duration::from_secs(2), "it does not follow");
        }
        let scored = reader.posted("/v1/score", text).await;
        assert_eq!(scored["status"], "pending", "{scored:#}");
        let shown: Value = serde_json::from_str(&home.stdout(&["models", "show", version, "--json"])).unwrap();
        assert_eq!((&shown["parent"], &shown["live"]), (&report["base"], &json!(true)));
        assert_eq!(shown["counts"]["lessons"], 360);
        assert_eq!(shown["figures"]["compared"], report["compared"]);
    }
}

on_each_database! {
    async fn what_is_worse_is_refused_and_one_training_goes_on_at_a_time(home: Home) {
        home.stdout(&["site", "add", "bamako"]);
        let server = home.serve();
        let reader = Client::of(&server, &home.token("site", "bamako"));
        let moderator = Client::of(&server, &home.token("moderator", "bamako"));
        let message = home.failure(&["train"]);
        assert!(message.contains("nothing to learn from"), "{message}");
        assert!(home.run(&["train", "--decisions"]).status.success(), "nothing decided is no failure");

        // Hidden and approved by chance.
        let mut dice = Dice::new(5);
        for (n, (body, _)) in site::comments(&mut dice, 200).into_iter().enumerate() {
            let posted = reader.posted(&format!("/v1/threads/t{}/comments", n / 9), json!({"body": body, "author": {"id": "u", "name": "U"}})).await;
            let hide = dice.below(2) == 0;
            let decision = if hide {
                json!({"action": "hide", "version": 1, "reason": "abusive"})
            } else {
                json!({"action": "approve", "version": 1})
            };
            moderator.posted(&format!("/v1/comments/{}/decisions", posted["id"].as_str().unwrap()), decision).await;
        }
        let refused = home.run(&["train", "--decisions", "--activate"]);
        assert_eq!(refused.status.code(), Some(3), "{}", stderr(&refused));
        assert!(String::from_utf8_lossy(&refused.stdout).contains("REFUSED"));
        assert!(stderr(&refused).contains("was not kept"));
        let models = home.stdout(&["models", "list"]);
        assert_eq!(models.lines().count(), 1, "{models}");

        // Of two at once one is refused. The other is killed in the middle: nothing is left but what was there.
        let start = || home.command(&["train", "--decisions"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut both = [start(), start()];
        let begun = Instant::now();
        let refused = loop {
            if let Some(refused) = both.iter_mut().position(|one| one.try_wait().unwrap().is_some()) {
                break refused;
            }
            assert!(begun.elapsed() < PATIENCE, "both go on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let [one, other] = both;
        let (refused, mut first) = if refused == 0 { (one, other) } else { (other, one) };
        let refused = refused.wait_with_output().unwrap();
        assert!(stderr(&refused).contains("another training goes on"), "{}", stderr(&refused));
        assert_eq!(refused.status.code(), Some(1));
        assert!(first.try_wait().unwrap().is_none(), "it goes on");
        first.kill().unwrap();
        first.wait().unwrap();
        assert_eq!(home.stdout(&["models", "list"]), models);

        let forced = home.run(&["train", "--decisions", "--force"]);
        assert!(forced.status.success(), "{}", stderr(&forced));
        assert!(stderr(&forced).contains("kept by force"));
        assert_eq!(home.stdout(&["models", "list"]).lines().count(), 2);
    }
}
