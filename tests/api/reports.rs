//! Readers' reports of comments, and authors' appeals against what was done to theirs.

use serde_json::{Value, json};

use crate::harness::{
    Answer, App, CALM, Client, OTHER_SITE, SITE, THREAT, at_once, codes, id, ids, on_each_database,
    path, remark,
};

async fn report(site: &Client, comment: &Value, reader: &str) -> Answer {
    let report = json!({"reporter": {"id": reader}, "reason": "abusive"});
    site.post(&path(comment, "/reports"), report).await
}

async fn appeal(site: &Client, comment: &Value) -> Answer {
    let appeal = json!({"text": "Je n’ai insulté personne.\nRelisez."});
    site.post(&path(comment, "/appeals"), appeal).await
}

on_each_database! {
    async fn a_reader_reports_a_comment_once(app: App) {
        let site = app.site();
        let comment = site.comment("a", "awa", CALM).await;
        let asked = json!({"reporter": {"id": "bob"}, "reason": "offensive", "note": "C’est moi\nqu’on vise."});
        let first = site.post(&path(&comment, "/reports"), asked).await.expect(201);
        assert_eq!(
            first,
            json!({
                "id": first["id"], "comment_id": comment["id"], "reporter": {"id": "bob"}, "reason": "offensive",
                "note": "C’est moi\nqu’on vise.", "version": 1, "body": CALM, "weight": 0.5, "at": first["at"],
            })
        );
        assert_eq!(report(&site, &comment, "bob").await.expect(200), first, "whatever the reason is now");
        let other = report(&site, &comment, "cheick").await.expect(201);
        assert_ne!(other["id"], first["id"]);
        assert_eq!(site.now(&comment).await, comment, "the comment is as it was");

        let one = site.comment("a", "awa", &remark(1)).await;
        let answers = at_once((0..6).map(|_| {
            let (site, one) = (app.site(), one.clone());
            async move { report(&site, &one, "bob").await }
        }))
        .await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 200, 201]);
        assert!(answers.iter().all(|answer| answer.body == answers[0].body));
        let card = app.moderator("binta").card("reported", &one).await.unwrap();
        assert_eq!(card["reports"], json!([answers[0].body]));
    }
}

on_each_database! {
    async fn a_reported_comment_stays_published_and_gets_a_card(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let comment = site.comment("a", "awa", CALM).await;
        site.comment("a", "awa", &remark(1)).await;
        let mut reports = Vec::new();
        for reader in ["bob", "cheick"] {
            reports.push(report(&site, &comment, reader).await.expect(201));
        }
        let seen = site.get("/v1/threads/a/comments").await.expect(200);
        assert_eq!(seen["items"][0]["body"], CALM);
        assert_eq!(moderator.queues_of(&comment).await, ["reported"]);
        let card = moderator.card("reported", &comment).await.unwrap();
        assert_eq!((&card["queue"], &card["comment"]["version"]), (&json!("reported"), &json!(1)));
        assert_eq!(card["reports"], json!(reports), "the oldest first");
        let parts = card["priority"]["parts"].as_array().unwrap();
        assert!(parts.iter().any(|part| part["code"] == "report"), "{card:#}");
        let counts = moderator.get("/v1/queue/counts").await.expect(200);
        assert_eq!((&counts["waiting"], &counts["reported"]), (&json!(0), &json!(1)));
        for (reason, found) in [("report", 1), ("threat", 0)] {
            let page = moderator.get(&format!("/v1/queue?queue=reported&reason={reason}")).await.expect(200);
            assert_eq!(page["items"].as_array().unwrap().len(), found, "{reason}");
        }
    }
}

