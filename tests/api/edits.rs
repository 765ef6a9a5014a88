//! Editing: an author's new text is scored and judged again, and what humans decided is not got round.

use serde_json::{Value, json};

use crate::harness::{
    App, CALM, Client, NEWS, OTHER_SITE, THREAT, at_once, by, codes, id, ids, on_each_database,
    path, remark,
};

async fn undo(client: &Client, decided: &Value) -> crate::harness::Answer {
    let path = format!("/v1/decisions/{}/undo", id(&decided["decision"]));
    client.post(&path, json!({})).await
}

on_each_database! {
    async fn an_edit_is_scored_and_judged_again(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let calm = site.comment("a", "bob", CALM).await;
        let worse = site.patch(&path(&calm, ""), json!({"body": THREAT, "version": 1})).await.expect(200);
        assert_eq!(worse["body"], THREAT);
        assert_eq!((&worse["status"], &worse["version"]), (&json!("pending"), &json!(2)));
        assert!(codes(&worse).contains(&"threat"), "{worse:#}");
        let threat = |comment: &Value| comment["scores"]["threat"].as_f64().unwrap();
        assert!(threat(&worse) > threat(&calm));
        assert!(worse["edited_at"].as_str() >= calm["created_at"].as_str());
        for field in ["id", "thread", "parent_id", "depth", "author", "created_at", "external_id", "decision"] {
            assert_eq!(worse[field], calm[field], "{field}");
        }
        assert_eq!(site.now(&calm).await, worse, "reading answers what editing answered");
        let card = moderator.card("waiting", &calm).await.expect("it waits now");
        assert_eq!(card["comment"], worse);
        assert!(!card["highlights"].as_array().unwrap().is_empty());
        let seen = site.get("/v1/threads/a/comments").await.expect(200);
        assert_eq!(seen["items"], json!([]), "readers do not see what waits");

        let better = site.edit(&calm, "Pardon, je me suis emporté.").await;
        assert_eq!((&better["status"], &better["version"]), (&json!("published"), &json!(3)));
        assert_eq!(better["reasons"], json!([]));
        assert_eq!(moderator.queues_of(&calm).await, [""; 0], "a calm text leaves the queue");
        let seen = site.get("/v1/threads/a/comments").await.expect(200);
        assert_eq!(seen["items"][0]["body"], better["body"]);
        assert_eq!(seen["items"][0]["edited_at"], better["edited_at"]);
    }
}

on_each_database! {
    async fn a_stale_version_is_told_the_current_comment(app: App) {
        let site = app.site();
        let comment = site.comment("a", "awa", CALM).await;
        let edited = site.edit(&comment, &remark(1)).await;
        for version in [1, 0, 3, -1] {
            let edit = json!({"body": remark(2), "version": version});
            let problem = site.patch(&path(&comment, ""), edit).await.problem(409, "stale-version");
            assert_eq!(problem["current"], edited, "{version}");
        }
        assert_eq!(site.now(&comment).await, edited);
        site.patch(&path(&comment, ""), json!({"body": remark(2), "version": 2})).await.expect(200);
    }
}

on_each_database! {
    async fn of_edits_and_decisions_at_once_one_wins(app: App) {
        for round in 0..4 {
            let comment = app.site().comment("a", "bob", &remark(round)).await;
            let answers = at_once((0..6).map(|n| {
                let (site, moderator, comment) = (app.site(), app.moderator("binta"), comment.clone());
                async move {
                    if n % 2 == 0 {
                        let edit = json!({"body": remark(10 + n), "version": 1});
                        site.patch(&path(&comment, ""), edit).await
                    } else {
                        moderator.decide(&comment, "hide").await
                    }
                }
            }))
            .await;
            let now = app.site().now(&comment).await;
            let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status.is_success());
            assert_eq!((won.len(), lost.len()), (1, 5));
            let comment = won[0].body.get("comment").unwrap_or(&won[0].body);
            assert_eq!(now, *comment);
            for answer in lost {
                assert_eq!(answer.problem(409, "stale-version")["current"], now);
            }
        }
    }
}

on_each_database! {
    async fn the_same_text_again_changes_nothing(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let published = site.comment("a", "awa", CALM).await;
        let pending = site.comment("a", "bob", THREAT).await;
        let held = site.comment("a", "bob", "Moi aussi.").await;
        moderator.decide(&held, "hide").await.expect(201);
        let approved = site.comment("a", "cheick", &format!("{THREAT} Vraiment.")).await;
        moderator.decide(&approved, "approve").await.expect(201);
        for comment in [published, pending, held, approved] {
            let before = site.now(&comment).await;
            assert_eq!(site.edit(&comment, comment["body"].as_str().unwrap()).await, before);
            assert_eq!(site.now(&comment).await, before);
            let revisions = moderator.get(&path(&comment, "/revisions")).await.expect(200);
            assert_eq!(revisions["items"], json!([]));
        }
        let lines = site.comment("a", "awa", "Une ligne.\nUne autre.").await;
        let same = site.edit(&lines, "Une ligne.\r\nUne autre.").await;
        assert_eq!(same["version"], 1, "line ends are ours");
    }
}

