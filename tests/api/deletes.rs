//! Deleting: a tombstone where others answered, nothing elsewhere, and the text is shown to nobody again.

use palabre::domain::Role;
use serde_json::json;

use crate::harness::{
    App, CALM, NEWS, THREAT, at_once, by, id, ids, on_each_database, path, remark,
};

on_each_database! {
    async fn a_tombstone_stays_where_others_answered(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let parent = site.comment("a", "awa", CALM).await;
        let reply = site.reply(&parent, "bob", &remark(1)).await;
        let alone = site.comment("a", "awa", &remark(2)).await;
        let pending = site.comment("a", "cheick", THREAT).await;
        for comment in [&parent, &alone, &pending] {
            let answer = site.delete(&path(comment, "")).await;
            assert_eq!(answer.body, json!(""));
            answer.expect(204);
        }
        let tree = site.get("/v1/threads/a/comments").await.expect(200);
        assert_eq!(ids(&tree, "/id"), [id(&parent)], "without replies nothing is left");
        let tombstone = &tree["items"][0];
        assert_eq!((&tombstone["body"], &tombstone["author"]), (&json!(null), &json!(null)));
        assert_eq!(tombstone["status"], "deleted");
        assert_eq!(tombstone["replies"][0]["body"], reply["body"]);
        assert_eq!(moderator.queues_of(&pending).await, [""; 0]);
        assert_eq!(moderator.get("/v1/queue/counts").await.expect(200)["waiting"], 0);
        let counts = &site.get("/v1/threads/a").await.expect(200)["counts"];
        assert_eq!(*counts, json!({"published": 1, "pending": 0, "hidden": 0, "deleted": 3}));

        site.delete(&path(&reply, "")).await.expect(204);
        let tree = site.get("/v1/threads/a/comments").await.expect(200);
        assert_eq!(tree["items"], json!([]), "a tombstone over nothing goes too");
    }
}

on_each_database! {
    async fn what_is_deleted_is_gone(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let comment = site.comment("a", "bob", THREAT).await;
        site.delete(&path(&comment, "")).await.expect(204);
        let report = json!({"reporter": {"id": "awa"}, "reason": "spam"});
        let gone = "comment-deleted";
        site.get(&path(&comment, "")).await.problem(410, gone);
        moderator.get(&path(&comment, "")).await.problem(410, gone);
        moderator.get(&path(&comment, "/revisions")).await.problem(410, gone);
        site.patch(&path(&comment, ""), json!({"body": CALM})).await.problem(410, gone);
        site.patch(&path(&comment, ""), json!({"body": CALM, "version": 1})).await.problem(410, gone);
        site.delete(&path(&comment, "")).await.problem(410, gone);
        site.post(&path(&comment, "/reports"), report).await.problem(410, gone);
        site.post(&path(&comment, "/appeals"), json!({"text": "Pourquoi ?"})).await.problem(410, gone);
        // Foreign sites are not told that there was one.
        app.other_site().get(&path(&comment, "")).await.problem(404, "comment-not-found");
        app.other_site().delete(&path(&comment, "")).await.problem(404, "comment-not-found");
        let mut reply = by("awa", CALM);
        reply["parent_id"] = comment["id"].clone();
        site.post("/v1/threads/a/comments", reply).await.problem(409, "parent-gone");
    }
}

on_each_database! {
    async fn a_moderator_who_decides_too_late_is_told_that_it_is_gone(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let held = site.comment("a", "bob", THREAT).await;
        site.delete(&path(&held, "")).await.expect(204);
        // As the moderator saw it, and as it is.
        for version in [1, 2] {
            for action in ["approve", "hide", "escalate"] {
                let decision = json!({"action": action, "version": version});
                let answer = moderator.post(&path(&held, "/decisions"), decision).await;
                assert_eq!(answer.status, 410, "{action} at {version}: {:#}", answer.body);
                answer.problem(410, "comment-deleted");
            }
        }
        let hidden = site.comment("a", "bob", &remark(1)).await;
        let decided = moderator.decide(&hidden, "hide").await.expect(201);
        site.delete(&path(&hidden, "")).await.expect(204);
        let undo = format!("/v1/decisions/{}/undo", id(&decided["decision"]));
        let problem = moderator.post(&undo, json!({})).await.problem(409, "cannot-undo");
        assert_eq!(problem["current"]["status"], "deleted");
        assert_eq!(problem["current"]["body"], json!(null));
    }
}

