//! Published comments that a moderator looks at by chance, and what they tell.

use palabre::{
    domain::{CommentId, SiteSlug},
    store::Store,
};
use serde_json::{Value, json};

use crate::harness::{
    App, CALM, Client, NEWS, OTHER_SITE, THREAT, at_once, by, codes, id, ids, on_each_database,
    path, remark,
};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Draws everything that is published.
async fn draw_all(app: &App) {
    app.set_policy(json!({"sample_share": 1})).await;
}

async fn decide(moderator: &Client, comment: &Value, action: &str, reason: &str) -> Value {
    let decision = json!({"action": action, "version": comment["version"], "reason": reason});
    let answer = moderator.post(&path(comment, "/decisions"), decision).await;
    answer.expect(201)
}

async fn undo(moderator: &Client, decided: &Value) {
    let undo = format!("/v1/decisions/{}/undo", id(&decided["decision"]));
    moderator.post(&undo, json!({})).await.expect(201);
}

async fn report(site: &Client, comment: &Value) {
    let report = json!({"reporter": {"id": "luc"}, "reason": "abusive"});
    site.post(&path(comment, "/reports"), report)
        .await
        .expect(201);
}

/// Makes all that is in a queue older.
async fn days_pass(app: &App, days: i64) {
    let by = days * DAY;
    app.sql(&format!(
        "UPDATE queue SET created_at = created_at - {by}, entered_at = entered_at - {by}"
    ))
    .await;
}

on_each_database! {
    async fn what_is_published_may_be_drawn_and_stays_published(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        draw_all(&app).await;
        let calm = site.post("/v1/threads/a/comments", by("awa", CALM)).await.expect(201);
        assert_eq!(calm["status"], "published");
        assert_eq!(codes(&calm), [""; 0], "its site need not know");
        assert_eq!(site.now(&calm).await, calm);
        let seen = site.get("/v1/threads/a/comments").await.expect(200);
        assert_eq!(ids(&seen, "/id"), [id(&calm)]);

        assert_eq!(binta.queues_of(&calm).await, ["sampled"]);
        let card = binta.card("sampled", &calm).await.unwrap();
        assert_eq!((&card["queue"], codes(&card["comment"])), (&json!("sampled"), vec!["sample"]));
        assert_eq!((&card["comment"]["status"], &card["reports"]), (&json!("published"), &json!([])));
        let chosen = binta.get("/v1/queue?queue=sampled&reason=sample").await.expect(200);
        assert_eq!(ids(&chosen, "/comment/id"), [id(&calm)]);
        let counts = binta.get("/v1/queue/counts").await.expect(200);
        assert_eq!((&counts["sampled"], &counts["waiting"], &counts["reasons"]), (&json!(1), &json!(0), &json!({})));
        let told = app.texts("SELECT kind FROM events WHERE kind = 'queue.added'").await;
        assert_eq!(told.len(), 1, "whoever listens is told");
        let claimed = binta.post("/v1/queue/claims", json!({"limit": 5, "filter": {"queue": "sampled"}})).await;
        assert_eq!(ids(&claimed.expect(200), "/comment/id"), [id(&calm)]);

        // What waits or is hidden is not drawn, and the second of two copies neither.
        let threat = site.comment("a", "bob", THREAT).await;
        assert_eq!(binta.queues_of(&threat).await, ["waiting"]);
        app.set_policy(json!({"sample_share": 1, "hold_duplicates": false})).await;
        let (news, copy) = (site.comment("a", "awa", NEWS).await, site.comment("b", "bob", NEWS).await);
        assert_eq!((&news["status"], &copy["status"]), (&json!("published"), &json!("published")));
        assert_eq!(binta.queues_of(&news).await, ["sampled"]);
        assert_eq!(binta.queues_of(&copy).await, [""; 0]);
        app.set_policy(json!({"sample_share": 0})).await;
        let passed = site.comment("a", "awa", &remark(1)).await;
        assert_eq!(binta.queues_of(&passed).await, [""; 0]);

        let drawn = app.texts("SELECT kind FROM samples WHERE probability = 1 ORDER BY at").await;
        assert_eq!(drawn, ["random", "random"]);
        let foreign = app.bearer(palabre::domain::Role::Moderator, "luc", &[OTHER_SITE]);
        assert_eq!(foreign.get("/v1/queue?queue=sampled").await.expect(200)["items"], json!([]));
    }
}