on_each_database! {
    async fn earlier_texts_are_kept_for_moderators(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let comment = site.comment("a", "awa", CALM).await;
        let second = site.edit(&comment, THREAT).await;
        let third = site.edit(&comment, &remark(3)).await;
        let revisions = moderator.get(&path(&comment, "/revisions")).await.expect(200);
        assert_eq!(
            revisions,
            json!({
                "items": [
                    {"version": 1, "body": CALM, "replaced_at": second["edited_at"]},
                    {"version": 2, "body": THREAT, "replaced_at": third["edited_at"]},
                ],
                "next_cursor": null,
            })
        );
        // A decision in between is a version without a text of its own.
        moderator.decide(&third, "hide").await.expect(201);
        site.edit(&comment, &remark(4)).await;
        let revisions = moderator.get(&path(&comment, "/revisions")).await.expect(200);
        let versions: Vec<&Value> = revisions["items"].as_array().unwrap().iter().map(|one| &one["version"]).collect();
        assert_eq!(versions, [1, 2, 4]);
        let foreign = app.bearer(palabre::domain::Role::Moderator, "luc", &[OTHER_SITE]);
        foreign.get(&path(&comment, "/revisions")).await.problem(404, "comment-not-found");
    }
}

on_each_database! {
    async fn an_approval_ends_with_an_edit(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let threat = site.comment("a", "bob", THREAT).await;
        moderator.decide(&threat, "approve").await.expect(201);
        let edited = site.edit(&threat, &format!("{THREAT} Vraiment.")).await;
        assert_eq!((&edited["status"], &edited["version"]), (&json!("pending"), &json!(3)));
        assert_eq!(edited["decision"], json!(null));
        assert_eq!(moderator.queues_of(&threat).await, ["waiting"]);

        // Nor does it speak for copies of the text that was approved.
        site.comment("b", "awa", NEWS).await;
        let copy = site.comment("b", "awa", NEWS).await;
        moderator.decide(&copy, "approve").await.expect(201);
        let exempt = site.comment("b", "awa", NEWS).await;
        assert_eq!(exempt["status"], "published");
        site.edit(&copy, &remark(1)).await;
        let held = site.comment("b", "awa", NEWS).await;
        assert_eq!((&held["status"], codes(&held)), (&json!("pending"), vec!["duplicate"]));
    }
}

on_each_database! {
    async fn what_a_human_hid_is_at_best_pending_however_often_it_is_edited(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let comment = site.comment("a", "bob", &remark(0)).await;
        moderator.decide(&comment, "hide").await.expect(201);
        for (round, text) in [remark(1), remark(2), THREAT.to_owned(), CALM.to_owned(), remark(3)].iter().enumerate() {
            let edited = site.edit(&comment, text).await;
            assert_eq!(edited["status"], "pending", "edit {round}: {text}");
            assert_eq!(edited["decision"]["action"], "hide", "the decision stands");
            assert_eq!(moderator.queues_of(&comment).await, ["waiting"], "edit {round}");
        }
        let listed = site.get("/v1/threads/a/comments").await.expect(200);
        assert_eq!(listed["items"], json!([]));
        // Once a human approves, it is the author's again.
        let now = site.now(&comment).await;
        moderator.decide(&now, "approve").await.expect(201);
        assert_eq!(site.edit(&comment, &remark(4)).await["status"], "published");
    }
}

on_each_database! {
    async fn what_is_escalated_stays_so(app: App) {
        let (site, binta, luc) = (app.site(), app.moderator("binta"), app.moderator("luc"));
        let comment = site.comment("a", "bob", THREAT).await;
        binta.decide(&comment, "escalate").await.expect(201);
        for text in [CALM.to_owned(), format!("{THREAT} Vraiment."), remark(1)] {
            let edited = site.edit(&comment, &text).await;
            assert_eq!(edited["status"], "pending", "{text}");
            assert_eq!(binta.queues_of(&comment).await, ["escalated"], "{text}");
            let card = binta.card("escalated", &comment).await.unwrap();
            assert_eq!(card["comment"]["body"], text, "the card shows the text as it is");
            binta.decide(&edited, "approve").await.problem(403, "own-escalation");
        }
        let now = site.now(&comment).await;
        luc.decide(&now, "approve").await.expect(201);
        assert_eq!(site.now(&comment).await["status"], "published");
    }
}

on_each_database! {
    async fn an_edit_into_a_copy_waits_and_one_away_from_it_does_not(app: App) {
        let site = app.site();
        let first = site.comment("a", "awa", NEWS).await;
        let other = site.comment("b", "bob", &remark(1)).await;
        for (text, kind) in [(NEWS.to_owned(), "exact"), (format!("Bonjour à tous. {NEWS}"), "near")] {
            let copy = site.edit(&other, &text).await;
            assert_eq!((&copy["status"], codes(&copy)), (&json!("pending"), vec!["duplicate"]));
            assert_eq!((&copy["duplicate_of"]["id"], &copy["duplicate_of"]["kind"]), (&first["id"], &json!(kind)));
        }
        let away = site.edit(&other, "Finalement, je préfère parler de la pluie qui vient.").await;
        assert_eq!((&away["status"], &away["duplicate_of"]), (&json!("published"), &json!(null)));
        // A comment is no copy of what it said before.
        let itself = site.edit(&first, &format!("{NEWS} Venez nombreux !")).await;
        assert_eq!((&itself["status"], &itself["duplicate_of"]), (&json!("published"), &json!(null)));
    }
}