on_each_database! {
    async fn a_deleted_text_is_shown_to_nobody(app: App) {
        const SECRET: &str = "Ouagadougou";
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let mut post = by("awa", &format!("Mon numéro à {SECRET}, chers amis lecteurs."));
        post["external_id"] = json!("wp-1");
        let comment = site.post("/v1/threads/a/comments", post.clone()).await.expect(201);
        let report = json!({"reporter": {"id": "bob"}, "reason": "other"});
        site.post(&path(&comment, "/reports"), report).await.expect(201);
        site.edit(&comment, &format!("Voici mon numéro à {SECRET}, chers amis.")).await;
        let now = site.now(&comment).await;
        moderator.decide(&now, "approve").await.expect(201);
        let pending = site.reply(&comment, "cheick", THREAT).await;
        let visible = site.reply(&comment, "cheick", &remark(1)).await;
        site.delete(&path(&comment, "")).await.expect(204);

        assert_eq!(moderator.card("waiting", &pending).await.unwrap()["parent"]["status"], "deleted");
        let viewers = [site.clone(), moderator.clone(), app.bearer(Role::Admin, "root", &[crate::harness::SITE])];
        let mut shown = Vec::new();
        for (who, client) in viewers.iter().enumerate() {
            for path in [
                "/v1/threads/a/comments",
                "/v1/threads/a/comments?view=flat&viewer=awa",
                "/v1/threads/a/comments?status=all",
                "/v1/threads/a/comments?status=all&view=flat",
                "/v1/threads/a",
                "/v1/threads",
                "/v1/comments",
                "/v1/comments?status=deleted",
                "/v1/comments?external_id=wp-1",
                "/v1/queue",
                "/v1/queue?queue=reported",
                "/v1/queue?q=ouagadougou",
                "/v1/decisions",
                "/v1/authors/awa",
                &path(&comment, ""),
                &path(&comment, "/revisions"),
                &path(&visible, ""),
            ] {
                let answer = client.get(path).await;
                assert!(!answer.body.to_string().contains(SECRET), "{who} at {path}: {:#}", answer.body);
                shown.push((who, path.to_owned(), answer.status.as_u16()));
            }
        }
        let asked = |who, path: &str| shown.iter().find(|(w, p, _)| *w == who && p == path).unwrap().2;
        assert_eq!(asked(1, "/v1/threads/a/comments?status=all"), 200, "moderators do see the tombstone");
        assert_eq!(asked(0, "/v1/threads/a/comments?status=all"), 403);
        assert_eq!(asked(0, "/v1/comments?status=deleted"), 200);
        // Posting it again under its own id brings nothing back.
        let again = site.post("/v1/threads/a/comments", post).await.expect(200);
        assert_eq!((&again["id"], &again["status"], &again["body"]), (&comment["id"], &json!("deleted"), &json!(null)));
    }
}

on_each_database! {
    async fn copies_name_one_that_was_not_deleted(app: App) {
        let site = app.site();
        let first = site.comment("a", "awa", NEWS).await;
        let second = site.comment("a", "bob", NEWS).await;
        assert_eq!(second["duplicate_of"]["id"], first["id"]);
        site.delete(&path(&first, "")).await.expect(204);
        let third = site.comment("a", "cheick", NEWS).await;
        assert_eq!(third["duplicate_of"]["id"], second["id"], "the oldest that survives");
        for comment in [&second, &third] {
            site.delete(&path(comment, "")).await.expect(204);
        }
        // Whoever takes a comment back may post it again.
        let again = site.post("/v1/threads/a/comments", by("awa", NEWS)).await.expect(201);
        assert_eq!(again["duplicate_of"], json!(null));
    }
}

on_each_database! {
    async fn of_deletes_at_once_one_counts(app: App) {
        for number in 0..4 {
            let comment = app.site().comment("a", "awa", &remark(number)).await;
            let mut statuses = at_once((0..5).map(|_| {
                let (site, comment) = (app.site(), comment.clone());
                async move { site.delete(&path(&comment, "")).await.status.as_u16() }
            }))
            .await;
            statuses.sort_unstable();
            assert_eq!(statuses, [204, 410, 410, 410, 410]);
        }
        assert_eq!(app.site().get("/v1/threads/a").await.expect(200)["counts"]["deleted"], 4);
    }
}

on_each_database! {
    async fn only_the_comments_site_deletes_it(app: App) {
        let site = app.site();
        let comment = site.comment("a", "awa", CALM).await;
        for client in [app.moderator("binta"), app.admin()] {
            client.delete(&path(&comment, "")).await.problem(403, "forbidden");
        }
        app.other_site().delete(&path(&comment, "")).await.problem(404, "comment-not-found");
        site.delete("/v1/comments/01890000-0000-7000-8000-000000000000").await.problem(404, "comment-not-found");
        site.delete("/v1/comments/x").await.problem(404, "not-an-id");
        assert_eq!(site.now(&comment).await, comment);
    }
}
