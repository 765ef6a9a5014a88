//! `Idempotency-Key`: a site that sends a request twice gets the first answer twice.

use palabre::domain::Role;
use serde_json::{Value, json};

use crate::harness::{
    Answer, App, CALM, Client, OTHER_SITE, SITE, THREAT, at_once, by, id, on_each_database,
    open_doors, path, remark,
};

const COMMENTS: &str = "/v1/threads/a/comments";

/// Whether an answer was given before, as its header says.
fn replayed(answer: &Answer) -> bool {
    answer
        .headers
        .get("idempotent-replayed")
        .is_some_and(|value| value == "true")
}

/// Sends a request twice under one key: the second answer is the first, and says so.
async fn twice(client: &Client, key: &str, path: &str, body: &Value) -> Answer {
    let first = client.post_keyed(key, path, body.clone()).await;
    assert!(!replayed(&first), "{path}: nothing came before");
    let second = client.post_keyed(key, path, body.clone()).await;
    assert!(
        replayed(&second),
        "{path}: {} {:#}",
        second.status,
        second.body
    );
    assert_eq!(second.status, first.status, "{path}");
    assert_eq!(
        second.headers["content-type"], first.headers["content-type"],
        "{path}"
    );
    let told = |answer: &Answer| {
        let mut body = answer.body.clone();
        if let Some(body) = body.as_object_mut() {
            // Which request an error answers is told of each.
            body.remove("request_id");
        }
        body
    };
    assert_eq!(told(&second), told(&first), "{path}");
    first
}

on_each_database! {
    async fn the_first_answer_is_given_again(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let published = twice(&site, "201", COMMENTS, &by("awa", CALM)).await.expect(201);
        let pending = twice(&site, "202", COMMENTS, &by("bob", THREAT)).await.expect(202);
        let mut known = by("awa", &remark(1));
        known["external_id"] = json!("wp-1");
        site.post(COMMENTS, known.clone()).await.expect(201);
        twice(&site, "200", COMMENTS, &known).await.expect(200);
        let report = json!({"reporter": {"id": "bob"}, "reason": "spam"});
        twice(&site, "report", &path(&published, "/reports"), &report).await.expect(201);
        let appeal = json!({"text": "Relisez."});
        twice(&site, "appeal", &path(&pending, "/appeals"), &appeal).await.expect(201);
        twice(&site, "score", "/v1/score", &json!({"text": CALM})).await.expect(200);
        twice(&site, "counts", "/v1/counts", &json!({"keys": ["a"]})).await.expect(200);
        let counts = &site.get("/v1/threads/a").await.expect(200)["counts"];
        assert_eq!(*counts, json!({"published": 2, "pending": 1, "hidden": 0, "deleted": 0}));
        assert_eq!(moderator.card("reported", &published).await.unwrap()["reports"].as_array().unwrap().len(), 1);

        // What was answered, not what is: the comment has gone on since.
        site.edit(&published, &remark(2)).await;
        let again = site.post_keyed("201", COMMENTS, by("awa", CALM)).await;
        assert!(replayed(&again));
        assert_eq!(again.expect(201), published);
    }
}

on_each_database! {
    async fn a_refusal_is_given_again_too(app: App) {
        let site = app.site();
        let unknown = "01890000-0000-7000-8000-000000000000";
        let mut orphan = by("awa", CALM);
        orphan["parent_id"] = json!(unknown);
        twice(&site, "404", COMMENTS, &orphan).await.problem(404, "parent-not-found");
        let empty = twice(&site, "422", COMMENTS, &by("awa", "")).await;
        assert_eq!(empty.invalid_fields(), ["body"]);
        let report = json!({"reporter": {"id": "bob"}, "reason": "spam"});
        let nothing = format!("/v1/comments/{unknown}/reports");
        twice(&site, "404", &nothing, &report).await.problem(404, "comment-not-found");
        site.put("/v1/threads/closed", json!({"closed": true})).await.expect(201);
        let closed = "/v1/threads/closed/comments";
        twice(&site, "409", closed, &by("awa", CALM)).await.problem(409, "thread-closed");
        // Even when it would succeed by now.
        site.put("/v1/threads/closed", json!({"closed": false})).await.expect(200);
        let again = site.post_keyed("409", closed, by("awa", CALM)).await;
        assert!(replayed(&again));
        again.problem(409, "thread-closed");
        site.post_keyed("409b", closed, by("awa", CALM)).await.expect(201);
    }
}

on_each_database! {
    async fn a_replayed_refusal_names_its_fields_and_its_own_request(app: App) {
        let site = app.site();
        let post = |request_id: &'static str| {
            let request = site.request(reqwest::Method::POST, COMMENTS).json(&by("awa", ""));
            let request = request.header("idempotency-key", "k").header("x-request-id", request_id);
            let site = site.clone();
            async move { site.send(request).await }
        };
        post("first").await.problem(422, "validation");
        let second = post("second").await;
        assert!(replayed(&second));
        assert_eq!(second.headers["x-request-id"], "second");
        assert_eq!(second.invalid_fields(), ["body"]);
    }
}