on_each_database! {
    async fn copies_are_found_after_the_first_was_edited_away(app: App) {
        let site = app.site();
        let first = site.comment("a", "awa", NEWS).await;
        let exact = site.comment("a", "bob", NEWS).await;
        site.edit(&first, "Finalement, je préfère parler de la pluie qui vient.").await;
        let near = site.comment("b", "cheick", &format!("Bonjour à tous. {NEWS}")).await;
        assert_eq!(near["duplicate_of"]["id"], exact["id"], "a near copy");
        assert_eq!(near["duplicate_of"]["kind"], "near");
        let again = site.comment("b", "cheick", NEWS).await;
        assert_eq!((&again["duplicate_of"]["id"], &again["duplicate_of"]["kind"]), (&exact["id"], &json!("exact")));
        // Its new text has copies of its own.
        let copy = site.comment("b", "dado", "Finalement, je préfère parler de la pluie qui vient.").await;
        assert_eq!(copy["duplicate_of"]["id"], first["id"]);
        // When the last one is gone, so is what they repeated.
        for (n, comment) in [&exact, &near, &again].into_iter().enumerate() {
            site.edit(comment, &remark(n)).await;
        }
        let fresh = site.post("/v1/threads/c/comments", by("awa", NEWS)).await.expect(201);
        assert_eq!(fresh["duplicate_of"], json!(null));
    }
}

on_each_database! {
    async fn of_edits_into_twins_at_once_one_is_the_first(app: App) {
        let site = app.site();
        let mut comments = Vec::new();
        for number in 0..6 {
            comments.push(site.comment("a", "awa", &remark(number)).await);
        }
        let edited = at_once(comments.into_iter().map(|comment| {
            let site = app.site();
            async move { site.edit(&comment, NEWS).await }
        }))
        .await;
        let (first, copies): (Vec<_>, Vec<_>) = edited.into_iter().partition(|one| one["duplicate_of"].is_null());
        assert_eq!((first.len(), copies.len()), (1, 5));
        assert!(copies.iter().all(|copy| copy["status"] == "pending"));
    }
}

on_each_database! {
    async fn an_edited_reply_may_quote_its_parent(app: App) {
        let site = app.site();
        let parent = site.comment("a", "awa", NEWS).await;
        let reply = site.reply(&parent, "bob", &remark(1)).await;
        let quoting = format!("« {NEWS} » Oui, et le parking, qui va le surveiller la nuit ?");
        let edited = site.edit(&reply, &quoting).await;
        assert_eq!((&edited["status"], &edited["duplicate_of"]), (&json!("published"), &json!(null)));
    }
}

on_each_database! {
    async fn an_undo_after_an_edit_is_refused(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        for (text, action) in [(CALM, "hide"), (THREAT, "approve"), (THREAT, "hide"), (THREAT, "escalate")] {
            let comment = site.comment("a", "bob", &format!("{text} {action}")).await;
            let decided = moderator.decide(&comment, action).await.expect(201);
            let edited = site.edit(&comment, &remark(1)).await;
            let problem = undo(&moderator, &decided).await.problem(409, "cannot-undo");
            assert_eq!(problem["current"], edited, "{action}");
            assert_eq!(site.now(&comment).await, edited);
        }
    }
}

on_each_database! {
    async fn only_the_comments_site_edits_it(app: App) {
        let site = app.site();
        let comment = site.comment("a", "awa", CALM).await;
        let edit = || json!({"body": "Autre chose."});
        for client in [app.moderator("binta"), app.admin()] {
            client.patch(&path(&comment, ""), edit()).await.problem(403, "forbidden");
        }
        app.other_site().patch(&path(&comment, ""), edit()).await.problem(404, "comment-not-found");
        let unknown = json!({"id": "01890000-0000-7000-8000-000000000000"});
        site.patch(&path(&unknown, ""), edit()).await.problem(404, "comment-not-found");
        site.patch("/v1/comments/x", edit()).await.problem(404, "not-an-id");
        for (change, field) in [
            (json!({"body": ""}), "body"),
            (json!({"body": "é".repeat(10_001)}), "body"),
            (json!({"body": "a\0b"}), "body"),
            (json!({"body": null}), "body"),
            (json!({"version": 1}), "body"),
            (json!({"body": "a", "version": "1"}), "version"),
            (json!({"body": "a", "author": {"id": "awa", "name": "Awa"}}), "author"),
        ] {
            assert_eq!(site.patch(&path(&comment, ""), change.clone()).await.invalid_fields(), [field], "{change}");
        }
        assert_eq!(site.now(&comment).await, comment);
        let listed = site.get("/v1/threads/a/comments").await.expect(200);
        assert_eq!(ids(&listed, "/id"), [id(&comment)]);
    }
}
