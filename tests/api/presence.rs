//! Who looks at what, and a quarter of an hour well spent.

use serde_json::{Value, json};

use crate::harness::{
    App, Client, SITE, THREAT, id, ids, on_each_database, open_doors, path, remark,
};

const PRESENCE: &str = "/v1/queue/presence";

async fn look(moderator: &Client, comment: &Value) {
    let body = json!({"comment_id": comment["id"]});
    moderator.put(PRESENCE, body).await.expect(204);
}

async fn viewers(moderator: &Client, comment: &Value) -> Vec<String> {
    let card = moderator.card("waiting", comment).await.unwrap();
    let viewers = card["viewers"].as_array().unwrap().iter();
    viewers
        .map(|viewer| viewer["by"].as_str().unwrap().to_owned())
        .collect()
}

on_each_database! {
    async fn moderators_see_who_looks_at_what(app: App) {
        let site = app.site();
        let one = site.comment("a", "bob", THREAT).await;
        let other = site.comment("a", "bob", &format!("Encore : {THREAT}")).await;
        let replica = app.beside(open_doors()).await;
        let (awa, binta, luc) = (app.moderator("awa"), replica.moderator("binta"), app.moderator("luc"));
        look(&binta, &one).await;
        look(&awa, &one).await;
        look(&binta, &one).await;
        assert_eq!(viewers(&luc, &one).await, ["awa", "binta"]);
        assert_eq!(viewers(&awa, &one).await, ["binta"], "not oneself");
        let told = app.texts("SELECT who FROM events WHERE kind = 'queue.viewed' ORDER BY seq").await;
        assert_eq!(told, ["binta", "awa"], "that it goes on is told nobody");
        // One looks at one thing at a time.
        look(&binta, &other).await;
        assert_eq!((viewers(&luc, &one).await, viewers(&luc, &other).await), (vec!["awa".into()], vec!["binta".into()]));
        // It keeps nobody from deciding.
        luc.decide(&one, "hide").await.expect(201);
        for nothing in [json!({"comment_id": null}), json!({})] {
            binta.put(PRESENCE, nothing).await.expect(204);
            assert_eq!(viewers(&luc, &other).await, [""; 0]);
        }
        // Whoever went away without a word is forgotten by itself.
        look(&awa, &other).await;
        assert_eq!(viewers(&luc, &other).await, ["awa"]);
        app.sql("UPDATE presence SET until = until - 60001").await;
        assert_eq!(viewers(&luc, &other).await, [""; 0]);
        app.moderation.tidy().await.unwrap();
        assert_eq!(app.texts("SELECT moderator FROM presence").await, [""; 0]);
    }
}

on_each_database! {
    async fn who_goes_on_looking_is_believed_on(app: App) {
        let one = app.site().comment("a", "bob", THREAT).await;
        let (awa, luc) = (app.moderator("awa"), app.moderator("luc"));
        look(&awa, &one).await;
        app.sql("UPDATE presence SET until = until - 30000").await;
        look(&awa, &one).await;
        app.sql("UPDATE presence SET until = until - 40000").await;
        assert_eq!(viewers(&luc, &one).await, ["awa"]);
    }
}

on_each_database! {
    async fn nobody_looks_at_what_is_not_theirs(app: App) {
        let one = app.site().comment("a", "bob", THREAT).await;
        let foreign = app.bearer(palabre::domain::Role::Moderator, "luc", &["lyon"]);
        for (client, comment) in [
            (&foreign, &one),
            (&app.moderator("awa"), &json!({"id": "01890000-0000-7000-8000-000000000000"})),
            (&app.moderator("awa"), &json!({"id": "x"})),
        ] {
            client.put(PRESENCE, json!({"comment_id": comment["id"]})).await.problem(404, "comment-not-found");
        }
        assert_eq!(app.moderator("awa").put(PRESENCE, json!({"comment": id(&one)})).await.invalid_fields(), ["comment"]);
        assert_eq!(viewers(&app.moderator("binta"), &one).await, [""; 0]);
        app.site().put(PRESENCE, json!({})).await.problem(403, "forbidden");
    }
}

