//! Decisions about more than one comment: branches, copies, authors, batches; figures of what was decided.

use serde_json::{Value, json};

use crate::harness::{Answer, App, CALM, Client, NEWS, at_once, id, on_each_database, remark};

async fn decide(client: &Client, comment: &Value, action: &str, scope: &str) -> Answer {
    let body = json!({"action": action, "version": comment["version"], "scope": scope});
    client
        .post(&format!("/v1/comments/{}/decisions", id(comment)), body)
        .await
}

async fn statuses(client: &Client, comments: &[&Value]) -> Vec<String> {
    let mut statuses = Vec::new();
    for comment in comments {
        let now = client
            .get(&format!("/v1/comments/{}", id(comment)))
            .await
            .expect(200);
        statuses.push(now["status"].as_str().unwrap().to_owned());
    }
    statuses
}

on_each_database! {
    async fn a_branch_is_cut_off_and_grows_back(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let root = site.comment("a", "awa", &remark(1)).await;
        let child = site.reply(&root, "bob", &remark(2)).await;
        let grandchild = site.reply(&child, "cheick", &remark(3)).await;
        let beside = site.comment("a", "dado", &remark(4)).await;
        let all = [&root, &child, &grandchild, &beside];
        let decided = decide(&moderator, &root, "hide", "subtree").await.expect(201);
        assert_eq!(decided["group"], json!({"decided": 3, "left_out": 0, "complete": true}));
        assert_eq!(statuses(&moderator, &all).await, ["hidden", "hidden", "hidden", "published"]);
        // Any of them takes all of them back.
        let log = moderator.get(&format!("/v1/decisions?comment={}", id(&grandchild))).await.expect(200);
        let one = &log["items"][0];
        assert_eq!(one["group_id"], decided["group_id"]);
        let undo = format!("/v1/decisions/{}/undo", id(one));
        let undone = moderator.post(&undo, json!({})).await.expect(201);
        assert_eq!(undone["group"]["decided"], 3);
        assert_eq!(statuses(&moderator, &all).await, ["published"; 4]);
        moderator.post(&undo, json!({})).await.problem(409, "cannot-undo");
        // And once more, as an undo may be undone once.
        let again = format!("/v1/decisions/{}/undo", id(&undone["decision"]));
        assert_eq!(moderator.post(&again, json!({})).await.expect(201)["group"]["decided"], 3);
        assert_eq!(statuses(&moderator, &all).await, ["hidden", "hidden", "hidden", "published"]);
    }
}

on_each_database! {
    async fn a_raid_is_one_decision(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let first = site.comment("a", "awa", NEWS).await;
        let mut copies = Vec::new();
        for n in 0..120 {
            copies.push(site.comment(&format!("t{}", n % 3), &format!("u{n}"), &format!("{NEWS} {}", "!".repeat(n % 3))).await);
        }
        let held: Vec<&Value> = copies.iter().collect();
        assert!(statuses(&moderator, &held[..3]).await.iter().all(|status| status == "pending"));
        let card = moderator.get("/v1/queue?collapse=cluster").await.expect(200)["items"][0].clone();
        assert_eq!(card["duplicates"]["count"], 121);
        let cluster = card["duplicates"]["cluster"].as_str().unwrap();
        let members = moderator.all(&format!("/v1/clusters/{cluster}?limit=50")).await;
        assert_eq!(members.len(), 121);
        assert_eq!(members[0]["id"], first["id"], "the oldest first");
        app.bearer(palabre::domain::Role::Moderator, "luc", &["lyon"])
            .get(&format!("/v1/clusters/{cluster}")).await.problem(404, "cluster-not-found");

        let decided = decide(&moderator, &copies[7], "hide", "duplicates").await.expect(201);
        assert_eq!(decided["group"], json!({"decided": 121, "left_out": 0, "complete": true}));
        assert_eq!(moderator.get("/v1/queue/counts").await.expect(200)["waiting"], 0);
        assert_eq!(statuses(&moderator, &[&first, &copies[119]]).await, ["hidden", "hidden"]);
        // A later copy is held all the same, and the same request again takes it into the same group.
        let late = site.comment("t9", "late", NEWS).await;
        assert_eq!(late["status"], "pending");
        let again = decide(&moderator, &copies[7], "hide", "duplicates").await.expect(201);
        assert_eq!(again["group"], json!({"decided": 2, "left_out": 0, "complete": true}));
        assert_eq!((&again["group_id"], &again["decision"]), (&decided["group_id"], &decided["decision"]));
        decide(&app.moderator("awa"), &copies[7], "hide", "duplicates").await.problem(409, "stale-version");
        let undo = format!("/v1/decisions/{}/undo", id(&decided["decision"]));
        assert_eq!(moderator.post(&undo, json!({})).await.expect(201)["group"]["decided"], 122);
        assert_eq!(moderator.get("/v1/queue/counts").await.expect(200)["waiting"], 121);
        assert_eq!(statuses(&moderator, &[&first]).await, ["published"]);
    }
}

