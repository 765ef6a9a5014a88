//! Leases of the queue's items.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::harness::{App, Client, at_once, id, on_each_database, remark};

/// So many held comments of as many authors.
async fn held(app: &App, count: usize) -> Vec<Value> {
    let site = app.site();
    site.put("/v1/threads/pre", json!({"mode": "pre"}))
        .await
        .expect(201);
    let mut comments = Vec::new();
    for number in 0..count {
        comments.push(
            site.comment("pre", &format!("author{number}"), &remark(number))
                .await,
        );
    }
    comments
}

async fn claim(client: &Client, limit: usize) -> Vec<Value> {
    let claimed = client
        .post("/v1/queue/claims", json!({"limit": limit}))
        .await
        .expect(200);
    claimed["items"].as_array().unwrap().clone()
}

fn comment_ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| id(&item["comment"])).collect()
}

on_each_database! {
    async fn two_moderators_never_have_the_same_item(app: App) {
        held(&app, 9).await;
        let (awa, binta) = (app.moderator("awa"), app.moderator("binta"));
        let (first, second) = (claim(&awa, 4).await, claim(&binta, 3).await);
        let (third, rest) = (claim(&awa, 50).await, claim(&binta, 50).await);
        let all: Vec<&str> = [&first, &second, &third, &rest].into_iter().flat_map(|items| comment_ids(items)).collect();
        assert_eq!((first.len(), second.len(), third.len(), rest.len()), (4, 3, 2, 0));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 9, "each item once");
        assert_eq!(first[0]["claim"]["by"], "awa");
        // Whoever looks at the queue sees whose it is, in the order of the queue as before.
        let queue = binta.get("/v1/queue").await.expect(200);
        let by: Vec<&str> = queue["items"].as_array().unwrap().iter()
            .map(|item| item["claim"]["by"].as_str().unwrap()).collect();
        assert_eq!(by.iter().filter(|by| **by == "awa").count(), 6);
    }
}

on_each_database! {
    async fn of_many_at_once_each_gets_others(app: App) {
        held(&app, 100).await;
        let replica = app.beside(crate::harness::open_doors()).await;
        let claimed = at_once((0..64).map(|n| {
            let app = if n % 2 == 0 { &app } else { &replica };
            let moderator = app.moderator(&format!("m{n}"));
            async move { claim(&moderator, 2).await }
        })).await;
        let all: Vec<String> = claimed.iter().flatten().map(|item| id(&item["comment"]).to_owned()).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "no item twice");
        assert_eq!(all.len(), 100, "and none left out");
    }
}

on_each_database! {
    async fn what_somebody_else_has_is_theirs_to_decide(app: App) {
        let comments = held(&app, 2).await;
        let (awa, binta) = (app.moderator("awa"), app.moderator("binta"));
        let mine = claim(&awa, 1).await;
        let comment = &mine[0]["comment"];
        let problem = binta.decide(comment, "hide").await.problem(409, "claimed");
        assert_eq!(problem["claim"]["by"], "awa");
        assert_eq!(problem["current"]["id"], comment["id"]);
        let forced = json!({"action": "hide", "version": 1, "force": true});
        let path = format!("/v1/comments/{}/decisions", id(comment));
        binta.post(&path, forced.clone()).await.problem(403, "forbidden");
        app.admin().post(&path, forced).await.expect(201);
        // What is nobody's anybody decides, without a lease.
        let other = comments.iter().find(|other| other["id"] != comment["id"]).unwrap();
        binta.decide(other, "approve").await.expect(201);
        assert_eq!(claim(&awa, 5).await, Vec::<Value>::new());
    }
}

