//! The report of a training as a page: of an accepted model, of a refused one, and of one that was stored, with what people
//! wrote shown as text and nothing else.

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

use std::fs;

use client::Client;
use palabre::classifier::Model;
use program::{Home, on_each_database, stderr};
use reqwest::Method;
use serde_json::{Value, json};
use site::Dice;

/// What a reader may add to a comment to harm who reads the report.
const HOSTILE: &str =
    "<img src=x onerror=alert(1)> </td><script>alert(2)</script> \"q\" 'x' & \u{202e}gnorw";

/// What must hold of the page whatever is in it.
fn is_harmless(page: &str) {
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    for bad in [
        "<script",
        "<img",
        "onerror=alert(1)>",
        "\u{202e}",
        " style=",
        "http:",
        "https:",
        " src=\"",
        "url(",
    ] {
        assert!(!page.contains(bad), "{bad}");
    }
    for tag in [
        "table", "tbody", "thead", "svg", "figure", "div", "main", "q", "h2",
    ] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

on_each_database! {
    async fn a_report_shows_what_changes_and_no_ones_markup(home: Home) {
        home.stdout(&["site", "add", "bamako"]);
        let server = home.serve();
        let reader = Client::of(&server, &home.token("site", "bamako"));
        let moderator = Client::of(&server, &home.token("moderator", "bamako"));
        let mut dice = Dice::new(21);
        let comments = site::comments(&mut dice, 400).into_iter().enumerate();
        let comments = comments.map(|(n, (body, rude))| {
            let tail = if n % 5 == 0 { HOSTILE } else { "" };
            (format!("{body} {tail}"), rude)
        });
        day::busy(&reader, &moderator, comments.collect()).await;
        let directory = home.directory.path().join("new/report");
        let printed = home.stdout(&["train", "--decisions", "--json", "--report", directory.to_str().unwrap()]);
        let page = fs::read_to_string(directory.join("index.html")).unwrap();
        is_harmless(&page);
        for expected in ["<b>Accepted:</b>", "better on", "&lt;img src=x", "&lt;U+202E&gt;", "By language", "By thread", ">newly<", "replay sample"] {
            assert!(page.contains(expected), "{expected}");
        }
        assert!(page.matches("role=\"img\"").count() >= 8, "two overviews, and three plots for each of two labels");

        // Figures stay longer than comments: they say nobody's words.
        let kept = fs::read_to_string(directory.join("report.json")).unwrap();
        assert!(kept.len() < 200_000 && !kept.contains("onerror"), "{}", kept.len());
        let report: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), report);

        let gone = report["closer"]["movers"][0]["comment"].as_str().unwrap();
        let words = reader.ask(Method::GET, &format!("/v1/comments/{gone}")).await;
        let words: Value = words.json().await.unwrap();
        let words: String = words["body"].as_str().unwrap().chars().take(30).collect();
        let words = words.replace('\'', "&#39;");
        assert!(page.contains(&words));
        assert!(!page.contains("deleted since"));
        let deleted = reader.ask(Method::DELETE, &format!("/v1/comments/{gone}")).await;
        assert!(deleted.status().is_success());
        let admin = Client::of(&server, &home.stdout(&["token", "--role", "admin", "--subject", "root"]));
        let version = report["version"].as_str().unwrap();
        let served = admin.ask(Method::GET, &format!("/v1/models/{version}/report")).await;
        assert_eq!(served.status(), 200);
        assert!(served.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        let policy = served.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        let served = served.text().await.unwrap();
        is_harmless(&served);
        assert!(served.contains(&policy[..60]), "the page itself says the same");
        assert!(served.contains(&format!("deleted since</small> <code>{gone}")) && !served.contains(&words), "{gone}");

        let shipped = Model::from_bytes(Model::SHIPPED).unwrap();
        let shipped = admin.ask(Method::GET, &format!("/v1/models/{}/report", shipped.version())).await;
        let shipped = shipped.text().await.unwrap();
        is_harmless(&shipped);
        assert!(shipped.contains("held against no other model") && shipped.contains("<th scope=\"row\">threat"));
        let unknown = admin.ask(Method::GET, "/v1/models/none/report").await;
        assert_eq!(unknown.status(), 404);
    }
}

on_each_database! {
    async fn a_refused_training_has_a_report_too_and_labelled_rows_are_named_by_their_place(home: Home) {
        let comments = site::comments(&mut Dice::new(7), 400);
        let rows = |toxic: fn(bool) -> bool| -> Vec<String> {
            let row = |(text, rude): &(String, bool)| {
                let toxic = u8::from(toxic(*rude));
                let labels = json!({"toxic": toxic, "insult": toxic});
                format!("{}\n", json!({"text": format!("{text} {HOSTILE}"), "lang": "fr", "source": "a", "labels": labels}))
            };
            comments.iter().map(row).collect()
        };
        let (first, second) = (home.directory.path().join("a.jsonl"), home.directory.path().join("b.jsonl"));
        let directory = home.directory.path().join("report");
        let train = |rows: Vec<String>, more: &[&str]| {
            fs::write(&first, rows[..150].concat()).unwrap();
            fs::write(&second, rows[150..].concat()).unwrap();
            let [first, second, report] = [&first, &second, &directory].map(|path| path.to_str().unwrap());
            let trained = home.run(&[&["train", "--data", first, "--data", second, "--report", report], more].concat());
            let page = fs::read_to_string(directory.join("index.html")).unwrap();
            is_harmless(&page);
            (trained, page)
        };

        let (refused, page) = train(rows(|rude| !rude), &[]);
        assert_eq!(refused.status.code(), Some(3), "{}", stderr(&refused));
        assert!(page.contains("<b>Refused:</b>") && page.contains("It was not kept, and nothing has changed."));
        assert!(page.contains("✗ no"));

        // What is shown of a labelled comment is what stands in that row.
        let (kept, page) = train(rows(|rude| rude), &["--force"]);
        assert!(kept.status.success(), "{}", stderr(&kept));
        let report: Value = serde_json::from_slice(&fs::read(directory.join("report.json")).unwrap()).unwrap();
        let movers = report["closer"]["movers"].as_array().unwrap();
        assert!(movers.len() > 20, "{}", movers.len());
        for mover in movers {
            let at: usize = mover["comment"].as_str().unwrap().strip_prefix("labelled ").unwrap().parse().unwrap();
            let place = if at <= 150 { format!("a.jsonl, row {at}<") } else { format!("b.jsonl, row {}<", at - 150) };
            let before = page.split(&place).next().filter(|before| before.len() < page.len());
            let before = before.unwrap_or_else(|| panic!("{place} is not there"));
            let words: String = comments[at - 1].0.chars().take(25).collect();
            let shown = before.rsplit("<q ").next().unwrap();
            assert!(shown.contains(&words.replace('\'', "&#39;")), "{place}: {shown}");
        }
    }
}
