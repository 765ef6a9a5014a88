//! Decisions, what follows from them, and taking them back.

use palabre::domain::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{
    Answer, App, CALM, Client, SITE, THREAT, at_once, id, ids, on_each_database, remark,
    with_cursor,
};

/// The comment as it is now.
async fn now(client: &Client, comment: &Value) -> Value {
    client
        .get(&format!("/v1/comments/{}", id(comment)))
        .await
        .expect(200)
}

/// The item of the queue about this comment, without what changes with the comment itself.
async fn waiting(client: &Client, queue: &str, comment: &Value) -> Option<Value> {
    let items = client.all(&format!("/v1/queue?queue={queue}")).await;
    items
        .into_iter()
        .find(|item| item["comment"]["id"] == comment["id"])
        .map(|mut item| {
            item.as_object_mut().unwrap().remove("comment");
            item
        })
}

async fn undo(client: &Client, decided: &Value) -> Answer {
    client
        .post(
            &format!("/v1/decisions/{}/undo", id(&decided["decision"])),
            json!({}),
        )
        .await
}

async fn decide_with(client: &Client, comment: &Value, more: Value) -> Answer {
    let mut decision = json!({"action": "hide", "version": comment["version"]});
    for (name, value) in more.as_object().unwrap() {
        decision[name] = value.clone();
    }
    client
        .post(&format!("/v1/comments/{}/decisions", id(comment)), decision)
        .await
}

on_each_database! {
    async fn what_follows_from_each_action(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        site.put("/v1/threads/pre", json!({"mode": "pre"})).await.expect(201);
        for (action, status, version, queue) in [
            ("approve", "published", 2, None),
            ("hide", "hidden", 2, None),
            ("escalate", "pending", 1, Some("escalated")),
        ] {
            let held = site.comment("pre", "awa", &remark(1)).await;
            let more = json!({"action": action, "reason": "off_topic", "note": "À revoir\nlundi", "labels": {"spam": false}});
            let decided = decide_with(&moderator, &held, more).await.expect(201);
            let comment = &decided["comment"];
            assert_eq!((&comment["status"], &comment["version"]), (&json!(status), &json!(version)));
            assert_eq!(now(&site, &held).await, *comment, "the site reads what the moderator was told");
            let decision = &decided["decision"];
            assert_eq!(
                comment["decision"],
                json!({"action": action, "reason": "off_topic", "at": decision["at"]})
            );
            assert_eq!(
                *decision,
                json!({
                    "id": decision["id"], "comment_id": held["id"], "action": action, "reason": "off_topic",
                    "note": "À revoir\nlundi", "labels": {"spam": false}, "moderator": "binta", "at": decision["at"],
                    "from_status": "pending", "to_status": status, "from_queue": "waiting", "to_queue": queue,
                    "version": version, "undoes": null, "group_id": null,
                })
            );
            let log = moderator.get(&format!("/v1/decisions?comment={}", id(&held))).await.expect(200);
            assert_eq!(log["items"], json!([decision]));
            assert_eq!(waiting(&moderator, "waiting", &held).await, None);
            assert_eq!(waiting(&moderator, "escalated", &held).await.is_some(), queue.is_some());
        }
        let thread = site.get("/v1/threads/pre").await.expect(200);
        assert_eq!(thread["counts"], json!({"published": 1, "pending": 1, "hidden": 1, "deleted": 0}));

        // What the machine published or a human hid can be decided on as well.
        let published = site.comment("a", "awa", CALM).await;
        let hidden = moderator.decide(&published, "hide").await.expect(201)["comment"].clone();
        assert_eq!((&hidden["status"], &hidden["version"]), (&json!("hidden"), &json!(2)));
        let again = moderator.decide(&hidden, "approve").await.expect(201)["comment"].clone();
        assert_eq!((&again["status"], &again["version"]), (&json!("published"), &json!(3)));
    }
}

on_each_database! {
    async fn a_stale_version_is_told_the_current_comment(app: App) {
        let moderator = app.moderator("binta");
        let held = app.site().comment("a", "bob", THREAT).await;
        moderator.decide(&held, "approve").await.expect(201);
        for version in [1, 0, 3, -1] {
            let answer = decide_with(&moderator, &held, json!({"version": version})).await;
            let problem = answer.problem(409, "stale-version");
            assert_eq!(problem["current"], now(&moderator, &held).await);
        }
        let admin = app.admin();
        let forced = decide_with(&admin, &held, json!({"force": true})).await;
        forced.problem(409, "stale-version");
    }
}