on_each_database! {
    async fn a_report_keeps_the_text_as_it_was(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let comment = site.comment("a", "awa", &remark(1)).await;
        report(&site, &comment, "bob").await.expect(201);
        site.edit(&comment, &remark(2)).await;
        let filtered = moderator.get("/v1/queue?queue=reported&reason=report").await.expect(200);
        assert_eq!(ids(&filtered, "/comment/id"), [id(&comment)], "an edit does not make reports undone");
        let later = report(&site, &comment, "cheick").await.expect(201);
        assert_eq!((&later["version"], &later["body"]), (&json!(2), &json!(remark(2))));
        let card = moderator.card("reported", &comment).await.unwrap();
        let texts: Vec<&Value> = card["reports"].as_array().unwrap().iter().map(|one| &one["body"]).collect();
        assert_eq!(texts, [&json!(remark(1)), &json!(remark(2))]);
        assert_eq!(card["comment"]["body"], remark(2));
    }
}

on_each_database! {
    async fn after_an_approval_only_a_newer_version_is_reported_again(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let comment = site.comment("a", "awa", &remark(1)).await;
        report(&site, &comment, "bob").await.expect(201);
        let approved = moderator.decide(&comment, "approve").await.expect(201);
        assert_eq!(approved["comment"]["version"], 1, "nothing of it changed");
        assert_eq!(moderator.queues_of(&comment).await, [""; 0]);
        for reader in ["cheick", "dado", "bob"] {
            report(&site, &comment, reader).await;
            assert_eq!(moderator.queues_of(&comment).await, [""; 0], "{reader}");
        }
        site.edit(&comment, &remark(2)).await;
        assert_eq!(moderator.queues_of(&comment).await, [""; 0], "the edit alone is no report");
        report(&site, &comment, "cheick").await.expect(200);
        assert_eq!(moderator.queues_of(&comment).await, [""; 0], "that was about the text before");
        report(&site, &comment, "fanta").await.expect(201);
        assert_eq!(moderator.queues_of(&comment).await, ["reported"]);
    }
}

on_each_database! {
    async fn what_is_undone_is_open_to_reports_again(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let comment = site.comment("a", "awa", &remark(1)).await;
        report(&site, &comment, "bob").await.expect(201);
        let card = moderator.card("reported", &comment).await.unwrap();
        for action in ["approve", "hide"] {
            let now = site.now(&comment).await;
            let decided = moderator.decide(&now, action).await.expect(201);
            assert_eq!(moderator.queues_of(&comment).await, [""; 0], "{action}");
            let undo = format!("/v1/decisions/{}/undo", id(&decided["decision"]));
            moderator.post(&undo, json!({})).await.expect(201);
            assert_eq!(moderator.queues_of(&comment).await, ["reported"], "{action}");
            let back = moderator.card("reported", &comment).await.unwrap();
            for part in ["priority", "reports", "highlights"] {
                assert_eq!(back[part], card[part], "{action}: {part}");
            }
            assert_eq!(site.now(&comment).await["status"], "published", "{action}");
        }
    }
}

on_each_database! {
    async fn a_policy_may_hold_what_many_report(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        app.set_policy(json!({"hold_at_reports": 3})).await;
        let comment = site.comment("a", "awa", &remark(1)).await;
        for reader in ["bob", "bob", "cheick"] {
            report(&site, &comment, reader).await;
            assert_eq!(site.now(&comment).await["status"], "published", "{reader}");
        }
        report(&site, &comment, "dado").await.expect(201);
        let held = site.now(&comment).await;
        assert_eq!((&held["status"], &held["version"]), (&json!("pending"), &json!(2)));
        assert_eq!(codes(&held), ["report"]);
        assert!(held["reasons"][0]["detail"].as_str().unwrap().contains('3'));
        assert_eq!(moderator.queues_of(&comment).await, ["waiting"]);
        let seen = site.get("/v1/threads/a/comments").await.expect(200);
        assert_eq!(seen["items"], json!([]));

        // A human's word counts more than any number of readers'.
        moderator.decide(&held, "approve").await.expect(201);
        for reader in ["fanta", "gaoussou", "hawa", "issa"] {
            report(&site, &comment, reader).await.expect(201);
        }
        assert_eq!(site.now(&comment).await["status"], "published");

        // Each text is counted by itself.
        let other = site.comment("a", "awa", &remark(2)).await;
        for reader in ["bob", "cheick"] {
            report(&site, &other, reader).await.expect(201);
        }
        site.edit(&other, &remark(3)).await;
        for (reader, status) in [("dado", "published"), ("fanta", "published"), ("gaoussou", "pending")] {
            report(&site, &other, reader).await.expect(201);
            assert_eq!(site.now(&other).await["status"], status, "{reader}");
        }
    }
}

