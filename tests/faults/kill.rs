//! The server is killed in the middle of its work, again and again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    books::Books,
    harness::{Dice, Newspaper, comment, say, size},
    ledger::{Load, Tally, reconcile},
    program::{Home, on_each_database},
};

const WRITERS: usize = 8;

on_each_database! {
    async fn what_was_answered_is_there_once_and_whole_after_every_kill(home: Home) {
        let mut dice = Dice::of("kill");
        let paper = Newspaper::open(home);
        let mut tally = Tally::default();
        for round in 0..size(6, 100) {
            let mut server = paper.serve();
            let writers = (0..WRITERS).map(|_| paper.site(&server)).collect();
            // Threads of its own, so that the first comments of a thread are among those cut off.
            let threads: Vec<String> = (0..3).map(|number| format!("k{round}-{number}")).collect();
            let threads: Vec<&str> = threads.iter().map(String::as_str).collect();
            let load = Load::start(writers, &format!("k{round}"), &threads);
            load.until_acknowledged(dice.below(size(80, 400)) as usize).await;
            // The random moment of the kill.
            tokio::time::sleep(Duration::from_micros(dice.below(20_000))).await;
            server.kill();
            let entries = load.end().await;
            let server = paper.serve();
            tally.add(reconcile(&paper, &server, &entries).await);
        }
        tally.settle(&format!("{} kills", size(6, 100)));
    }
}

on_each_database! {
    async fn a_first_start_that_was_killed_can_be_repeated(home: Home) {
        let mut dice = Dice::of("first start");
        let serve = |home: &Home| home.begin(home.command(&["serve", "--listen", "127.0.0.1:0"]));
        let begun = Instant::now();
        drop(serve(&home).wait_until_it_listens());
        let whole = begun.elapsed();

        let (mut kills, mut under_way) = (0, 0);
        while under_way < size(3, 40) {
            assert!(kills < size(30, 400), "of {kills} kills only {under_way} hit a start at work on the database");
            kills += 1;
            let home = empty(&home).await;
            let mut starting = serve(&home);
            // The random moment of the kill.
            tokio::time::sleep(whole * dice.below(100) as u32 / 100).await;
            under_way += usize::from(is_at_work(&home).await && !starting.listens());
            starting.kill();
            let paper = Newspaper::open(home);
            let server = paper.serve();
            let posted = paper.site(&server).post("/v1/threads/a/comments", comment("awa", "Merci.")).await;
            posted.expect(201);
        }
        say(&format!("{kills} first starts killed, {under_way} of them at work on the database"));
    }
}

/// The same installation with nothing in it.
async fn empty(home: &Home) -> Home {
    if let Some(url) = &home.database_url {
        let mut books = Books::open(url).await;
        books
            .execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            .await;
        books.close().await;
    }
    Home {
        directory: Arc::new(tempfile::tempdir().unwrap()),
        ..home.clone()
    }
}

/// Whether a server is connected to the database, or has made it.
async fn is_at_work(home: &Home) -> bool {
    let Some(url) = &home.database_url else {
        return home.data_dir().join("palabre.db").exists();
    };
    let mut books = Books::open(url).await;
    let connected = "SELECT COUNT(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND application_name = 'palabre'";
    let connected = books.number(connected).await;
    books.close().await;
    connected > 0
}