on_each_database! {
    async fn of_moderators_at_once_one_wins_and_the_others_see_it(app: App) {
        for round in 0..4 {
            let held = app.site().comment("a", "bob", &format!("{THREAT} {}", "!".repeat(round))).await;
            let answers = at_once((0..6).map(|n| {
                let moderator = app.moderator(&format!("m{n}"));
                let held = held.clone();
                let action = if n % 2 == 0 { "approve" } else { "hide" };
                async move { moderator.decide(&held, action).await }
            }))
            .await;
            let (won, lost): (Vec<Answer>, Vec<Answer>) =
                answers.into_iter().partition(|answer| answer.status == StatusCode::CREATED);
            assert_eq!((won.len(), lost.len()), (1, 5));
            let comment = &won[0].body["comment"];
            assert_eq!(now(&app.site(), &held).await, *comment);
            for answer in lost {
                assert_eq!(answer.problem(409, "stale-version")["current"], *comment);
            }
            let log = app.moderator("m0").get(&format!("/v1/decisions?comment={}", id(&held))).await.expect(200);
            assert_eq!(log["items"], json!([won[0].body["decision"]]));
        }
    }
}

on_each_database! {
    async fn the_second_opinion_is_somebody_elses(app: App) {
        let (site, binta, luc) = (app.site(), app.moderator("binta"), app.moderator("luc"));
        let held = site.comment("a", "bob", THREAT).await;
        binta.decide(&held, "escalate").await.expect(201);
        for action in ["approve", "hide"] {
            let problem = binta.decide(&held, action).await.problem(403, "own-escalation");
            assert_eq!(problem["current"], now(&site, &held).await);
        }
        luc.decide(&held, "escalate").await.problem(409, "already-escalated");
        let decided = luc.decide(&held, "hide").await.expect(201);
        assert_eq!(decided["comment"]["status"], "hidden");

        // Once that is undone it is Binta's escalation again.
        undo(&luc, &decided).await.expect(201);
        let back = now(&site, &held).await;
        assert_eq!(back["decision"]["action"], "escalate");
        binta.decide(&back, "approve").await.problem(403, "own-escalation");

        for (subject, force, status) in [("root", false, 403), ("root", true, 201)] {
            let held = site.comment("b", "bob", &format!("{THREAT} {force}")).await;
            let admin = app.bearer(Role::Admin, subject, &[SITE]);
            admin.decide(&held, "escalate").await.expect(201);
            assert_eq!(decide_with(&admin, &held, json!({"force": force})).await.status, status);
        }
        let fresh = site.comment("c", "awa", CALM).await;
        let forced = decide_with(&luc, &fresh, json!({"force": true})).await;
        forced.problem(403, "forbidden");
        assert_eq!(now(&site, &fresh).await, fresh);
    }
}

on_each_database! {
    async fn one_who_escalates_and_approves_at_once_gives_no_second_opinion(app: App) {
        for round in 0..6 {
            let held = app.site().comment("a", "bob", &format!("{THREAT} {}", "?".repeat(round))).await;
            let binta = app.moderator("binta");
            let answers = at_once(["escalate", "approve"].into_iter().map(|action| {
                let (binta, held) = (binta.clone(), held.clone());
                async move { binta.decide(&held, action).await.status.as_u16() }
            }))
            .await;
            // Whichever came first, the other was refused.
            assert!(matches!(answers[..], [201, 403] | [409, 201]), "{answers:?}");
        }
    }
}

on_each_database! {
    async fn a_bad_decision_is_named_and_changes_nothing(app: App) {
        let moderator = app.moderator("binta");
        let held = app.site().comment("a", "bob", THREAT).await;
        let published = app.site().comment("a", "awa", CALM).await;
        for (change, field) in [
            (json!({"action": "delete"}), "action"),
            (json!({"action": "undo"}), "action"),
            (json!({"action": null}), "action"),
            (json!({"version": null}), "version"),
            (json!({"version": "1"}), "version"),
            (json!({"version": 1.5}), "version"),
            (json!({"reason": "rude"}), "reason"),
            (json!({"note": " "}), "note"),
            (json!({"note": "n".repeat(2_001)}), "note"),
            (json!({"note": "a\0b"}), "note"),
            (json!({"labels": {"toxicity": "yes"}}), "labels.toxicity"),
            (json!({"labels": {"rude": true}}), "labels.rude"),
            (json!({"labels": ["toxicity"]}), "labels"),
            (json!({"scope": "everything"}), "scope"),
            (json!({"force": 1}), "force"),
            (json!({"moderator": "luc"}), "moderator"),
        ] {
            let fields = decide_with(&moderator, &held, change.clone()).await.invalid_fields();
            assert_eq!(fields, [field], "{change}");
        }
        let path = format!("/v1/comments/{}/decisions", id(&held));
        assert_eq!(moderator.post(&path, json!({"version": 1})).await.invalid_fields(), ["action"]);
        assert_eq!(moderator.post(&path, json!({"action": "hide"})).await.invalid_fields(), ["version"]);
        moderator.post(&path, json!(["hide", 1])).await.problem(422, "validation");
        let problem = moderator.decide(&published, "escalate").await.problem(409, "not-pending");
        assert_eq!(problem["current"], published);
        let unknown = json!({"id": "01890000-0000-7000-8000-000000000000", "version": 1});
        moderator.decide(&unknown, "hide").await.problem(404, "comment-not-found");
        undo(&moderator, &json!({"decision": unknown})).await.problem(404, "decision-not-found");
        moderator.post("/v1/comments/x/decisions", json!({})).await.problem(404, "not-an-id");
        moderator.post("/v1/decisions/x/undo", json!({})).await.problem(404, "not-an-id");

        assert_eq!(now(&moderator, &held).await, held);
        assert_eq!(moderator.get("/v1/decisions").await.expect(200)["items"], json!([]));
        assert!(waiting(&moderator, "waiting", &held).await.is_some());
    }
}