on_each_database! {
    async fn a_group_leaves_out_what_others_have_or_decided(app: App) {
        let (site, awa, binta) = (app.site(), app.moderator("awa"), app.moderator("binta"));
        site.put("/v1/threads/pre", json!({"mode": "pre"})).await.expect(201);
        let mut theirs = Vec::new();
        for number in 0..5 {
            theirs.push(site.comment("pre", "bob", &remark(number)).await);
        }
        let approved = awa.decide(&theirs[0], "approve").await.expect(201)["comment"].clone();
        let claimed = awa.post("/v1/queue/claims", json!({"limit": 1})).await.expect(200)["items"][0]["comment"].clone();
        let named = theirs.iter().skip(1).find(|one| one["id"] != claimed["id"]).unwrap();
        let decided = decide(&binta, named, "hide", "author_recent").await.expect(201);
        assert_eq!(decided["group"], json!({"decided": 3, "left_out": 1, "complete": true}));
        assert_eq!(statuses(&binta, &[&approved, &claimed, named]).await, ["published", "pending", "hidden"]);
        let other = site.comment("pre", "dado", CALM).await;
        assert_eq!(decide(&binta, &other, "approve", "duplicates").await.expect(201)["group"]["decided"], 1);
        let strange = json!({"action": "hide", "version": 1, "scope": "everything"});
        binta.post(&format!("/v1/comments/{}/decisions", id(&other)), strange).await.problem(422, "validation");
    }
}

on_each_database! {
    async fn a_batch_has_a_result_for_each(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let (one, two) = (site.comment("a", "awa", &remark(1)).await, site.comment("a", "bob", &remark(2)).await);
        let nothing = "01890000-0000-7000-8000-000000000000";
        let batch = json!({"decisions": [
            {"comment_id": one["id"], "action": "hide", "version": 1, "reason": "off_topic"},
            {"comment_id": two["id"], "action": "hide", "version": 9},
            {"comment_id": nothing, "action": "hide", "version": 1},
            {"comment_id": "nonsense", "action": "approve", "version": 1},
            {"comment_id": one["id"], "action": "approve", "version": 2},
        ]});
        let results = moderator.post("/v1/decisions:batch", batch).await.expect(200)["results"].clone();
        let status: Vec<u64> = results.as_array().unwrap().iter().map(|result| result["status"].as_u64().unwrap()).collect();
        assert_eq!(status, [201, 409, 404, 404, 201]);
        assert_eq!(results[0]["decision"]["reason"], "off_topic");
        assert_eq!(results[1]["problem"]["current"]["version"], 1);
        assert_eq!(results[4]["comment"]["status"], "published");
        for count in [0, 201] {
            let entry = json!({"comment_id": one["id"], "action": "hide", "version": 1});
            let batch = json!({"decisions": vec![entry; count]});
            assert_eq!(moderator.post("/v1/decisions:batch", batch).await.invalid_fields(), ["decisions"]);
        }
    }
}

on_each_database! {
    async fn of_two_who_decide_a_cluster_at_once_each_comment_is_decided_once(app: App) {
        let site = app.site();
        let mut copies = vec![site.comment("a", "awa", NEWS).await];
        for n in 0..30 {
            copies.push(site.comment("b", &format!("u{n}"), NEWS).await);
        }
        let answers = at_once((0..4).map(|n| {
            let moderator = app.moderator(&format!("m{n}"));
            let comment = copies[n * 5 + 1].clone();
            async move { decide(&moderator, &comment, "hide", "duplicates").await.status.as_u16() }
        })).await;
        assert!(answers.iter().all(|status| [201, 409].contains(status)), "{answers:?}");
        assert!(answers.contains(&201));
        let moderator = app.moderator("binta");
        for copy in &copies {
            let log = moderator.get(&format!("/v1/decisions?comment={}", id(copy))).await.expect(200);
            assert_eq!(log["items"].as_array().unwrap().len(), 1, "once");
        }
    }
}

on_each_database! {
    async fn days_are_those_of_the_time_zone(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        site.put("/v1/threads/pre", json!({"mode": "pre"})).await.expect(201);
        let (late, early) = (site.comment("pre", "awa", &remark(1)).await, site.comment("pre", "bob", &remark(2)).await);
        moderator.decide(&late, "approve").await.expect(201);
        moderator.decide(&early, "hide").await.expect(201);
        let stats = moderator.get("/v1/stats").await.expect(200);
        let days = stats["items"].as_array().unwrap();
        assert_eq!(days.len(), 30);
        let sum = |field: &str| days.iter().map(|day| day[field].as_i64().unwrap()).sum::<i64>();
        assert_eq!((sum("received"), sum("held"), sum("approved"), sum("hidden")), (2, 2, 1, 1));
        assert_eq!(stats["reasons"], json!([{"code": "premoderation", "count": 2}]));
        let one = &stats["moderators"][0];
        assert_eq!((&one["name"], &one["decisions"]), (&json!("binta"), &json!(2)));
        assert!(one["median_seconds"].as_f64().unwrap() >= 0.0);
        // The same moments are of another day on the other side of the world.
        let of = |zone: &str| {
            let path = format!("/v1/stats?tz={zone}");
            let moderator = app.moderator("binta");
            async move {
                let stats = moderator.get(&path).await.expect(200);
                let last = stats["items"].as_array().unwrap().last().unwrap().clone();
                last["date"].as_str().unwrap().to_owned()
            }
        };
        assert_ne!(of("Pacific/Kiritimati").await, of("Pacific/Pago_Pago").await);
        for (query, field) in [("tz=Bamako", "tz"), ("from=today", "from"), ("from=2026-02-01&to=2026-01-01", "from"), ("from=2020-01-01", "from")] {
            assert_eq!(moderator.get(&format!("/v1/stats?{query}")).await.invalid_fields(), [field], "{query}");
        }
    }
}