on_each_database! {
    async fn a_key_is_for_one_request(app: App) {
        let site = app.site();
        let first = site.post_keyed("k", COMMENTS, by("awa", CALM)).await.expect(201);
        for other in [by("awa", &remark(1)), by("bob", CALM), json!({})] {
            let fields = site.post_keyed("k", COMMENTS, other).await.invalid_fields();
            assert_eq!(fields, ["Idempotency-Key"]);
        }
        // Another path, site or key is another request.
        let elsewhere = site.post_keyed("k", "/v1/threads/b/comments", by("awa", &remark(2))).await;
        assert!(!replayed(&elsewhere));
        elsewhere.expect(201);
        let report = json!({"reporter": {"id": "bob"}, "reason": "spam"});
        site.post_keyed("k", &path(&first, "/reports"), report).await.expect(201);
        let other_site = app.other_site().post_keyed("k", COMMENTS, by("awa", CALM)).await;
        assert!(!replayed(&other_site));
        other_site.expect(201);
        site.post_keyed("K", COMMENTS, by("awa", &remark(3))).await.expect(201);
        // A token for two sites has the keys of each.
        let both = app.bearer(Role::Site, "both", &[SITE, OTHER_SITE]);
        for named in [SITE, OTHER_SITE] {
            let again = both.post_keyed("k", &format!("{COMMENTS}?site={named}"), by("awa", CALM)).await;
            assert!(replayed(&again), "{named}");
            again.expect(201);
        }
        assert_eq!(site.get("/v1/threads/a").await.expect(200)["counts"]["published"], 2);
    }
}

on_each_database! {
    async fn of_twins_at_once_one_is_carried_out(app: App) {
        for round in 0..3 {
            let key = format!("twins-{round}");
            let answers = at_once((0..20).map(|_| {
                // Each with a token and a connection of its own.
                let (site, key) = (app.site(), key.clone());
                async move { site.post_keyed(&key, COMMENTS, by("awa", &remark(round))).await }
            }))
            .await;
            assert_eq!(answers.iter().filter(|answer| !replayed(answer)).count(), 1);
            for answer in &answers {
                assert_eq!((answer.status.as_u16(), &answer.body), (201, &answers[0].body));
            }
        }
        assert_eq!(app.site().get("/v1/threads/a").await.expect(200)["counts"]["published"], 3);
    }
}

on_each_database! {
    async fn twins_meet_across_servers(app: App) {
        let beside = app.beside(open_doors()).await;
        for round in 0..3 {
            let key = format!("twins-{round}");
            let answers = at_once((0..12).map(|n| {
                let site = if n % 2 == 0 { app.site() } else { beside.site() };
                let key = key.clone();
                async move { site.post_keyed(&key, COMMENTS, by("awa", &remark(round))).await }
            }))
            .await;
            for answer in &answers {
                assert_eq!((answer.status.as_u16(), &answer.body), (201, &answers[0].body));
            }
            assert_eq!(answers.iter().filter(|answer| !replayed(answer)).count(), 1);
        }
        assert_eq!(app.site().get("/v1/threads/a").await.expect(200)["counts"]["published"], 3);
    }
}

on_each_database! {
    async fn of_rivals_at_once_one_has_the_key(app: App) {
        let answers = at_once((0..8).map(|n| {
            let site = app.site();
            async move { site.post_keyed("k", COMMENTS, by("awa", &remark(n))).await }
        }))
        .await;
        let (won, lost): (Vec<Answer>, Vec<Answer>) =
            answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!((won.len(), lost.len()), (1, 7));
        for answer in lost {
            assert_eq!(answer.invalid_fields(), ["Idempotency-Key"]);
        }
        assert_eq!(app.site().get("/v1/threads/a").await.expect(200)["counts"]["published"], 1);
    }
}