on_each_database! {
    async fn comments_that_arrive_together_are_drawn_each_for_itself(app: App) {
        app.set_policy(json!({"sample_share": 0.5})).await;
        let posted = at_once((0..60).map(|number| {
            let site = app.site();
            async move { site.comment("a", &format!("u{number}"), &remark(number)).await }
        }))
        .await;
        assert!(posted.iter().all(|comment| comment["status"] == "published"));
        let cards = app.moderator("binta").all("/v1/queue?queue=sampled").await;
        let stored = app.texts("SELECT kind FROM samples").await;
        assert_eq!(cards.len(), stored.len());
        // Some 30 to 40 are to be expected; fewer than 6 or all would be seen once in a billion years.
        assert!((6..60).contains(&cards.len()), "{}", cards.len());
        let odd = app.texts("SELECT kind FROM samples WHERE probability <= 0.25 OR probability >= 1").await;
        assert_eq!(odd, [""; 0]);
    }
}

on_each_database! {
    async fn a_sample_is_decided_as_anything_and_an_undo_gives_it_back(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        draw_all(&app).await;
        let comment = site.comment("a", "awa", CALM).await;
        let approved = binta.decide(&comment, "approve").await.expect(201);
        let decision = &approved["decision"];
        assert_eq!((&decision["from_queue"], &decision["to_queue"]), (&json!("sampled"), &json!(null)));
        assert_eq!(codes(&approved["comment"]), [""; 0]);
        assert_eq!(binta.queues_of(&comment).await, [""; 0]);
        undo(&binta, &approved).await;
        assert_eq!(binta.queues_of(&comment).await, ["sampled"]);
        binta.decide(&comment, "escalate").await.problem(409, "not-pending");

        let hidden = decide(&binta, &comment, "hide", "abusive").await;
        assert_eq!(hidden["comment"]["status"], "hidden");
        assert_eq!(binta.queues_of(&comment).await, [""; 0]);
        // It is learned from as all is that was decided.
        let store = Store::open(&app.database_url).await.unwrap();
        let mut conn = store.read().await.unwrap();
        let bamako = SiteSlug::parse(crate::harness::SITE).unwrap();
        let bamako = conn.db().site_by_slug(&bamako).await.unwrap().unwrap();
        let decisions = conn.db().decisions_of(bamako.id, None, 10).await.unwrap();
        let decisions: Vec<_> = decisions.into_iter().map(|(_, id)| id).collect();
        let lessons = conn.db().decided_comments(&decisions).await.unwrap();
        let learned: Vec<CommentId> = lessons.iter().map(|lesson| lesson.comment).collect();
        assert_eq!(learned, [id(&comment).parse().unwrap()]);
        drop(conn);
        store.close().await;

        undo(&binta, &hidden).await;
        assert_eq!(site.now(&comment).await["status"], "published");
        assert_eq!(binta.queues_of(&comment).await, ["sampled"]);
    }
}

on_each_database! {
    async fn what_readers_report_is_a_sample_no_more(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        draw_all(&app).await;
        let comment = site.comment("a", "awa", CALM).await;
        report(&site, &comment).await;
        assert_eq!(binta.queues_of(&comment).await, ["reported"]);
        assert_eq!(codes(&binta.card("reported", &comment).await.unwrap()["comment"]), [""; 0]);
        let told = app.texts("SELECT kind FROM events WHERE kind = 'queue.added'").await;
        assert_eq!(told.len(), 2, "there is news in another queue");

        // Reported while it was hidden: to be looked at for that once it is seen again.
        let other = site.comment("a", "awa", &remark(1)).await;
        let hidden = decide(&binta, &other, "hide", "abusive").await;
        report(&site, &other).await;
        undo(&binta, &hidden).await;
        assert_eq!(binta.queues_of(&other).await, ["reported"]);
        // Held for its reports, by the policy.
        app.set_policy(json!({"sample_share": 1, "hold_at_reports": 1})).await;
        let held = site.comment("a", "awa", &remark(2)).await;
        report(&site, &held).await;
        assert_eq!(binta.queues_of(&held).await, ["waiting"]);
    }
}