on_each_database! {
    async fn an_undo_puts_everything_back(app: App) {
        let (site, binta, luc) = (app.site(), app.moderator("binta"), app.moderator("luc"));
        site.put("/v1/threads/a", json!({"lang": "fr"})).await.expect(201);
        let parent = site.comment("a", "awa", CALM).await;
        let held = site.reply(&parent, "bob", &format!("« {CALM} » 🙂 {THREAT}")).await;
        let card = waiting(&binta, "waiting", &held).await.expect("a threat waits");
        assert!(!card["highlights"].as_array().unwrap().is_empty());
        for (action, version) in [("approve", 3), ("hide", 5), ("escalate", 5)] {
            let before = now(&site, &held).await;
            let decided = binta.decide(&before, action).await.expect(201);
            assert_eq!(waiting(&binta, "waiting", &held).await, None);
            // Whoever moderates may take it back.
            let undone = undo(&luc, &decided).await.expect(201);
            let comment = &undone["comment"];
            assert_eq!((&comment["status"], &comment["version"]), (&json!("pending"), &json!(version)));
            assert_eq!(comment["decision"], json!(null), "no decision stands");
            let entry = &undone["decision"];
            assert_eq!((&entry["action"], &entry["moderator"]), (&json!("undo"), &json!("luc")));
            assert_eq!(entry["undoes"], decided["decision"]["id"]);
            assert_eq!(entry["to_queue"], "waiting");
            assert_eq!(now(&site, &held).await, *comment);
            assert_eq!(waiting(&binta, "waiting", &held).await.as_ref(), Some(&card), "after {action}");
        }
        let published = site.comment("b", "awa", "Bon courage à eux.").await;
        let decided = binta.decide(&published, "hide").await.expect(201);
        let undone = undo(&binta, &decided).await.expect(201)["comment"].clone();
        assert_eq!((&undone["status"], &undone["version"]), (&json!("published"), &json!(3)));
        assert_eq!(waiting(&binta, "waiting", &published).await, None);
    }
}

on_each_database! {
    async fn only_the_latest_change_is_undone_and_an_undo_once(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        let held = site.comment("a", "bob", THREAT).await;
        let escalated = binta.decide(&held, "escalate").await.expect(201);
        let approved = app.moderator("luc").decide(&held, "approve").await.expect(201);
        let problem = undo(&binta, &escalated).await.problem(409, "cannot-undo");
        assert_eq!(problem["current"], now(&site, &held).await);

        // The approval is undone: escalated again. That undo is undone: approved again. Now it is enough.
        let first = undo(&binta, &approved).await.expect(201);
        assert_eq!(first["comment"]["status"], "pending");
        assert!(waiting(&binta, "escalated", &held).await.is_some());
        undo(&binta, &approved).await.problem(409, "cannot-undo");
        let second = undo(&binta, &first).await.expect(201);
        assert_eq!(second["comment"]["status"], "published");
        assert_eq!(second["comment"]["decision"], approved["comment"]["decision"], "the approval stands again");
        undo(&binta, &second).await.problem(409, "cannot-undo");
        undo(&binta, &first).await.problem(409, "cannot-undo");

        // A new decision begins anew.
        let hidden = binta.decide(&second["comment"], "hide").await.expect(201);
        let back = undo(&binta, &hidden).await.expect(201);
        assert_eq!(back["comment"]["status"], "published");
        let log = binta.get(&format!("/v1/decisions?comment={}", id(&held))).await.expect(200);
        let actions: Vec<&Value> = log["items"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
        assert_eq!(actions, ["undo", "hide", "undo", "undo", "approve", "escalate"]);
    }
}

on_each_database! {
    async fn an_undone_escalation_can_be_brought_back(app: App) {
        let (site, binta, luc) = (app.site(), app.moderator("binta"), app.moderator("luc"));
        let held = site.comment("a", "bob", THREAT).await;
        let escalated = binta.decide(&held, "escalate").await.expect(201);
        let undone = undo(&luc, &escalated).await.expect(201);
        assert!(waiting(&binta, "waiting", &held).await.is_some());
        assert!(waiting(&binta, "escalated", &held).await.is_none());
        undo(&luc, &undone).await.expect(201);
        assert!(waiting(&binta, "escalated", &held).await.is_some());
        binta.decide(&held, "approve").await.problem(403, "own-escalation");
        luc.decide(&held, "approve").await.expect(201);
    }
}

on_each_database! {
    async fn of_two_undos_at_once_one_wins(app: App) {
        for round in 0..4 {
            let held = app.site().comment("a", "bob", &format!("{THREAT} {}", "!".repeat(round))).await;
            let binta = app.moderator("binta");
            // An escalation leaves the version as it was, so only the log can tell that it was undone.
            let decided = binta.decide(&held, if round % 2 == 0 { "escalate" } else { "hide" }).await.expect(201);
            let mut statuses = at_once((0..4).map(|_| {
                let (binta, decided) = (binta.clone(), decided.clone());
                async move { undo(&binta, &decided).await.status.as_u16() }
            }))
            .await;
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409, 409, 409]);
            assert!(waiting(&binta, "waiting", &held).await.is_some());
        }
    }
}

