//! What waits longer than its site's policy says is escalated by itself.

use serde_json::{Value, json};

use crate::harness::{App, THREAT, at_once, id, on_each_database, open_doors, remark};

const HOUR: i64 = 60 * 60 * 1000;

/// Makes what waits older.
async fn hours_pass(app: &App, hours: i64) {
    let by = hours * HOUR;
    app.sql(&format!(
        "UPDATE queue SET created_at = created_at - {by}, entered_at = entered_at - {by}"
    ))
    .await;
}

on_each_database! {
    async fn what_waits_too_long_asks_for_a_second_opinion(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        let old = site.comment("a", "bob", THREAT).await;
        let foreign = app.other_site().comment("a", "bob", THREAT).await;
        hours_pass(&app, 25).await;
        let young = site.comment("a", "awa", &format!("Encore : {THREAT}")).await;
        assert_eq!(app.moderation.escalate_overdue().await.unwrap(), 0, "no policy says so");
        app.set_policy(json!({"escalate_after_hours": 24})).await;
        assert_eq!(app.moderation.escalate_overdue().await.unwrap(), 1);
        assert_eq!(app.moderation.escalate_overdue().await.unwrap(), 0, "once");

        assert_eq!(binta.queues_of(&old).await, ["escalated"]);
        assert_eq!(binta.queues_of(&young).await, ["waiting"]);
        let there = app.bearer(palabre::domain::Role::Moderator, "luc", &["lyon"]);
        assert_eq!(there.queues_of(&foreign).await, ["waiting"], "each site by its own policy");
        let log = binta.get("/v1/decisions?moderator=palabre").await.expect(200);
        let entry = &log["items"][0];
        assert_eq!(
            (&entry["comment_id"], &entry["action"], &entry["note"], &entry["from_queue"], &entry["to_queue"]),
            (&old["id"], &json!("escalate"), &json!("waited longer than 24 h"), &json!("waiting"), &json!("escalated"))
        );
        assert_eq!(log["items"].as_array().unwrap().len(), 1);
        let now = site.now(&old).await;
        assert_eq!((&now["status"], &now["version"], &now["decision"]["action"]), (&json!("pending"), &json!(1), &json!("escalate")));
        let told = app.texts("SELECT kind FROM events WHERE kind = 'comment.decided'").await;
        assert_eq!(told.len(), 1, "whoever listens is told");

        // Any moderator gives the opinion: nobody escalated it.
        binta.decide(&now, "escalate").await.problem(409, "already-escalated");
        let decided = binta.decide(&now, "hide").await.expect(201);
        assert_eq!(decided["comment"]["status"], "hidden");
        // An undo of that brings it back there; an undo of the escalation lets it wait anew.
        let undo = |decision: &Value| format!("/v1/decisions/{}/undo", id(decision));
        binta.post(&undo(&decided["decision"]), json!({})).await.expect(201);
        assert_eq!(binta.queues_of(&old).await, ["escalated"]);
        hours_pass(&app, 25).await;
        assert_eq!(app.moderation.escalate_overdue().await.unwrap(), 1, "the young one is old by now");
    }
}

on_each_database! {
    async fn an_escalation_taken_back_waits_anew(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        let comment = site.comment("a", "bob", THREAT).await;
        app.set_policy(json!({"escalate_after_hours": 2})).await;
        hours_pass(&app, 3).await;
        assert_eq!(app.moderation.escalate_overdue().await.unwrap(), 1);
        let log = binta.get(&format!("/v1/decisions?comment={}", id(&comment))).await.expect(200);
        let undo = format!("/v1/decisions/{}/undo", id(&log["items"][0]));
        binta.post(&undo, json!({})).await.expect(201);
        assert_eq!(app.moderation.escalate_overdue().await.unwrap(), 0);
        assert_eq!(binta.queues_of(&comment).await, ["waiting"]);
        hours_pass(&app, 3).await;
        assert_eq!(app.moderation.escalate_overdue().await.unwrap(), 1);
    }
}

on_each_database! {
    async fn what_readers_hold_waits_from_then_on(app: App) {
        let site = app.site();
        app.set_policy(json!({"escalate_after_hours": 1, "hold_at_reports": 1})).await;
        let comment = site.comment("a", "awa", &remark(1)).await;
        app.sql(&format!("UPDATE comments SET created_at = created_at - {}", 5 * HOUR)).await;
        let report = json!({"reporter": {"id": "bob"}, "reason": "abusive"});
        site.post(&crate::harness::path(&comment, "/reports"), report).await.expect(201);
        assert_eq!(app.moderator("binta").queues_of(&comment).await, ["waiting"]);
        assert_eq!(app.moderation.escalate_overdue().await.unwrap(), 0);
        hours_pass(&app, 2).await;
        assert_eq!(app.moderation.escalate_overdue().await.unwrap(), 1);
    }
}

on_each_database! {
    async fn what_somebody_has_before_them_is_theirs(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        site.comment("a", "bob", THREAT).await;
        app.set_policy(json!({"escalate_after_hours": 1})).await;
        hours_pass(&app, 2).await;
        binta.post("/v1/queue/claims", json!({"limit": 1})).await.expect(200);
        assert_eq!(app.moderation.escalate_overdue().await.unwrap(), 0);
        binta.delete("/v1/queue/claims").await.expect(204);
        assert_eq!(app.moderation.escalate_overdue().await.unwrap(), 1);
    }
}

on_each_database! {
    async fn replicas_at_once_escalate_each_once(app: App) {
        let (site, replica) = (app.site(), app.beside(open_doors()).await);
        site.put("/v1/threads/pre", json!({"mode": "pre"})).await.expect(201);
        for number in 0..120 {
            site.comment("pre", &format!("u{number}"), &remark(number)).await;
        }
        app.set_policy(json!({"escalate_after_hours": 1})).await;
        hours_pass(&app, 2).await;
        let counts = at_once((0..4).map(|n| {
            let server = if n % 2 == 0 { app.clone() } else { replica.clone() };
            async move { server.moderation.escalate_overdue().await.unwrap() }
        })).await;
        assert_eq!(counts.iter().sum::<u64>(), 120, "{counts:?}");
        let binta = app.moderator("binta");
        let counts = binta.get("/v1/queue/counts").await.expect(200);
        assert_eq!((&counts["waiting"], &counts["escalated"]), (&json!(0), &json!(120)));
        assert_eq!(binta.all("/v1/decisions?moderator=palabre").await.len(), 120);
    }
}
