//! What an operator does beside a running server: back up and restore, look whether all is well, rotate keys.

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
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use client::Client;
use program::{Home, on_each_database};
use serde_json::{Value, json};

async fn post(site: &Client, external_id: &str) -> u16 {
    let comment = json!({
        "body": format!("Avis {external_id}, merci."),
        "author": {"id": external_id, "name": "Awa"},
        "external_id": external_id,
    });
    site.post("/v1/threads/a/comments", comment).await.0
}

/// Everything there is of the site, page after page.
async fn everything(site: &Client) -> Vec<Value> {
    let mut all = Vec::new();
    for list in ["/v1/comments?limit=200", "/v1/threads?limit=200"] {
        let mut next = list.to_owned();
        loop {
            let (status, page) = site.get(&next).await;
            assert_eq!(status, 200, "{page}");
            all.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(cursor) => next = format!("{list}&cursor={cursor}"),
                None => break,
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_under_load_is_whole_and_is_restored() {
    let home = Home::new(None);
    home.stdout(&["site", "add", "bamako"]);
    let server = home.serve();
    let token = home.token("site", "bamako");
    let site = Client::of(&server, &token);
    for number in 0..20 {
        assert!(matches!(
            post(&site, &format!("before-{number}")).await,
            201 | 202
        ));
    }
    let before = site.get("/v1/threads/a").await.1;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (site, stop) = (site.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut posted = 0;
                while !stop.load(Ordering::Relaxed) {
                    assert!(matches!(
                        post(&site, &format!("{writer}-{posted}")).await,
                        201 | 202
                    ));
                    posted += 1;
                }
                posted
            })
        })
        .collect();
    let copy = home.directory.path().join("copy.db");
    let copied = {
        let (home, copy) = (home.clone(), copy.clone());
        tokio::task::spawn_blocking(move || home.stdout(&["backup", copy.to_str().unwrap()]))
    };
    assert_eq!(copied.await.unwrap().trim_end(), copy.to_str().unwrap());
    stop.store(true, Ordering::Relaxed);
    let mut posted = 0;
    for writer in writers {
        posted += writer.await.unwrap();
    }
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let again = home.failure(&["backup", copy.to_str().unwrap()]);
    assert!(again.contains("is there already"), "{again}");
    let left: Vec<_> = std::fs::read_dir(home.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".palabre-backup"))
        .collect();
    assert!(left.is_empty(), "{left:?}");

    // Restored elsewhere: the same keys, so the same tokens; a part of what was posted meanwhile, and all from before.
    let restored = Home::new(None);
    std::fs::create_dir(restored.data_dir()).unwrap();
    std::fs::copy(&copy, restored.data_dir().join("palabre.db")).unwrap();
    let second = restored.serve();
    let there = Client::of(&second, &token);
    let counts = &there.get("/v1/threads/a").await.1["counts"];
    let all = |counts: &Value| {
        counts["published"].as_u64().unwrap() + counts["pending"].as_u64().unwrap()
    };
    assert!(all(counts) >= all(&before["counts"]));
    assert!(all(counts) <= all(&before["counts"]) + posted);
    let (here, there) = (everything(&site).await, everything(&there).await);
    assert!(there.len() > 20);
    for thing in &there {
        // A thread's counts go on changing; everything else is as it was.
        if thing.get("counts").is_none() {
            assert!(here.contains(thing), "{thing}");
        }
    }
}

on_each_database! {
    async fn a_doctor_finds_a_healthy_installation_healthy(home: Home) {
        home.stdout(&["site", "add", "bamako"]);
        let server = home.serve();
        let findings: Vec<Value> = home
            .stdout(&["doctor", "--json"])
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let about: Vec<&str> = findings.iter().map(|finding| finding["about"].as_str().unwrap()).collect();
        for thing in ["database", "migrations", "keys", "model", "clock"] {
            assert!(about.contains(&thing), "{about:?}");
        }
        if home.database_url.is_none() {
            assert!(about.contains(&"disk") && about.contains(&"directory"), "{about:?}");
        }
        let vacuumed = match &home.database_url {
            Some(url) => autovacuum(url).await,
            None => true,
        };
        for finding in &findings {
            let expected = if finding["about"] == "database" && !vacuumed { "warning" } else { "ok" };
            // The disk of a machine that tests run on may be nearly full; nothing else may be amiss.
            assert!(finding["about"] == "disk" || finding["health"] == expected, "{finding}");
        }
        drop(server);
    }
}

/// Whether a PostgreSQL looks after its tables by itself.
async fn autovacuum(url: &str) -> bool {
    let pool = sqlx::PgPool::connect(url).await.unwrap();
    let setting: String = sqlx::query_scalar("SHOW autovacuum")
        .fetch_one(&pool)
        .await
        .unwrap();
    pool.close().await;
    setting == "on"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_says_what_is_wrong_and_changes_nothing() {
    let home = Home::new(None);
    let message = home.run(&["doctor"]);
    assert!(!message.status.success());
    let said = String::from_utf8(message.stdout).unwrap();
    assert!(
        said.contains("FAILURE") && said.contains("palabre serve"),
        "{said}"
    );
    assert!(!home.data_dir().exists(), "a doctor makes nothing");

    home.stdout(&["site", "add", "bamako"]);
    let file = home.data_dir().join("palabre.db");
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", file.display()))
        .await
        .unwrap();
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    let message = home.run(&["doctor"]);
    assert!(!message.status.success());
    let said = String::from_utf8(message.stdout).unwrap();
    assert!(said.contains("migrated by a newer version"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_postgres_is_told_how_to_be_made() {
    let Some(database) = postgres::PostgresDatabase::create().await else {
        return;
    };
    let home = Home::new(Some(database.url.clone()));
    let copy = home.directory.path().join("copy.db");
    let message = home.failure(&["backup", copy.to_str().unwrap()]);
    database.drop().await;
    assert!(message.contains("pg_dump"), "{message}");
    assert!(!copy.exists());
}

on_each_database! {
    async fn keys_are_rotated_beside_a_running_server(home: Home) {
        home.stdout(&["site", "add", "bamako"]);
        let server = home.serve();
        let first = Client::of(&server, &home.token("site", "bamako"));
        assert_eq!(first.get("/v1/threads").await.0, 200);
        home.stdout(&["key", "rotate"]);
        assert_eq!(home.stdout(&["key", "list"]).lines().count(), 2);
        let second = Client::of(&server, &home.token("site", "bamako"));
        assert_eq!(second.get("/v1/threads").await.0, 200, "the new key is believed at once");
        assert_eq!(first.get("/v1/threads").await.0, 200, "and the one before still is");
        home.stdout(&["key", "rotate"]);
        let begun = std::time::Instant::now();
        while first.get("/v1/threads").await.0 != 401 {
            assert!(begun.elapsed() < program::PATIENCE, "the first key is still believed");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(second.get("/v1/threads").await.0, 200);
    }
}
