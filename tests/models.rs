//! Models as an admin switches between them, on the command line and over HTTP, beside running servers.

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

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use client::Client;
use palabre::classifier::Model;
use program::{Home, PATIENCE, on_each_database};
use serde_json::{Value, json};

/// How soon a running server must follow.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(2);
const TEXT: &str = "Ce ministre est un âne, et son voisin un menteur.";

async fn score(client: &Client) -> Value {
    let text = json!({"text": TEXT, "explain": true});
    client.posted("/v1/score", text).await
}

/// What it scores once it does so with this model.
async fn scored_by(client: &Client, version: &str, within: Duration) -> Value {
    let begun = Instant::now();
    loop {
        let scored = score(client).await;
        if scored["model"] == version {
            return scored;
        }
        assert!(
            begun.elapsed() < within,
            "still scored by {}",
            scored["model"]
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn file(home: &Home, name: &str, bytes: &[u8]) -> String {
    let path = home.directory.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn live(home: &Home) -> String {
    let list = home.stdout(&["models", "list", "--json"]);
    let models = list
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let live: Vec<Value> = models.filter(|model| model["live"] == true).collect();
    assert_eq!(live.len(), 1);
    live[0]["version"].as_str().unwrap().to_owned()
}

fn shipped() -> String {
    Model::from_bytes(Model::SHIPPED)
        .unwrap()
        .version()
        .to_owned()
}

on_each_database! {
    async fn servers_follow_and_drop_nothing(home: Home) {
        home.stdout(&["site", "add", "bamako"]);
        let servers = [home.serve(), home.serve()];
        let site = home.token("site", "bamako");
        let clients = servers.each_ref().map(|server| Client::of(server, &site));
        let before = score(&clients[0]).await;
        assert_eq!(before["model"], shipped());

        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = clients.iter().cloned().enumerate().map(|(writer, client)| {
            let stop = Arc::clone(&stop);
            tokio::spawn(async move {
                let mut posted = 0;
                while !stop.load(Ordering::Relaxed) {
                    let comment = json!({"body": format!("Phrase {posted} de {writer}."), "author": {"id": "a", "name": "A"}});
                    let (status, answer) = client.post(&format!("/v1/threads/t{writer}/comments"), comment).await;
                    assert!(status == 201 || status == 202, "{status}: {answer}");
                    posted += 1;
                }
                posted
            })
        }).collect();

        let ours = file(&home, "ours.model", &models::wary("ours-1"));
        let taken: Value = serde_json::from_str(&home.stdout(&["models", "import", &ours, "--json"])).unwrap();
        assert_eq!((&taken["version"], &taken["live"]), (&json!("ours-1"), &json!(false)));
        home.stdout(&["models", "activate", "ours-1"]);
        for client in &clients {
            let scored = scored_by(client, "ours-1", FOLLOWS_WITHIN).await;
            assert!(scored["scores"]["insult"].as_f64() > before["scores"]["insult"].as_f64());
        }
        home.stdout(&["models", "rollback"]);
        for client in &clients {
            assert_eq!(scored_by(client, &shipped(), FOLLOWS_WITHIN).await, before, "bit for bit");
        }
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            assert!(writer.await.unwrap() > 0);
        }

        // Over HTTP the server that is asked follows at once, the other one soon.
        let admin = Client::of(&servers[0], &home.stdout(&["token", "--role", "admin", "--subject", "root"]));
        let (status, answer) = admin.post("/v1/models/ours-1/activate", json!({})).await;
        assert_eq!((status, &answer["live"]), (200, &json!(true)));
        assert_eq!(score(&clients[0]).await["model"], "ours-1");
        scored_by(&clients[1], "ours-1", FOLLOWS_WITHIN).await;
        let (_, shown) = admin.get("/v1/models/ours-1").await;
        assert_eq!(shown["live"], true);
        assert!(shown["figures"]["test"]["rows"].as_u64() > Some(1000));
        assert_eq!(admin.post("/v1/models:rollback", json!({})).await.1["version"], shipped());
        assert_eq!(score(&clients[0]).await, before);
        assert_eq!(admin.get("/v1/models").await.1["items"].as_array().unwrap().len(), 2);
        assert_eq!(admin.post("/v1/models/nothing/activate", json!({})).await.0, 404);
    }
}

on_each_database! {
    async fn a_step_back_walks_back_and_never_in_circles(home: Home) {
        for version in ["a", "b", "c"] {
            let path = file(&home, version, &models::wary(version));
            home.stdout(&["models", "import", &path]);
            home.stdout(&["models", "activate", version]);
        }
        // What is live already is no second step.
        home.stdout(&["models", "activate", "c"]);
        let back = || {
            home.stdout(&["models", "rollback"]);
            live(&home)
        };
        assert_eq!([back(), back()], ["b", "a"]);
        home.stdout(&["models", "activate", "c"]);
        assert_eq!([back(), back()], ["a".to_owned(), shipped()], "back over what was gone back over");
        let message = home.failure(&["models", "rollback"]);
        assert!(message.contains("no model was live before"), "{message}");
        assert_eq!(live(&home), shipped());
    }
}

on_each_database! {
    async fn what_is_damaged_or_newer_is_refused_and_the_live_one_stays(home: Home) {
        let good = models::wary("ours-1");
        let mut newer = good.clone();
        newer[8] = 99;
        let mut damaged = good.clone();
        damaged[1_000_000] ^= 1;
        let named = models::changed(|header| header["version"] = "no name/at all".into());
        let other = models::changed(|header| header["bias"]["spam"] = 0.into());
        for (name, bytes, words) in [
            ("newer", &newer, "a newer Palabre is needed"),
            ("damaged", &damaged, "damaged"),
            ("cut", &good[..5_000].to_vec(), "cut off"),
            ("text", &b"hello".to_vec(), "no Palabre model"),
            ("named", &named, "letters, digits"),
            ("other", &other, "another model of that name"),
        ] {
            let path = file(&home, name, bytes);
            let message = home.failure(&["models", "import", &path]);
            assert!(message.contains(words) && message.contains(name), "{message}");
        }
        let message = home.failure(&["models", "activate", "ours-1"]);
        assert!(message.contains("ours-1") && message.contains("not found"), "{message}");

        // What goes bad after it was stored does not go live either, on any server.
        let path = file(&home, "ours", &good);
        home.stdout(&["models", "import", &path]);
        home.stdout(&["models", "import", &path]);
        home.sql("UPDATE models SET checksum = 'x' WHERE version = 'ours-1'").await;
        let message = home.failure(&["models", "activate", "ours-1"]);
        assert!(message.contains("damaged"), "{message}");
        assert_eq!(live(&home), shipped());

        let server = home.serve();
        let client = Client::of(&server, &home.stdout(&["token", "--role", "admin"]));
        let (status, problem) = client.post("/v1/models/ours-1/activate", json!({})).await;
        assert_eq!((status, problem["type"].as_str()), (409, Some("urn:palabre:problem:model-unusable")));
        home.sql("INSERT INTO model_activations (version, at) VALUES ('ours-1', 1)").await;
        let begun = Instant::now();
        while !home.log().contains("those in use stay") {
            assert!(begun.elapsed() < PATIENCE, "it is told nowhere");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(score(&client).await["model"], shipped());
    }
}

on_each_database! {
    async fn a_model_goes_from_one_installation_to_another(home: Home) {
        let path = file(&home, "ours", &models::wary("ours-1"));
        home.stdout(&["models", "import", &path]);
        let out = home.directory.path().join("out.model");
        let out = out.to_str().unwrap();
        home.stdout(&["models", "export", "ours-1", out]);
        assert!(std::fs::read(out).unwrap() == models::wary("ours-1"));
        assert!(home.failure(&["models", "export", "ours-1", out]).contains("is there already"));
        let elsewhere = Home::new(None);
        elsewhere.stdout(&["models", "import", out]);
        let shown = elsewhere.stdout(&["models", "show", "ours-1", "--json"]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!((&shown["origin"], &shown["live"]), (&json!("trained"), &json!(false)));
        assert!(elsewhere.stdout(&["models", "list"]).lines().count() == 2);
    }
}

on_each_database! {
    async fn stored_comments_get_scores_of_the_live_model_and_nothing_else_changes(home: Home) {
        home.stdout(&["site", "add", "bamako"]);
        let server = home.serve();
        let site = Client::of(&server, &home.token("site", "bamako"));
        let moderator = Client::of(&server, &home.token("moderator", "bamako"));
        let mut ids = Vec::new();
        for (n, body) in [TEXT, "Tu es un imbécile et un menteur !", "Merci pour cet article.", "On va tous vous pendre, chiens !"].iter().enumerate() {
            let comment = json!({"body": body, "author": {"id": "a", "name": "A"}});
            let (_, posted) = site.post(&format!("/v1/threads/t{}/comments", n % 2), comment).await;
            ids.push(posted["id"].as_str().unwrap().to_owned());
        }
        let hide = json!({"action": "hide", "version": 1, "reason": "abusive"});
        moderator.post(&format!("/v1/comments/{}/decisions", ids[1]), hide).await;
        let all = || async {
            let mut all = Vec::new();
            for id in &ids {
                all.push(moderator.get(&format!("/v1/comments/{id}")).await.1);
            }
            all
        };
        let before = all().await;
        let priorities = || async {
            let (_, queue) = moderator.get("/v1/queue").await;
            let items = queue["items"].as_array().unwrap().iter();
            items.map(|item| item["priority"]["value"].as_f64().unwrap()).sum::<f64>()
        };
        let waited = priorities().await;
        let rescored = |args: &[&str]| {
            let answer: Value = serde_json::from_str(&home.stdout(&[&["rescore", "--json"], args].concat())).unwrap();
            answer["rescored"].as_u64().unwrap()
        };
        assert_eq!(rescored(&[]), 0, "the live model scored them all");

        let path = file(&home, "ours", &models::wary("ours-1"));
        home.stdout(&["models", "import", &path]);
        home.stdout(&["models", "activate", "ours-1"]);
        scored_by(&site, "ours-1", PATIENCE).await;
        assert_eq!(rescored(&["--since", "2999-01-01T00:00:00.000Z"]), 0);
        assert_eq!(rescored(&["--site", "bamako", "--thread", "t1"]), 2);
        assert_eq!(rescored(&[]), 2, "it goes on where it was");
        assert_eq!(rescored(&[]), 0);
        for (before, after) in before.iter().zip(all().await) {
            assert!(after["scores"]["insult"].as_f64() > before["scores"]["insult"].as_f64());
            let mut same = after.clone();
            assert_eq!(same["model"], "ours-1");
            same["model"] = before["model"].clone();
            same["scores"] = before["scores"].clone();
            assert_eq!(&same, before, "status, reasons, version and decision stay");
        }
        assert!(priorities().await > waited, "what waits has another place");
        assert!(home.failure(&["rescore", "--site", "bamako", "--thread", "nowhere"]).contains("not found"));
        assert!(!home.run(&["rescore", "--since", "soon"]).status.success());

        let simulate = |args: &[&str]| -> Value {
            let args = [&["simulate", "bamako", "--json", "--days", "1"], args].concat();
            serde_json::from_str(&home.stdout(&args)).unwrap()
        };
        let tried = simulate(&["--max-cards", "0"]);
        assert_eq!((&tried["received"], &tried["hidden"]), (&json!(4), &json!(1)));
        assert_eq!((&tried["tried"]["cards_a_day"], &tried["tried"]["misses"]), (&json!(0.0), &json!(1)));
        let all = simulate(&["--hold", "toxicity=0"]);
        assert_eq!(all["tried"]["cards_a_day"], json!(4.0));
        let figures = |what: &str| -> Value {
            serde_json::from_str(&home.stdout(&["models", what, "--site", "bamako", "--json"])).unwrap()
        };
        assert_eq!(figures("recall")["least_judged"], 50);
        assert_eq!(figures("agreement")["pairs"], 0);
        assert!(home.stdout(&["models", "agreement"]).contains("no text was decided by two"));
        let calm = json!({"action": "hide", "version": 1, "reason": "abusive"});
        moderator.post(&format!("/v1/comments/{}/decisions", ids[2]), calm).await;
        let listed = home.stdout(&["models", "disagreements", "--label", "insult", "--json"]);
        let listed: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
        assert_eq!((&listed["comment"]["id"], &listed["decided"]), (&json!(ids[2]), &json!(true)));
        assert!(home.stdout(&["models", "disagreements"]).contains(&ids[2]));
        for what in ["recall", "agreement", "disagreements"] {
            assert!(home.failure(&["models", what, "--site", "nowhere"]).contains("not found"), "{what}");
        }
        assert!(!home.run(&["models", "recall", "--from", "yesterday"]).status.success());
        assert!(home.failure(&["simulate", "nowhere"]).contains("no site nowhere"));
        assert!(!home.run(&["simulate", "bamako", "--hold", "toxicity=2"]).status.success());
    }
}