on_each_database! {
    async fn an_answer_outlives_the_server_and_lasts_a_day(app: App) {
        let mut orphan = by("awa", CALM);
        orphan["parent_id"] = json!("01890000-0000-7000-8000-000000000000");
        let first = app.site().post_keyed("k", COMMENTS, by("awa", CALM)).await.expect(201);
        app.site().post_keyed("404", COMMENTS, orphan.clone()).await.problem(404, "parent-not-found");
        let later = app.beside(open_doors()).await;
        let again = later.site().post_keyed("k", COMMENTS, by("awa", CALM)).await;
        assert!(replayed(&again));
        assert_eq!(again.expect(201), first);
        assert!(replayed(&later.site().post_keyed("404", COMMENTS, orphan).await));

        let age = |hours: i64| {
            let app = app.clone();
            async move {
                app.sql(&format!("UPDATE idempotency_keys SET at = at - {}", hours * 3_600_000)).await;
                app.moderation.tidy().await.unwrap();
            }
        };
        age(23).await;
        assert!(replayed(&app.site().post_keyed("k", COMMENTS, by("awa", CALM)).await));
        age(2).await;
        let fresh = app.site().post_keyed("k", COMMENTS, by("awa", &remark(1))).await;
        assert!(!replayed(&fresh));
        assert_ne!(id(&fresh.expect(201)), id(&first));
        assert!(replayed(&app.site().post_keyed("k", COMMENTS, by("awa", &remark(1))).await), "the key begins anew");
        assert_eq!(app.texts("SELECT id FROM idempotency_keys").await.len(), 1, "the others were tidied away");
    }
}

on_each_database! {
    async fn an_answer_past_its_day_does_not_wait_to_be_tidied(app: App) {
        let site = app.site();
        let report = json!({"reporter": {"id": "bob"}, "reason": "spam"});
        let comment = site.post_keyed("k", COMMENTS, by("awa", CALM)).await.expect(201);
        site.post_keyed("k", &path(&comment, "/reports"), report.clone()).await.expect(201);
        app.sql(&format!("UPDATE idempotency_keys SET at = at - {}", 25 * 3_600_000)).await;
        let known = site.post_keyed("k", &path(&comment, "/reports"), report.clone()).await;
        assert!(!replayed(&known));
        known.expect(200);
        assert!(replayed(&site.post_keyed("k", &path(&comment, "/reports"), report).await));
        let fresh = site.post_keyed("k", COMMENTS, by("awa", &remark(1))).await;
        assert!(!replayed(&fresh));
        fresh.expect(201);
        let again = site.post_keyed("k", COMMENTS, by("awa", &remark(1))).await;
        assert!(replayed(&again));
        again.expect(201);
    }
}

on_each_database! {
    async fn only_a_sites_posts_are_remembered(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let held = site.comment("a", "bob", THREAT).await;
        let decide = |action: &'static str, version: i64| {
            let (moderator, held) = (moderator.clone(), held.clone());
            let decision = json!({"action": action, "version": version});
            async move { moderator.post_keyed("k", &path(&held, "/decisions"), decision).await }
        };
        decide("approve", 1).await.expect(201);
        let other = decide("hide", 2).await;
        assert!(!replayed(&other));
        other.expect(201);
        let same = decide("hide", 2).await;
        assert!(!replayed(&same));
        same.problem(409, "stale-version");
        let admin = app.admin();
        let bad = "k".repeat(300);
        for slug in ["un", "deux"] {
            admin.post_keyed("k", "/v1/sites", json!({"slug": slug})).await.expect(201);
            admin.post_keyed(&bad, "/v1/sites", json!({"slug": format!("{slug}-b")})).await.expect(201);
        }
        // Methods that may be repeated as they are need no key.
        for title in ["Un", "Deux"] {
            let request = site.request(reqwest::Method::PUT, "/v1/threads/b").json(&json!({"title": title}));
            let answer = site.send(request.header("idempotency-key", "k")).await;
            assert!(!replayed(&answer));
            assert_eq!(answer.body["title"], title);
        }
    }
}

on_each_database! {
    async fn a_bad_key_is_named_and_nothing_is_changed(app: App) {
        let site = app.site();
        let long = "k".repeat(256);
        for key in ["", long.as_str(), "clé", "a\tb"] {
            let answer = site.post_keyed(key, COMMENTS, by("awa", CALM)).await;
            assert_eq!(answer.invalid_fields(), ["Idempotency-Key"], "{key:?}");
        }
        site.get("/v1/threads/a").await.problem(404, "thread-not-found");
        for (n, key) in ["k", &"k".repeat(255), "a b", "~!\"§"[..3].trim()].into_iter().enumerate() {
            site.post_keyed(key, COMMENTS, by("awa", &remark(n))).await.expect(201);
        }
        // What is too large or no JSON is refused as without a key.
        let large = site.request(reqwest::Method::POST, COMMENTS).header("idempotency-key", "large");
        let large = large.header("content-type", "application/json").body(vec![b' '; 64 * 1024 + 1]);
        site.send(large).await.problem(413, "too-large");
        let plain = site.request(reqwest::Method::POST, COMMENTS).header("idempotency-key", "plain");
        let plain = plain.header("content-type", "text/plain").body(by("awa", CALM).to_string());
        site.send(plain).await.problem(415, "unsupported-media-type");
        let broken = site.request(reqwest::Method::POST, COMMENTS).header("idempotency-key", "broken");
        let broken = broken.header("content-type", "application/json").body("{");
        site.send(broken).await.problem(400, "malformed-json");
    }
}
