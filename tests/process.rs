//! The `palabre` program as an operator meets it: started, asked, stopped and killed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail loudly"
)]

#[path = "support/client.rs"]
mod client;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/program.rs"]
mod program;

use std::{
    collections::HashMap,
    io::{BufRead as _, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use client::Client;
use program::{Home, PATIENCE, on_each_database, stderr};
use serde_json::{Value, json};

fn comment(body: &str) -> Value {
    json!({"body": body, "author": {"id": "awa", "name": "Awa"}})
}

on_each_database! {
    async fn a_server_told_to_stop_finishes_what_it_does(home: Home) {
        home.stdout(&["site", "add", "bamako"]);
        let token = home.token("site", "bamako");
        let mut server = home.serve();
        let port = server.address.strip_prefix("http://127.0.0.1:").expect("the address is the one asked for");
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let body = comment("Je finis ma phrase.").to_string();
        write!(
            stream,
            "POST /v1/threads/a/comments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
            body.len()
        )
        .unwrap();
        let mut interim = [0; 12];
        stream.read_exact(&mut interim).unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100", "the request is under way");
        server.signal("-TERM");
        // New connections are refused once it is stopping; only then comes the rest of ours.
        let begun = Instant::now();
        while TcpStream::connect(format!("127.0.0.1:{port}")).is_ok() {
            assert!(begun.elapsed() < PATIENCE, "it goes on listening");
            std::thread::sleep(Duration::from_millis(5));
        }
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("HTTP/1.1 201"), "{answer}");
        assert_eq!(server.wait(), (Some(0), String::new()), "one line on stdout, and a clean end");

        let server = home.serve();
        let (_, thread) = Client::of(&server, &token).get("/v1/threads/a").await;
        assert_eq!(thread["counts"]["published"], 1);
    }
}

on_each_database! {
    async fn what_was_answered_survives_a_kill(home: Home) {
        home.stdout(&["site", "add", "bamako"]);
        let token = home.token("site", "bamako");
        let mut answered: HashMap<String, Value> = HashMap::new();
        let mut sent = 0;
        for round in 0..3 {
            let mut server = home.serve();
            let count = Arc::new(AtomicUsize::new(0));
            let writers: Vec<_> = (0..8)
                .map(|writer| {
                    let (client, count) = (Client::of(&server, &token), Arc::clone(&count));
                    tokio::spawn(async move {
                        let mut mine = Vec::new();
                        for number in 0.. {
                            let key = format!("{round}-{writer}-{number}");
                            let mut post = comment(&format!("Mot {key}."));
                            post["external_id"] = json!(key);
                            let path = format!("/v1/threads/t{}/comments", writer % 2);
                            match client.try_post(&path, post).await {
                                Some((201, stored)) => mine.push((key, stored)),
                                None => return (mine, number + 1),
                                Some(other) => panic!("{other:?}"),
                            }
                            count.fetch_add(1, Ordering::Relaxed);
                        }
                        unreachable!()
                    })
                })
                .collect();
            let begun = Instant::now();
            while count.load(Ordering::Relaxed) < 60 {
                assert!(begun.elapsed() < PATIENCE, "the server does not answer");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            server.kill();
            for writer in writers {
                let (mine, tried): (Vec<(String, Value)>, usize) = writer.await.unwrap();
                answered.extend(mine);
                sent += tried;
            }

            let server = home.serve();
            let client = Client::of(&server, &token);
            let mut stored: HashMap<String, Value> = HashMap::new();
            let mut counted = 0;
            for thread in ["t0", "t1"] {
                let path = format!("/v1/threads/{thread}/comments?view=flat&limit=10000");
                let (status, page) = client.get(&path).await;
                assert_eq!(status, 200);
                for one in page["items"].as_array().unwrap() {
                    let key = one["external_id"].as_str().unwrap().to_owned();
                    assert!(stored.insert(key, one.clone()).is_none(), "stored twice: {one}");
                }
                let (_, thread) = client.get(&format!("/v1/threads/{thread}")).await;
                counted += thread["counts"]["published"].as_u64().unwrap();
            }
            assert_eq!(counted, stored.len() as u64);
            assert!(stored.len() <= sent);
            for (key, answer) in &answered {
                let one = stored.get(key).unwrap_or_else(|| panic!("{key} was answered and is lost"));
                assert_eq!((&one["id"], &one["body"]), (&answer["id"], &answer["body"]));
                let (status, whole) = client.get(&format!("/v1/comments/{}", answer["id"].as_str().unwrap())).await;
                assert_eq!((status, &whole), (200, answer));
            }
        }
        assert!(answered.len() >= 180);
    }
}

on_each_database! {
    async fn tokens_and_sites_from_the_command_line(home: Home) {
        // Before the first serve, on nothing at all.
        let admin = home.stdout(&["token", "--role", "admin", "--subject", "root"]);
        assert_eq!(admin.lines().count(), 1);
        assert_eq!(admin.trim_end().split('.').count(), 3, "a JWT and nothing else: {admin:?}");
        let server = home.serve();
        assert_eq!(Client::of(&server, admin.trim_end()).get("/v1/queue").await.0, 200);

        // And beside a running server, which sees it at once.
        assert_eq!(home.stdout(&["site", "add", "le-soir"]), "le-soir\n");
        let token = home.token("site", "le-soir");
        let (status, _) = Client::of(&server, &token).post("/v1/threads/a/comments", comment("Merci.")).await;
        assert_eq!(status, 201);
        let moderator = home.token("moderator", "le-soir");
        assert_eq!(Client::of(&server, &moderator).get("/v1/threads/a").await.0, 200);
        assert_eq!(Client::of(&server, &moderator).post("/v1/threads/a/comments", comment("Merci.")).await.0, 403);

        for (args, words) in [
            (&["site", "add", "le-soir"][..], &["already"][..]),
            (&["site", "add", "Le Soir"], &["a-z"]),
            (&["token", "--role", "site"], &["--site"]),
            (&["token", "--role", "site", "--site", "nowhere"], &["nowhere", "palabre site add"]),
            (&["token", "--role", "owner"], &["site, moderator or admin"]),
            (&["token", "--role", "admin", "--ttl", "soon"], &["8h"]),
        ] {
            let message = home.failure(args);
            for word in words {
                assert!(message.contains(word), "{args:?}: {message}");
            }
        }
        assert_eq!(home.stdout(&["site", "list"]), "le-soir\n");
        let json: Value = serde_json::from_str(&home.stdout(&["site", "list", "--json"])).unwrap();
        assert_eq!(json["slug"], "le-soir");

        let short = home.stdout(&["token", "--role", "admin", "--ttl", "1s"]);
        let client = Client::of(&server, short.trim_end());
        let begun = Instant::now();
        while client.get("/v1/queue").await.0 != 401 {
            assert!(begun.elapsed() < PATIENCE, "it never expires");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

on_each_database! {
    async fn migrating_twice_changes_nothing(home: Home) {
        for _ in 0..2 {
            assert_eq!(home.stdout(&["migrate"]), "the database is up to date\n");
        }
        home.stdout(&["site", "add", "bamako"]);
        home.stdout(&["migrate"]);
        assert_eq!(home.stdout(&["site", "list"]), "bamako\n");
    }
}

/// Runs `palabre score` on these lines.
fn score(home: &Home, args: &[&str], lines: &str) -> Output {
    let mut command = home.command(&[&["score"], args].concat());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn score_takes_any_text_and_keeps_the_order() {
    let home = Home::new(None);
    let mut texts: Vec<String> = vec![
        String::new(),
        "👩🏾‍🌾🇲🇱🔥".into(),
        "é".repeat(10_000),
        "a\0b\u{1}\r\n\u{1b}[31m\u{85}\u{202e}".into(),
        "\u{feff}\u{200b}".into(),
        "> \"«“".into(),
    ];
    texts.extend((0..40).map(|number| format!("Merci pour l'article n° {number}.")));
    let lines: Vec<String> = texts
        .iter()
        .enumerate()
        .map(|(number, text)| {
            json!({"id": number, "text": text, "parent_text": "a", "lang": "fr", "more": 1})
                .to_string()
        })
        .collect();
    let lines = lines.join("\n");
    let output = score(&home, &["--explain"], &lines);
    assert!(output.status.success(), "{}", stderr(&output));
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), texts.len());
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer["id"], number);
        let scores = answer["scores"].as_object().unwrap();
        assert_eq!(scores.len(), 6);
        assert!(
            scores
                .values()
                .all(|score| (0.0..=1.0).contains(&score.as_f64().unwrap()))
        );
        assert!(answer["status"].is_string() && answer["reasons"].is_array());
        assert!(answer["highlights"].is_array());
    }
    assert!(
        answers[6..]
            .iter()
            .all(|answer| answer["status"] == "published")
    );
    let one: Value =
        serde_json::from_str(&home.stdout(&["score", "Merci pour l'article n° 0."])).unwrap();
    assert_eq!(one["scores"], answers[6]["scores"]);
    assert!(!home.data_dir().exists(), "scoring makes no data directory");
}

#[test]
fn score_names_the_line_it_cannot_read() {
    let home = Home::new(None);
    for bad in ["not JSON", "{\"id\": 3}", "{\"id\": 3, \"text\": 7}", "[1]"] {
        let lines =
            format!("{{\"id\": 1, \"text\": \"a\"}}\n\n{bad}\n{{\"id\": 4, \"text\": \"b\"}}\n");
        let output = score(&home, &[], &lines);
        assert_eq!(output.status.code(), Some(1), "{bad}");
        assert!(stderr(&output).contains("line 3"), "{}", stderr(&output));
    }
}

#[test]
fn a_taken_port_is_told_in_words() {
    let home = Home::new(None);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let message = home.failure(&["serve", "--listen", &address]);
    assert!(
        message.contains(&address) && message.contains("--listen"),
        "{message}"
    );
    assert!(!message.contains("panicked"), "{message}");
}

#[test]
fn a_bad_database_is_told_in_words() {
    for (url, word) in [
        ("mysql://x/y", "sqlite:// or postgres://"),
        ("sqlite::memory:", "name a file"),
        ("sqlite:///nowhere/at/all.db", "cannot be opened"),
        (
            "postgres://postgres:s3cr3t@127.0.0.1:1/x",
            "cannot be opened",
        ),
    ] {
        let message = Home::new(Some(url.into())).failure(&["migrate"]);
        assert!(message.contains(word), "{message}");
        assert!(
            !message.contains("s3cr3t") && !message.contains("panicked"),
            "{message}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shows_itself_and_leaves_nothing_behind() {
    let home = Home::new(None);
    let temporary = home.directory.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let mut command = home.command(&["demo", "--listen", "127.0.0.1:0"]);
    command.env("TMPDIR", &temporary);
    let mut server = home.start(command);
    let mut printed = String::new();
    while !printed.contains("Ctrl-C") {
        assert_ne!(
            server.stdout.read_line(&mut printed).unwrap(),
            0,
            "{printed}"
        );
    }
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 1);
    let curls: Vec<&str> = printed
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("curl "))
        .collect();
    assert_eq!(curls.len(), 2, "{printed}");
    if Command::new("curl").arg("--version").output().is_ok() {
        let [posted, queue] = [curls[0], curls[1]].map(|line| {
            let output = Command::new("sh").args(["-c", line]).output().unwrap();
            assert!(output.status.success(), "{line}: {}", stderr(&output));
            serde_json::from_slice::<Value>(&output.stdout).unwrap()
        });
        assert_eq!(posted["status"], "published", "{posted:#}");
        assert_eq!(queue["items"].as_array().unwrap().len(), 3, "{queue:#}");
    } else {
        postgres::say_loudly("NOT TESTED: the curl lines of the demo, since there is no curl");
    }
    let token = |role: &str| {
        let line = printed
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with(role))
            .unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    };
    let site = Client::of(&server, &token("site "));
    let seeds = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/threads")).unwrap();
    for file in seeds {
        let seed: Value =
            serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
        let (status, thread) = site
            .get(&format!(
                "/v1/threads/{}",
                seed["thread"]["key"].as_str().unwrap()
            ))
            .await;
        assert_eq!((status, &thread["title"]), (200, &seed["thread"]["title"]));
        let counts = thread["counts"].as_object().unwrap().values();
        let stored: u64 = counts.map(|count| count.as_u64().unwrap()).sum();
        let written = seed["comments"].as_array().unwrap().len() as u64;
        assert!((written..=written + 1).contains(&stored), "{thread:#}");
    }
    assert_eq!(
        Client::of(&server, &token("moderator "))
            .get("/v1/queue")
            .await
            .0,
        200
    );
    assert_eq!(
        Client::of(&server, &token("admin "))
            .get("/v1/decisions")
            .await
            .0,
        200
    );
    server.signal("-INT");
    assert_eq!(server.wait().0, Some(0));
    assert_eq!(
        std::fs::read_dir(&temporary).unwrap().count(),
        0,
        "its directory is gone"
    );
    assert!(!home.data_dir().exists());
}

on_each_database! {
    async fn nothing_private_is_logged(home: Home) {
        home.stdout(&["site", "add", "bamako"]);
        let (site, moderator) = (home.token("site", "bamako"), home.token("moderator", "bamako"));
        let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("PALABRE_LOG", "debug,sqlx=info");
        let mut server = home.start(command);
        let (reader, binta) = (Client::of(&server, &site), Client::of(&server, &moderator));
        let post = |body: &str, email: &str, ip: &str| {
            json!({
                "body": body, "thread": {"title": "titreprive"},
                "author": {"id": "auteurprive", "name": "nomprive", "email": email, "ip": ip},
            })
        };
        let threat = "texteprive : on va vous égorger, sales chiens, vous allez tous mourir !";
        let path = "/v1/threads/cleprivee/comments";
        let (status, held) = reader.post(path, post(threat, "mail@prive.example", "198.51.100.77")).await;
        assert_eq!(status, 202);
        // Every way to go wrong says what it says to the one who asked, and nobody else.
        assert_eq!(reader.post(path, post("texteprive\0", "texteprive", "texteprive")).await.0, 422);
        assert_eq!(reader.post(path, json!({"texteprive": 1})).await.0, 422);
        assert_eq!(reader.post("/v1/texteprive", json!({})).await.0, 404);
        assert_eq!(binta.get("/v1/queue?q=texteprive&author=auteurprive").await.0, 200);
        assert_eq!(binta.get("/v1/queue?cursor=texteprive").await.0, 422);
        assert_eq!(Client::of(&server, "jetonprive.a.b").get("/v1/queue").await.0, 401);
        assert_eq!(binta.post("/v1/score", json!({"text": "texteprive"})).await.0, 200);
        let decisions = format!("/v1/comments/{}/decisions", held["id"].as_str().unwrap());
        let decision = json!({"action": "hide", "version": 1, "note": "noteprivee"});
        assert_eq!(binta.post(&decisions, decision.clone()).await.0, 201);
        assert_eq!(binta.post(&decisions, decision).await.0, 409);
        server.signal("-TERM");
        assert_eq!(server.wait(), (Some(0), String::new()));

        let log = home.log();
        assert!(log.contains("answered") && log.contains("/v1/threads/{key}/comments"), "{log}");
        let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
        for secret in [
            "prive", "égorger", "198.51.100.77", "nomprive", &signature(&site), &signature(&moderator),
        ] {
            let line = log.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} is in the log");
        }
        if let Some(url) = &home.database_url {
            assert!(!log.contains(url.as_str()));
        }
    }
}