on_each_database! {
    async fn a_sample_goes_where_its_text_belongs(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        draw_all(&app).await;
        let comment = site.comment("a", "awa", CALM).await;
        site.edit(&comment, &remark(1)).await;
        assert_eq!(binta.queues_of(&comment).await, ["sampled"]);
        site.edit(&comment, THREAT).await;
        assert_eq!(binta.queues_of(&comment).await, ["waiting"]);
        // What the policy hides is no sample of what it publishes.
        app.set_policy(json!({"sample_share": 1, "banned_words": ["zouzou"], "hide_banned_words": true})).await;
        let sampled = site.comment("a", "awa", &remark(3)).await;
        assert_eq!(binta.queues_of(&sampled).await, ["sampled"]);
        assert_eq!(site.edit(&sampled, "Zouzou !").await["status"], "hidden");
        assert_eq!(binta.queues_of(&sampled).await, [""; 0]);
        let deleted = site.comment("a", "awa", &remark(2)).await;
        site.delete(&path(&deleted, "")).await.expect(204);
        assert_eq!(binta.get("/v1/queue/counts").await.expect(200)["sampled"], 0);
    }
}

on_each_database! {
    async fn what_nobody_answers_leaves_the_queue_after_a_fortnight(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        app.set_policy(json!({"sample_share": 1, "escalate_after_hours": 1})).await;
        let threat = site.comment("a", "bob", THREAT).await;
        let reported = site.comment("a", "awa", &remark(0)).await;
        report(&site, &reported).await;
        let mine = site.comment("a", "awa", CALM).await;
        let claim = json!({"limit": 1, "filter": {"queue": "sampled"}});
        binta.post("/v1/queue/claims", claim).await.expect(200);
        let old = site.comment("a", "awa", &remark(1)).await;
        days_pass(&app, 13).await;
        app.moderation.tidy().await.unwrap();
        assert_eq!(binta.queues_of(&old).await, ["sampled"]);
        days_pass(&app, 2).await;
        let young = site.comment("a", "awa", &remark(2)).await;
        app.moderation.tidy().await.unwrap();
        assert_eq!(binta.queues_of(&old).await, [""; 0]);
        assert_eq!(site.now(&old).await["status"], "published");
        for (comment, queue) in [(&threat, "waiting"), (&reported, "reported"), (&mine, "sampled"), (&young, "sampled")] {
            assert_eq!(binta.queues_of(comment).await, [queue]);
        }
        assert_eq!(app.moderation.escalate_overdue().await.unwrap(), 1, "a sample waits for nobody");
        assert_eq!(app.texts("SELECT kind FROM samples").await.len(), 4, "that it was drawn is still known");
    }
}

on_each_database! {
    async fn a_policy_stored_before_there_were_samples_draws_a_few(app: App) {
        app.sql(r#"UPDATE sites SET policy = '{"max_links": 7}', policy_version = policy_version + 1"#).await;
        let policy = app.admin().get("/v1/sites/bamako/policy").await.expect(200);
        assert_eq!((&policy["max_links"], &policy["sample_share"]), (&json!(7), &json!(0.02)));
    }
}

on_each_database! {
    async fn a_policy_that_says_nothing_of_samples_is_stored_as_before_there_were_any(app: App) {
        let stored = || async {
            let policies = app.texts("SELECT policy FROM sites WHERE slug = 'bamako'").await;
            serde_json::from_str::<Value>(&policies[0]).unwrap()
        };
        app.set_policy(json!({"sample_share": 0.02, "hold": {"threat": 0.6}})).await;
        assert_eq!(stored().await["sample_share"], Value::Null);
        let policy = app.admin().get("/v1/sites/bamako/policy").await.expect(200);
        assert_eq!((&policy["sample_share"], &policy["hold"]["threat"]), (&json!(0.02), &json!(0.6)));
        app.set_policy(json!({"sample_share": 0.5})).await;
        assert_eq!(stored().await["sample_share"], 0.5);
    }
}

on_each_database! {
    async fn nobody_waited_for_what_was_decided_as_a_sample(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        draw_all(&app).await;
        let calm = site.comment("a", "awa", CALM).await;
        decide(&binta, &calm, "approve", "other").await;
        let of_binta = || async { binta.get("/v1/stats").await.expect(200)["moderators"][0].clone() };
        let one = of_binta().await;
        assert_eq!((&one["decisions"], &one["median_seconds"]), (&json!(1), &json!(null)));
        let threat = site.comment("a", "bob", THREAT).await;
        decide(&binta, &threat, "hide", "threat").await;
        let seen = site.comment("a", "awa", &remark(1)).await;
        app.sql("DELETE FROM queue").await;
        decide(&binta, &seen, "approve", "other").await;
        let both = of_binta().await;
        assert_eq!(both["decisions"], 3);
        assert!(both["median_seconds"].is_number(), "{both:#}");
    }
}