on_each_database! {
    async fn an_edit_does_not_get_round_what_readers_held(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        app.set_policy(json!({"hold_at_reports": 2})).await;
        let comment = site.comment("a", "awa", &remark(1)).await;
        for reader in ["bob", "cheick"] {
            report(&site, &comment, reader).await.expect(201);
        }
        let edited = site.edit(&comment, &format!("{} ", remark(1))).await;
        assert_eq!(edited["status"], "pending", "a moderator looks first");
        assert_eq!(moderator.queues_of(&comment).await, ["waiting"]);
        moderator.decide(&edited, "approve").await.expect(201);
        assert_eq!(site.edit(&comment, &remark(2)).await["status"], "published");
    }
}

on_each_database! {
    async fn what_readers_do_not_see_enters_no_other_queue_by_a_report(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let pending = site.comment("a", "bob", THREAT).await;
        let reported = report(&site, &pending, "awa").await.expect(201);
        assert_eq!(moderator.queues_of(&pending).await, ["waiting"]);
        let card = moderator.card("waiting", &pending).await.unwrap();
        assert_eq!(card["reports"], json!([reported]), "its card tells of the report");
        let hidden = site.comment("a", "bob", &remark(1)).await;
        moderator.decide(&hidden, "hide").await.expect(201);
        report(&site, &hidden, "awa").await.expect(201);
        assert_eq!(moderator.queues_of(&hidden).await, [""; 0]);
        assert_eq!(site.now(&hidden).await["status"], "hidden");
    }
}

on_each_database! {
    async fn a_bad_report_or_appeal_is_named_and_changes_nothing(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        let comment = site.comment("a", "awa", CALM).await;
        let pending = site.comment("a", "bob", THREAT).await;
        for (body, field) in [
            (json!({"reason": "spam"}), "reporter"),
            (json!({"reporter": {"id": "bob"}}), "reason"),
            (json!({"reporter": {"id": ""}, "reason": "spam"}), "reporter.id"),
            (json!({"reporter": {}, "reason": "spam"}), "reporter.id"),
            (json!({"reporter": ["bob"], "reason": "spam"}), "reporter"),
            (json!({"reporter": {"id": "bob", "name": "Bob"}, "reason": "spam"}), "reporter.name"),
            (json!({"reporter": {"id": "bob"}, "reason": "hate"}), "reason"),
            (json!({"reporter": {"id": "bob"}, "reason": "spam", "note": " "}), "note"),
            (json!({"reporter": {"id": "bob"}, "reason": "spam", "note": "n".repeat(2_001)}), "note"),
            (json!({"reporter": {"id": "bob"}, "reason": "spam", "version": 1}), "version"),
        ] {
            let fields = site.post(&path(&comment, "/reports"), body.clone()).await.invalid_fields();
            assert_eq!(fields, [field], "{body}");
        }
        for (body, field) in [
            (json!({}), "text"),
            (json!({"text": ""}), "text"),
            (json!({"text": "n".repeat(2_001)}), "text"),
            (json!({"text": "Pourquoi ?", "author": "bob"}), "author"),
        ] {
            let fields = site.post(&path(&pending, "/appeals"), body.clone()).await.invalid_fields();
            assert_eq!(fields, [field], "{body}");
        }
        report(&app.other_site(), &comment, "bob").await.problem(404, "comment-not-found");
        appeal(&app.other_site(), &pending).await.problem(404, "comment-not-found");
        let both = app.bearer(palabre::domain::Role::Site, "both", &[SITE, OTHER_SITE]);
        assert_eq!(binta.queues_of(&comment).await, [""; 0]);
        assert_eq!(binta.card("waiting", &pending).await.unwrap()["appeals"], json!([]));
        report(&both, &comment, "bob").await.expect(201);
    }
}

