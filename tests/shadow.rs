//! A model that scores beside the live one, as an admin sets and looks at it on the command line, beside running servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail loudly"
)]

#[path = "support/client.rs"]
mod client;
#[path = "support/models.rs"]
mod models;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/program.rs"]
mod program;

use std::time::{Duration, Instant};

use client::Client;
use palabre::classifier::Model;
use program::{Home, PATIENCE, on_each_database};
use serde_json::{Value, json};

const CALM: &str = "Merci pour cet article,\nil explique bien la réforme.";

/// The id of a new comment; none where the server went away.
async fn post(site: &Client, body: &str) -> Option<String> {
    let comment = json!({"body": body, "author": {"id": "awa", "name": "Awa"}});
    let (_, posted) = site.try_post("/v1/threads/a/comments", comment).await?;
    Some(posted["id"].as_str()?.to_owned())
}

fn import(home: &Home, artefact: &[u8]) -> String {
    let path = home.directory.path().join("ours.model");
    std::fs::write(&path, artefact).unwrap();
    let path = path.to_str().unwrap().to_owned();
    home.stdout(&["models", "import", &path]);
    path
}

fn compared(home: &Home) -> Value {
    serde_json::from_str(&home.stdout(&["models", "compare", "--json"])).unwrap()
}

/// Waits until the shadow scored so many comments, and no longer.
async fn wait_for(home: &Home, comments: u64) {
    let begun = Instant::now();
    while compared(home)["compared"].as_u64().unwrap() < comments {
        assert!(
            begun.elapsed() < PATIENCE,
            "{}; {}",
            compared(home),
            home.log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

on_each_database! {
    async fn servers_score_for_the_shadow_and_the_command_line_compares(home: Home) {
        home.stdout(&["site", "add", "bamako"]);
        let servers = [home.serve(), home.serve()];
        let [one, other] = servers.each_ref().map(|server| Client::of(server, &home.token("site", "bamako")));
        import(&home, &models::harsh("ours-1"));
        let message = home.failure(&["models", "compare"]);
        assert!(message.contains("make it the shadow first"), "{message}");
        home.stdout(&["models", "shadow", "ours-1"]);
        let list = home.stdout(&["models", "list"]);
        assert!(list.contains("shadow  ours-1  trained") && list.contains("live  "), "{list}");
        assert!(home.stdout(&["models", "compare"]).contains("Nothing to compare yet"));

        let calm = post(&one, CALM).await.unwrap();
        post(&other, "Le marché rouvre lundi matin, avec de nouveaux hangars.").await.unwrap();
        wait_for(&home, 2).await;
        let shown = home.stdout(&["models", "compare", "ours-1", "--site", "bamako"]);
        for part in [
            "2 comments that both scored",
            "the shadow only                 2",
            &format!("{calm}  bamako/a  insult 0.0"),
            "→ 1.000",
            "the shadow would hold it\n  Merci pour cet article, il explique bien la réforme.\n",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
        assert!(!home.stdout(&["models", "compare", "--limit", "0"]).contains(&calm));
        assert!(home.stdout(&["models", "compare", "--since", "2999-01-01T00:00:00.000Z"]).contains("scored no such comment"));
        assert!(home.failure(&["models", "compare", "--site", "nowhere"]).contains("not found"));
        assert!(home.failure(&["models", "compare", "ours-2"]).contains("not found"));
        assert!(home.log().lines().all(|line| !line.contains("Merci pour")), "texts are not for logs");

        let live = Model::from_bytes(Model::SHIPPED).unwrap().version().to_owned();
        assert!(home.failure(&["models", "compare", &live]).contains("make it the shadow first"));
        assert!(home.failure(&["models", "shadow", &live]).contains("the model is live"));
        assert!(!home.run(&["models", "shadow"]).status.success());
        home.stdout(&["models", "shadow", "--off"]);
        home.stdout(&["models", "shadow", "--off"]);
        assert!(home.failure(&["models", "compare"]).contains("make it the shadow first"));
    }
}

on_each_database! {
    async fn what_was_written_is_scored_though_the_server_is_killed(home: Home) {
        home.stdout(&["site", "add", "bamako"]);
        import(&home, &models::wary("ours-1"));
        home.stdout(&["models", "shadow", "ours-1"]);
        let mut stored = 0;
        for life in 0..3 {
            let mut server = home.serve();
            let site = Client::of(&server, &home.token("site", "bamako"));
            let writer = tokio::spawn(async move {
                let mut stored = 0;
                while post(&site, &format!("Phrase {stored} de la vie {life}, merci.")).await.is_some() {
                    stored += 1;
                }
                stored
            });
            // It is scoring by then, and goes on posting.
            wait_for(&home, stored + 150).await;
            server.kill();
            stored += writer.await.unwrap();
        }
        // A comment whose answer was lost may be stored: all that are there have scores in the end.
        let server = home.serve();
        let site = Client::of(&server, &home.token("site", "bamako"));
        post(&site, CALM).await.unwrap();
        wait_for(&home, stored + 1).await;
        let (_, thread) = site.get("/v1/threads/a").await;
        let counts = thread["counts"].as_object().unwrap().values();
        let all: u64 = counts.map(|count| count.as_u64().unwrap()).sum();
        wait_for(&home, all).await;
        assert_eq!(compared(&home)["compared"], all);
    }
}

on_each_database! {
    async fn a_model_of_the_registry_is_measured_by_its_version(home: Home) {
        let labels = home.directory.path().join("labels.jsonl");
        let rows = ["Tu es un imbécile.", "Merci beaucoup."].map(|text| {
            let wrong = u8::from(text.starts_with("Tu"));
            json!({"id": text, "text": text, "lang": "fr", "labels": {"toxic": wrong, "insult": wrong}, "source": "ours"}).to_string()
        });
        std::fs::write(&labels, rows.join("\n")).unwrap();
        let eval = |model: &[&str]| {
            let args = [&["eval", "--json", "--data", labels.to_str().unwrap()], model].concat();
            home.run(&args)
        };
        let outcome = |model: &[&str]| {
            let output = eval(model);
            assert!(output.status.success(), "{}", program::stderr(&output));
            output.stdout
        };
        let shipped = outcome(&[]);
        let path = import(&home, &models::harsh("ours-1"));
        let ours = outcome(&["--model", "ours-1"]);
        assert!(ours != shipped && ours == outcome(&["--model", &path]));
        for (unknown, words) in [("ours-2", "no model ours-2 in the registry"), ("no/such.model", "cannot be read")] {
            let output = eval(&["--model", unknown]);
            assert!(!output.status.success() && output.stdout.is_empty());
            assert!(program::stderr(&output).contains(words), "{}", program::stderr(&output));
        }
    }
}
