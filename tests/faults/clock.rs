//! The machine's clock steps back an hour, and forward again, while the server runs.

use std::collections::HashSet;

use serde_json::Value;

use crate::{
    harness::{Client, Newspaper, THREAT, comment, id, say},
    ledger::{Load, reconcile},
    program::{Home, on_each_database},
    shim::Shim,
};

const HOUR: i64 = 3600;
/// How many comments are posted one after another under each clock.
const EACH: usize = 15;

on_each_database! {
    async fn a_clock_that_steps_back_and_forth_loses_and_reorders_nothing(home: Home) {
        let Some(shim) = Shim::compile(&home) else {
            return;
        };
        let paper = Newspaper::open(home);
        let server = paper.start(shim.before(paper.serving()));
        let (site, moderator) = (paper.site(&server), paper.moderator(&server));
        let writers = (0..4).map(|_| paper.site(&server)).collect();
        let load = Load::start(writers, "c", &["c0", "c1"]);

        let mut written: Vec<Value> = Vec::new();
        write(&site, &mut written).await;
        let held = site.post("/v1/threads/menaces/comments", comment("ada", THREAT)).await.expect(202);
        let mut pages = Pages::of(&site, "/v1/threads/horloge/comments?view=flat&limit=7");
        pages.turn().await;
        let mut queue = Pages::of(&moderator, "/v1/queue?sort=oldest&limit=3");
        let waiting_before = moderator.all("/v1/queue").await;
        let hidden = moderator.decide(&held, "hide").await.expect(201);

        // An hour back, then on to an hour ahead, then as it was.
        for shift in [-HOUR, HOUR, 0] {
            let (reads, acknowledged) = (shim.clock_reads(), load.acknowledged());
            shim.shift_clock(shift);
            write(&site, &mut written).await;
            pages.turn().await;
            queue.turn().await;
            load.until_acknowledged(acknowledged + 20).await;
            assert!(shim.clock_reads() > reads, "the shim is not in use");

            // A moderator works on, across each step.
            if shift == -HOUR {
                let undone = moderator.undo(&hidden).await.expect(201);
                assert_eq!(undone["comment"]["status"], "pending");
                let again = moderator.decide(&undone["comment"], "approve").await.expect(201);
                assert_eq!(again["comment"]["status"], "published");
                let back = moderator.undo(&again).await.expect(201);
                assert_eq!(back["comment"]["status"], "pending");
            }
            let now = site.get(&format!("/v1/comments/{}", id(&held))).await.expect(200);
            let decided = moderator.decide(&now, "hide").await.expect(201);
            let back = moderator.undo(&decided).await.expect(201);
            assert_eq!(back["comment"]["status"], "pending");
        }
        let entries = load.stop().await;
        assert!(entries.iter().all(|entry| entry.acknowledged().is_some()), "{:?}",
            entries.iter().find(|entry| entry.acknowledged().is_none()));

        let order: Vec<&str> = written.iter().map(id).collect();
        let times: Vec<&str> = written.iter().map(|comment| comment["created_at"].as_str().unwrap()).collect();
        let back = times.windows(2).position(|pair| pair[0] > pair[1]);
        assert_eq!(back.map(|at| &times[at..at + 2]), None, "created_at goes back within a thread");
        for (sort, expected) in [("oldest", order.clone()), ("newest", order.iter().rev().copied().collect())] {
            let shown = site.all(&format!("/v1/threads/horloge/comments?view=flat&limit=11&sort={sort}")).await;
            assert_eq!(shown.iter().map(id).collect::<Vec<_>>(), expected, "sorted by {sort}");
        }
        // Whoever was paging through meanwhile saw each once, and what was there at the beginning at all.
        pages.read_to_the_end().await;
        assert_eq!(pages.seen.len(), pages.seen.iter().collect::<HashSet<_>>().len(), "a page showed a comment again");
        for there in &order[..EACH] {
            assert!(pages.seen.iter().any(|seen| seen == there), "a page left out {there}");
        }
        queue.read_to_the_end().await;
        assert_eq!(queue.seen.len(), queue.seen.iter().collect::<HashSet<_>>().len(), "the queue showed an item again");
        for item in &waiting_before {
            let there = id(&item["comment"]);
            assert!(there == id(&held) || queue.seen.iter().any(|seen| seen == there), "the queue left out {there}");
        }
        let log = moderator.all(&format!("/v1/decisions?comment={}&limit=2", id(&held))).await;
        let times: Vec<&str> = log.iter().map(|decision| decision["at"].as_str().unwrap()).collect();
        assert_eq!(log.len(), 10, "{log:#?}");
        assert!(times.windows(2).all(|pair| pair[0] > pair[1]), "the log of a comment is out of order: {times:?}");
        let before = written.len() + entries.len();
        say(&format!("clock: {before} posts under four clocks, {} decisions", log.len()));
        reconcile(&paper, &server, &entries).await.settle("clock");
    }
}

/// Posts a few comments, each after the answer to the one before.
async fn write(site: &Client, written: &mut Vec<Value>) {
    for _ in 0..EACH {
        let number = written.len();
        let body = comment(&format!("a{number}"), &format!("Avis n° {number}."));
        let answer = site.post("/v1/threads/horloge/comments", body).await;
        written.push(answer.expect(201));
    }
}

/// Somebody who turns the pages of a list, one by one.
struct Pages<'a> {
    client: &'a Client,
    path: &'static str,
    cursor: Option<String>,
    over: bool,
    seen: Vec<String>,
}

impl<'a> Pages<'a> {
    fn of(client: &'a Client, path: &'static str) -> Self {
        Self {
            client,
            path,
            cursor: None,
            over: false,
            seen: Vec::new(),
        }
    }

    async fn turn(&mut self) {
        if self.over {
            return;
        }
        let path = match &self.cursor {
            Some(cursor) => format!("{}&cursor={cursor}", self.path),
            None => self.path.to_owned(),
        };
        let page = self.client.get(&path).await.expect(200);
        for item in page["items"].as_array().unwrap() {
            let comment = item.get("comment").unwrap_or(item);
            self.seen.push(id(comment).to_owned());
        }
        self.cursor = page["next_cursor"].as_str().map(str::to_owned);
        self.over = self.cursor.is_none();
    }

    async fn read_to_the_end(&mut self) {
        for _ in 0..10_000 {
            if self.over {
                return;
            }
            self.turn().await;
        }
        panic!("{} never ends", self.path);
    }
}