/// The points that reports add to a card.
async fn points(moderator: &Client, comment: &Value) -> f64 {
    let card = moderator.card("reported", comment).await.unwrap();
    let mut parts = card["priority"]["parts"].as_array().unwrap().iter();
    let part = parts.find(|part| part["code"] == "report");
    part.map_or(0.0, |part| part["points"].as_f64().unwrap())
}

on_each_database! {
    async fn who_was_right_before_is_heard_first(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        // One who knows, and one who reports whatever they dislike.
        for number in 0..6 {
            for (reader, action) in [("sage", "hide"), ("fâché", "approve")] {
                let comment = site.comment("a", "bob", &remark(100 * number + reader.len())).await;
                report(&site, &comment, reader).await.expect(201);
                moderator.decide(&comment, action).await.expect(201);
            }
        }
        let mut reported = Vec::new();
        for (number, readers) in [(1, vec!["sage"]), (2, vec!["fâché"]), (3, vec!["nouveau"]), (4, vec!["sage", "nouveau", "fâché"])] {
            let comment = site.comment("a", "awa", &remark(number)).await;
            for reader in readers {
                let made = report(&site, &comment, reader).await.expect(201);
                let weight = made["weight"].as_f64().unwrap();
                let expected = match reader { "sage" => 0.8, "fâché" => 0.2, _ => 0.5 };
                assert!((weight - expected).abs() < 1e-9, "{reader}: {weight}");
            }
            reported.push(comment);
        }
        let mut worth = Vec::new();
        for comment in &reported {
            worth.push(points(&moderator, comment).await);
        }
        assert_eq!(worth, [0.08, 0.02, 0.05, 0.119]);
        // A page of the queue stays as it is, whatever is decided meanwhile.
        let other = site.comment("a", "awa", &remark(50)).await;
        report(&site, &other, "fâché").await.expect(201);
        moderator.decide(&other, "hide").await.expect(201);
        for (comment, before) in reported.iter().zip(&worth) {
            assert!((points(&moderator, comment).await - before).abs() < 1e-9);
        }
    }
}

on_each_database! {
    async fn only_what_was_decided_on_the_text_reported_says_who_was_right(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let weight_of_next = |number: usize| {
            let site = site.clone();
            async move {
                let comment = site.comment("z", "awa", &remark(1000 + number)).await;
                report(&site, &comment, "sage").await.expect(201)["weight"].as_f64().unwrap()
            }
        };
        // Another text by the time it was hidden.
        let edited = site.comment("a", "bob", &remark(1)).await;
        report(&site, &edited, "sage").await.expect(201);
        let edited = site.edit(&edited, &remark(2)).await;
        moderator.decide(&edited, "hide").await.expect(201);
        // Hidden before they said so.
        let late = site.comment("a", "bob", &remark(3)).await;
        moderator.decide(&late, "hide").await.expect(201);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        report(&site, &late, "sage").await.expect(201);
        // On another site.
        let there = app.other_site().comment("a", "bob", &remark(4)).await;
        report(&app.other_site(), &there, "sage").await.expect(201);
        app.admin().decide(&there, "hide").await.expect(201);
        // Hidden, and taken back.
        let undone = site.comment("a", "bob", &remark(5)).await;
        report(&site, &undone, "sage").await.expect(201);
        let decided = moderator.decide(&undone, "hide").await.expect(201);
        assert!((weight_of_next(1).await - 0.6).abs() < 1e-9, "one that stands");
        moderator.post(&format!("/v1/decisions/{}/undo", id(&decided["decision"])), json!({})).await.expect(201);
        assert!((weight_of_next(2).await - 0.5).abs() < 1e-9, "nothing is known");
    }
}