/// Lets the database refuse to write a decision of this action on a comment, or not any more.
async fn obstruct(app: &App, comment: &Value, action: Option<&str>) {
    let comment = id(comment);
    let statements = match (app.database_url.starts_with("sqlite:"), action) {
        (true, Some(action)) => vec![format!(
            "CREATE TRIGGER obstruct BEFORE INSERT ON decisions
             WHEN new.action = '{action}' AND new.comment_id = x'{}'
             BEGIN SELECT RAISE (ABORT, 'not now'); END",
            comment.replace('-', "")
        )],
        (true, None) => vec!["DROP TRIGGER obstruct".to_owned()],
        (false, Some(action)) => vec![
            "CREATE FUNCTION obstruct() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$".to_owned(),
            format!(
                "CREATE TRIGGER obstruct BEFORE INSERT ON decisions FOR EACH ROW
                 WHEN (new.action = '{action}' AND new.comment_id = '{comment}') EXECUTE FUNCTION obstruct()"
            ),
        ],
        (false, None) => vec![
            "DROP TRIGGER obstruct ON decisions".to_owned(),
            "DROP FUNCTION obstruct".to_owned(),
        ],
    };
    for statement in statements {
        app.sql(&statement).await;
    }
}

on_each_database! {
    /// More than one transaction decides, of which the second fails.
    async fn what_stopped_half_way_goes_on_with_the_same_request(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let first = site.comment("a", "awa", NEWS).await;
        let mut copies = Vec::new();
        for n in 0..110 {
            copies.push(site.comment("b", &format!("u{n}"), NEWS).await);
        }
        let (named, last) = (&copies[3], &copies[109]);
        let waiting = || async {
            let counts = moderator.get("/v1/queue/counts").await.expect(200);
            counts["waiting"].as_u64().unwrap()
        };
        obstruct(&app, last, Some("hide")).await;
        let begun = decide(&moderator, named, "hide", "duplicates").await.expect(201);
        assert_eq!(begun["group"]["complete"], false);
        let left = waiting().await;
        assert!((1..110).contains(&left), "half-way: {left}");
        obstruct(&app, last, None).await;
        let ended = decide(&moderator, named, "hide", "duplicates").await.expect(201);
        assert_eq!((&ended["group_id"], &ended["decision"]), (&begun["group_id"], &begun["decision"]));
        assert_eq!(ended["group"]["complete"], true);
        assert_eq!(waiting().await, 0);

        obstruct(&app, last, Some("undo")).await;
        let undo = format!("/v1/decisions/{}/undo", id(&begun["decision"]));
        let begun = moderator.post(&undo, json!({})).await.expect(201);
        assert_eq!(begun["group"]["complete"], false);
        let back = waiting().await;
        assert!((1..110).contains(&back), "half-way: {back}");
        assert_eq!(statuses(&moderator, &[named, last]).await, ["pending", "hidden"]);
        obstruct(&app, last, None).await;
        let ended = moderator.post(&undo, json!({})).await.expect(201);
        assert_eq!((&ended["group_id"], &ended["decision"]), (&begun["group_id"], &begun["decision"]));
        assert_eq!(ended["group"]["complete"], true);
        assert_eq!(waiting().await, 110);
        assert_eq!(statuses(&moderator, &[&first, named, last]).await, ["published", "pending", "pending"]);
        moderator.post(&undo, json!({})).await.problem(409, "cannot-undo");
        // Each was decided once and taken back once.
        let log = moderator.all("/v1/decisions?limit=200").await;
        assert_eq!(log.len(), 2 * 111);
    }
}

on_each_database! {
    async fn a_double_click_decides_once(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        site.put("/v1/threads/pre", json!({"mode": "pre"})).await.expect(201);
        for (number, action) in ["approve", "hide", "escalate"].into_iter().enumerate() {
            let held = site.comment("pre", "awa", &remark(number)).await;
            let answers = at_once((0..2).map(|_| {
                let (moderator, held) = (moderator.clone(), held.clone());
                async move { moderator.decide(&held, action).await.status.as_u16() }
            })).await;
            assert!(answers == [201, 409] || answers == [409, 201], "{action}: {answers:?}");
            let log = moderator.get(&format!("/v1/decisions?comment={}", id(&held))).await.expect(200);
            assert_eq!(log["items"].as_array().unwrap().len(), 1, "{action}");
        }
    }
}
