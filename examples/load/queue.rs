//! What moderators ask, by several of them at once.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::task::JoinSet;

use crate::{
    client::{Client, Target},
    meter::Latencies,
};

/// How many pages deep a moderator goes.
pub const PAGES: usize = 20;

/// A question to the queue.
pub struct Question {
    pub what: &'static str,
    pub path: &'static str,
    /// How many pages are asked for, one after the other.
    pub pages: usize,
}

const fn question(what: &'static str, path: &'static str) -> Question {
    Question {
        what,
        path,
        pages: 1,
    }
}

/// What is asked of a queue that has grown. No text has the word `xylograve`.
pub const QUESTIONS: [Question; 8] = [
    question("queue", "/v1/queue"),
    question("queue, threats", "/v1/queue?reason=threat"),
    question("queue, oldest first", "/v1/queue?sort=oldest"),
    question("queue, copies folded", "/v1/queue?collapse=cluster"),
    question("queue, a word many have", "/v1/queue?q=pays"),
    question("queue, a word none has", "/v1/queue?q=xylograve"),
    Question {
        what: "queue, 20 pages deep",
        path: "/v1/queue?limit=50",
        pages: PAGES,
    },
    question("queue counts", "/v1/queue/counts"),
];

/// Asks a question again and again. Each page counts as an answer; each client asks once at least.
pub async fn ask(
    target: &Target,
    clients: usize,
    question: &'static Question,
    time: Duration,
) -> anyhow::Result<(Latencies, f64)> {
    let latencies = Rc::new(RefCell::new(Latencies::default()));
    let begun = Instant::now();
    let mut asking = JoinSet::new();
    for _ in 0..clients {
        let mut client = Client::new(target);
        let latencies = Rc::clone(&latencies);
        asking.spawn_local(async move {
            loop {
                walk(&mut client, question, &latencies).await?;
                if begun.elapsed() >= time {
                    return anyhow::Ok(());
                }
            }
        });
    }
    while let Some(client) = asking.join_next().await {
        client.context("a client was cut off")??;
    }
    Ok((latencies.take(), begun.elapsed().as_secs_f64()))
}

async fn walk(
    client: &mut Client,
    question: &Question,
    latencies: &RefCell<Latencies>,
) -> anyhow::Result<()> {
    let mut path = question.path.to_owned();
    for _ in 0..question.pages {
        let answer = client.get(&path).await?;
        let body = String::from_utf8_lossy(&answer.body);
        anyhow::ensure!(
            answer.status == 200,
            "{path} answered {}: {body}",
            answer.status
        );
        latencies.borrow_mut().record(answer.took);
        let next = body
            .rsplit_once("\"next_cursor\":\"")
            .and_then(|(_, after)| after.split('"').next());
        match next {
            Some(cursor) => path = format!("{}&cursor={cursor}", question.path),
            None => break,
        }
    }
    Ok(())
}