on_each_database! {
    async fn the_audit_log_filters_and_pages(app: App) {
        let (site, binta, luc) = (app.site(), app.moderator("binta"), app.moderator("luc"));
        let mut entries = Vec::new();
        for number in 0..8 {
            let thread = if number % 4 == 0 { "b" } else { "a" };
            let comment = site.comment(thread, "awa", &remark(number)).await;
            let moderator = if number % 2 == 0 { &binta } else { &luc };
            entries.push(moderator.decide(&comment, "hide").await.expect(201)["decision"].clone());
        }
        let newest_first = |numbers: &[usize]| -> Vec<String> {
            numbers.iter().rev().map(|number| id(&entries[*number]).to_owned()).collect()
        };
        let since = entries[5]["at"].as_str().unwrap();
        let since_numbers: Vec<usize> =
            (0..8).filter(|number| entries[*number]["at"].as_str().unwrap() >= since).collect();
        for (query, numbers) in [
            (String::new(), (0..8).collect::<Vec<_>>()),
            ("moderator=luc".into(), vec![1, 3, 5, 7]),
            ("moderator=nobody".into(), vec![]),
            ("thread=b".into(), vec![0, 4]),
            ("thread=b&moderator=luc".into(), vec![]),
            (format!("comment={}", entries[3]["comment_id"].as_str().unwrap()), vec![3]),
            (format!("since={since}"), since_numbers),
            ("since=2100-01-01T00:00:00Z".into(), vec![]),
            (format!("site={SITE}"), (0..8).collect()),
        ] {
            let path = format!("/v1/decisions?{query}");
            let found = binta.get(&path).await.expect(200);
            assert_eq!(ids(&found, "/id"), newest_first(&numbers), "{query}");
            // The same a few at a time.
            let paged = binta.all(&format!("{path}&limit=3")).await;
            assert_eq!(json!(paged), found["items"], "{query}");
        }
        // A decision made between two pages is on neither.
        let path = "/v1/decisions?limit=3";
        let page = binta.get(path).await.expect(200);
        let comment = site.comment("a", "awa", &remark(100)).await;
        binta.decide(&comment, "hide").await.expect(201);
        let cursor = page["next_cursor"].as_str().unwrap();
        let next = binta.get(&with_cursor(path, cursor)).await.expect(200);
        assert_eq!(ids(&next, "/id"), newest_first(&[2, 3, 4]));

        for (query, field) in [
            ("comment=x", "comment"),
            ("since=yesterday", "since"),
            ("since=2026-11-22T09:30:00", "since"),
            ("thread=%00", "thread"),
            ("moderator=a%00", "moderator"),
            ("limit=201", "limit"),
            ("cursor=x", "cursor"),
            (&format!("moderator=luc&cursor={cursor}"), "cursor"),
        ] {
            assert_eq!(binta.get(&format!("/v1/decisions?{query}")).await.invalid_fields(), [field], "{query}");
        }
        let nowhere = binta.get("/v1/decisions?thread=nowhere").await;
        nowhere.problem(404, "thread-not-found");
        let both = app.admin();
        assert_eq!(both.get("/v1/decisions?thread=a").await.invalid_fields(), ["site"]);
        assert_eq!(both.get("/v1/decisions?limit=200").await.expect(200)["items"].as_array().unwrap().len(), 9);
    }
}