on_each_database! {
    async fn the_most_harm_comes_first_whatever_its_tier(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        // Held as a threat by a policy that is easily afraid.
        app.set_policy(json!({"hold": {"threat": 0}})).await;
        let calm = site.comment("a", "awa", &remark(1)).await;
        app.set_policy(json!({"mode": "pre", "hold": {"threat": 1}})).await;
        let worse = site.comment("a", "bob", THREAT).await;
        let least = site.comment("a", "awa", &remark(2)).await;
        let order = |sort: &str| {
            let path = format!("/v1/queue?sort={sort}&limit=1");
            let binta = binta.clone();
            async move {
                let items = binta.all(&path).await;
                items.iter().map(|item| id(&item["comment"]).to_owned()).collect::<Vec<_>>()
            }
        };
        let by_harm = order("harm").await;
        assert_eq!(order("priority").await[0], id(&calm), "threats first, however doubtful");
        assert_eq!(by_harm[0], id(&worse));
        assert_eq!(by_harm.len(), 3, "page by page, none twice");
        assert!(by_harm.contains(&id(&least).to_owned()));
        let claimed = binta.post("/v1/queue/claims", json!({"limit": 1, "sort": "harm"})).await.expect(200);
        assert_eq!(ids(&claimed, "/comment/id"), [id(&worse)]);
        assert!(claimed.get("pace").is_none());
        let newest = app.moderator("luc").post("/v1/queue/claims", json!({"limit": 2, "sort": "newest"})).await.expect(200);
        assert_eq!(ids(&newest, "/comment/id"), [id(&least), id(&calm)]);
    }
}

on_each_database! {
    async fn minutes_are_filled_at_ones_own_pace(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        site.put("/v1/threads/pre", json!({"mode": "pre"})).await.expect(201);
        let mut held = Vec::new();
        for number in 0..30 {
            held.push(site.comment("pre", &format!("u{number}"), &remark(number)).await);
        }
        let fill = |minutes: u32| {
            let binta = binta.clone();
            async move {
                let claimed = binta.post("/v1/queue/claims", json!({"minutes": minutes})).await.expect(200);
                binta.delete("/v1/queue/claims").await.expect(204);
                (claimed["items"].as_array().unwrap().len(), claimed["pace"].clone())
            }
        };
        // Three a minute, where nothing is known.
        assert_eq!(fill(2).await, (6, json!({"seconds_per_decision": 20.0, "decisions": 0})));
        for comment in &held[..12] {
            binta.decide(comment, "approve").await.expect(201);
        }
        // Decided one a minute, or so it seems by now: the log itself may not be changed.
        for (at, comment) in held[..12].iter().enumerate() {
            let ago = (12 - at) * 60_000;
            let body = if app.database_url.starts_with("sqlite:") {
                format!(
                    "DROP TRIGGER IF EXISTS decisions_are_not_changed;
                     UPDATE decisions SET at = at - {ago} WHERE hex(comment_id) = upper(replace('{}', '-', ''))", id(comment)
                )
            } else {
                format!(
                    "ALTER TABLE decisions DISABLE TRIGGER ALL; UPDATE decisions SET at = at - {ago} WHERE comment_id = '{}'", id(comment)
                )
            };
            for statement in body.split(';') {
                app.sql(statement).await;
            }
        }
        let (count, pace) = fill(5).await;
        let seconds = pace["seconds_per_decision"].as_f64().unwrap();
        assert!((59.0..62.0).contains(&seconds), "{pace}");
        assert_eq!((count, &pace["decisions"]), (4 + usize::from(seconds <= 60.0), &json!(11)));
        // A limit holds all the same.
        let claimed = binta.post("/v1/queue/claims", json!({"minutes": 5, "limit": 2})).await.expect(200);
        assert_eq!(claimed["items"].as_array().unwrap().len(), 2);
        for (body, field) in [
            (json!({}), "limit"),
            (json!({"minutes": 0}), "minutes"),
            (json!({"minutes": 481}), "minutes"),
            (json!({"minutes": 15, "limit": 51}), "limit"),
            (json!({"minutes": 15, "sort": "worst"}), "sort"),
        ] {
            assert_eq!(binta.post("/v1/queue/claims", body.clone()).await.invalid_fields(), [field], "{body}");
        }
        let elsewhere = json!({"minutes": 5, "filter": {"site": "lyon"}});
        binta.post("/v1/queue/claims", elsewhere).await.problem(404, "site-not-found");
        assert!(binta.get(&format!("/v1/queue?site={SITE}&sort=harm")).await.status.is_success());
        binta.get(&path(&held[0], "")).await.expect(200);
    }
}