on_each_database! {
    async fn a_lease_ends_and_is_given_back(app: App) {
        held(&app, 3).await;
        let (awa, binta) = (app.moderator("awa"), app.moderator("binta"));
        let mine = claim(&awa, 3).await;
        let path = |item: &Value| format!("/v1/queue/claims/{}", id(&item["comment"]));
        binta.delete(&path(&mine[0])).await.expect(204);
        assert!(claim(&binta, 3).await.is_empty(), "nobody gives back what another has");
        awa.delete(&path(&mine[0])).await.expect(204);
        awa.delete(&path(&mine[0])).await.expect(204);
        assert_eq!(comment_ids(&claim(&binta, 3).await), [id(&mine[0]["comment"])]);
        // Ten minutes later nobody has the rest.
        app.sql("UPDATE queue SET claimed_until = claimed_until - 600001 WHERE claimed_by = 'awa'").await;
        let queue = binta.get("/v1/queue").await.expect(200);
        let nobodys = queue["items"].as_array().unwrap().iter().filter(|item| item["claim"].is_null());
        assert_eq!(nobodys.count(), 2);
        assert_eq!(claim(&binta, 3).await.len(), 2);
        awa.decide(&mine[1]["comment"], "hide").await.problem(409, "claimed");
        binta.delete("/v1/queue/claims").await.expect(204);
        awa.decide(&mine[1]["comment"], "hide").await.expect(201);
        assert_eq!(claim(&awa, 3).await.len(), 2);
    }
}

on_each_database! {
    async fn who_is_at_work_keeps_what_they_have(app: App) {
        held(&app, 3).await;
        let awa = app.moderator("awa");
        let mine = claim(&awa, 3).await;
        app.sql("UPDATE queue SET claimed_until = claimed_until - 300000").await;
        awa.decide(&mine[0]["comment"], "hide").await.expect(201);
        let until = |item: &Value| item["claim"]["until"].as_str().unwrap().to_owned();
        let before = until(&mine[1]);
        let queue = awa.get("/v1/queue").await.expect(200);
        assert!(until(&queue["items"][0]) >= before, "a decision makes it ten minutes again");
    }
}

on_each_database! {
    async fn decisions_of_one_moderator_do_not_wait_for_each_other(app: App) {
        held(&app, 24).await;
        let awa = app.moderator("awa");
        let mine = claim(&awa, 24).await;
        // Old enough to be made longer by each of them.
        app.sql("UPDATE queue SET claimed_until = claimed_until - 300000").await;
        let status = at_once(mine.into_iter().map(|item| {
            let awa = app.moderator("awa");
            async move { awa.decide(&item["comment"], "hide").await.status.as_u16() }
        })).await;
        assert_eq!(status, [201; 24]);
    }
}

on_each_database! {
    async fn what_cannot_be_claimed_is_refused(app: App) {
        held(&app, 1).await;
        let awa = app.moderator("awa");
        for limit in [0, 51] {
            let answer = awa.post("/v1/queue/claims", json!({"limit": limit})).await;
            assert_eq!(answer.invalid_fields(), ["limit"]);
        }
        let strange = json!({"limit": 1, "filter": {"mood": "calm"}});
        assert_eq!(awa.post("/v1/queue/claims", strange).await.invalid_fields(), ["filter.mood"]);
        let elsewhere = json!({"limit": 1, "filter": {"site": "lyon"}});
        awa.post("/v1/queue/claims", elsewhere).await.problem(404, "site-not-found");
        let spam = json!({"limit": 1, "filter": {"reason": "spam"}});
        assert_eq!(awa.post("/v1/queue/claims", spam).await.expect(200)["items"], json!([]));
    }
}

on_each_database! {
    async fn an_escalated_item_is_nobodys(app: App) {
        held(&app, 1).await;
        let (awa, binta) = (app.moderator("awa"), app.moderator("binta"));
        let mine = claim(&awa, 1).await;
        awa.decide(&mine[0]["comment"], "escalate").await.expect(201);
        binta.decide(&mine[0]["comment"], "hide").await.expect(201);
    }
}

on_each_database! {
    /// Whoever listens is told, and goes on where they were.
    async fn what_happens_is_told_without_a_gap(app: App) {
        let (awa, binta) = (app.moderator("awa"), app.moderator("binta"));
        let mut stream = Stream::open(&awa, None).await;
        let comments = held(&app, 2).await;
        let mine = claim(&binta, 1).await;
        binta.decide(&mine[0]["comment"], "hide").await.expect(201);
        let told = stream.until("comment.decided").await;
        let of_mine: Vec<&str> = told.iter()
            .filter(|event| event.data["comment_id"] == mine[0]["comment"]["id"])
            .map(|event| event.kind.as_str()).collect();
        assert_eq!(of_mine, ["comment.created", "queue.added", "queue.claimed", "comment.decided"]);
        let decided = &told.last().unwrap().data;
        assert_eq!((&decided["by"], &decided["action"], &decided["status"]), (&json!("binta"), &json!("hide"), &json!("hidden")));
        assert_eq!(decided["site"], "bamako");
        // Who was away hears what they missed, from another replica, once.
        let first = told[0].id.clone();
        drop(stream);
        let other = comments.iter().find(|other| other["id"] != mine[0]["comment"]["id"]).unwrap();
        binta.decide(other, "approve").await.expect(201);
        let replica = app.beside(crate::harness::open_doors()).await;
        let mut again = Stream::open(&replica.moderator("awa"), Some(&first)).await;
        let heard = [again.until("comment.decided").await, again.until("comment.decided").await].concat();
        let ids: Vec<&str> = heard.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
        assert!(!ids.contains(&first.as_str()));
        assert_eq!(heard.last().unwrap().data["comment_id"], other["id"]);
        assert_eq!(heard.len(), told.len() - 1 + 1, "what was told, but for the first, and one more");
        // Nobody hears of another site.
        let foreign = app.bearer(palabre::domain::Role::Moderator, "luc", &["lyon"]);
        let mut foreign = Stream::open(&foreign, Some(&first)).await;
        app.other_site().comment("l", "léa", &remark(77)).await;
        assert_eq!(foreign.until("comment.created").await.len(), 1);
        let answer = awa.request(reqwest::Method::GET, "/v1/events").header("last-event-id", "yesterday");
        assert_eq!(awa.send(answer).await.invalid_fields(), ["Last-Event-ID"]);
    }
}

/// An event as it arrives.
#[derive(Debug, Clone)]
struct Heard {
    id: String,
    kind: String,
    data: Value,
}

/// A stream of events, as a browser reads it.
struct Stream {
    answer: reqwest::Response,
    text: String,
}

impl Stream {
    async fn open(client: &Client, since: Option<&str>) -> Self {
        let mut request = client.request(reqwest::Method::GET, "/v1/events");
        if let Some(since) = since {
            request = request.header("last-event-id", since);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut stream = Self {
            answer,
            text: String::new(),
        };
        // The first piece says that the server listens.
        while !stream.text.contains("retry:") {
            stream.read().await;
        }
        stream
    }

    async fn read(&mut self) {
        let piece = tokio::time::timeout(std::time::Duration::from_secs(30), self.answer.chunk());
        let piece = piece
            .await
            .expect("an event in time")
            .unwrap()
            .expect("no end");
        self.text.push_str(std::str::from_utf8(&piece).unwrap());
    }

    /// All events up to the next of a kind.
    async fn until(&mut self, kind: &str) -> Vec<Heard> {
        let mut heard: Vec<Heard> = Vec::new();
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(str::to_owned)
                };
                if let (Some(id), Some(kind), Some(data)) =
                    (field("id: "), field("event: "), field("data: "))
                {
                    let data = serde_json::from_str(&data).unwrap();
                    heard.push(Heard { id, kind, data });
                }
                if heard.last().is_some_and(|last| last.kind == kind) {
                    return heard;
                }
            }
            self.read().await;
        }
    }
}
