//! A model that scores beside the live one: what it does, what it leaves alone, and what a comparison of the two says.

use palabre::{
    domain::Role,
    moderation::{RescoringProgress, RescoringRequest, ShadowStep},
};
use serde_json::{Value, json};

use crate::{
    harness::{
        App, CALM, Client, NEWS, SITE, THREAT, codes, eventually, id, on_each_database, open_doors,
        path, remark,
    },
    models,
};

/// Nobody who is told how far a rescoring is.
struct Nobody;

impl RescoringProgress for Nobody {
    fn begin(&mut self, _: u64) {}
    fn advance(&mut self, _: u64) {}
}

/// Takes a model in, and makes it the shadow.
async fn set_shadow(app: &App, artefact: &[u8], version: &str) -> Value {
    let administration = app.moderation.administration();
    administration.import_model(artefact, "root").await.unwrap();
    let shadow = app
        .admin()
        .post(&format!("/v1/models/{version}/shadow"), json!({}))
        .await;
    shadow.expect(200)
}

/// Scores for the shadow until `scored` comments have its scores.
async fn score(app: &App, scored: usize) {
    eventually("the shadow has scored them", || async {
        while app.moderation.score_for_shadow().await.unwrap() == ShadowStep::Scored {}
        stored(app).await == scored
    })
    .await;
}

/// How many comments have scores of some shadow.
async fn stored(app: &App) -> usize {
    let query = "SELECT CAST(COUNT(*) AS TEXT) FROM shadow_scores";
    app.texts(query).await[0].parse().unwrap()
}

async fn compare(app: &App, version: &str, query: &str) -> Value {
    let path = format!("/v1/models/{version}/comparison{query}");
    app.admin().get(&path).await.expect(200)
}

async fn all_of(client: &Client, comments: &[&Value]) -> Vec<Value> {
    let mut all = Vec::new();
    for comment in comments {
        all.push(client.now(comment).await);
    }
    all
}

on_each_database! {
    async fn a_shadow_scores_what_is_written_and_changes_nothing(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let before = site.comment("a", "awa", &remark(0)).await;
        let shadow = set_shadow(&app, &models::harsh("ours-1"), "ours-1").await;
        assert_eq!((&shadow["shadow"], &shadow["live"]), (&json!(true), &json!(false)));
        let nothing = compare(&app, "ours-1", "").await;
        assert_eq!((&nothing["compared"], &nothing["items"]), (&json!(0), &json!([])));
        assert_eq!((&nothing["set_by"], &nothing["since"]), (&json!("admin"), &nothing["set_at"]));

        let calm = site.comment("a", "awa", CALM).await;
        let reply = site.reply(&calm, "moussa", NEWS).await;
        let threat = site.comment("b", "paul", THREAT).await;
        assert!(codes(&threat).contains(&"threat"));
        let comments = [&before, &calm, &reply, &threat];
        let (seen, queue) = (all_of(&moderator, &comments).await, moderator.all("/v1/queue").await);
        assert_eq!(stored(&app).await, 0, "nothing is scored on the way of a comment");
        score(&app, 3).await;
        assert_eq!(all_of(&moderator, &comments).await, seen);
        assert_eq!(moderator.all("/v1/queue").await, queue);

        let compared = compare(&app, "ours-1", "").await;
        assert_eq!((&compared["live"], &compared["shadow"]), (&seen[0]["model"], &json!("ours-1")));
        assert_eq!(compared["compared"], 3);
        assert_eq!(compared["would"], json!({"hold_both": 1, "hold_live_only": 0, "hold_shadow_only": 2, "hold_neither": 0}));
        let insult = &compared["labels"][1];
        assert_eq!((&insult["label"], &insult["auc"]), (&json!("insult"), &Value::Null));
        assert!(insult["hold_shadow_only"].as_u64() >= Some(2));
        let items = compared["items"].as_array().unwrap();
        let mut ids: Vec<&str> = items.iter().map(|item| item["comment"].as_str().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!(ids, [id(&calm), id(&reply)]);
        for item in items {
            assert_eq!((&item["site"], &item["thread"], &item["label"]), (&json!(SITE), &json!("a"), &json!("insult")));
            assert_eq!((&item["verdict"], &item["judged"]), (&json!("held_by_shadow_only"), &Value::Null));
            assert_eq!(item["shadow"]["insult"], 1.0);
        }
        let live = |item: &Value| item["live"]["insult"].as_f64().unwrap();
        assert!(live(&items[0]) <= live(&items[1]), "where they differ most comes first");
        assert_eq!(compare(&app, "ours-1", "?limit=1").await["items"], json!([items[0]]));
    }
}

on_each_database! {
    async fn decisions_say_who_was_right(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        set_shadow(&app, &models::harsh("ours-1"), "ours-1").await;
        let mut comments = Vec::new();
        for number in 0..5 {
            comments.push(site.comment("a", "awa", &remark(number)).await);
        }
        for comment in &comments[..2] {
            moderator.decide(comment, "approve").await.expect(201);
        }
        for (comment, reason) in comments[2..].iter().zip(["abusive", "off_topic"]) {
            let hide = json!({"action": "hide", "version": 1, "reason": reason});
            moderator.post(&path(comment, "/decisions"), hide).await.expect(201);
        }
        score(&app, 5).await;
        let compared = compare(&app, "ours-1", "").await;
        assert_eq!(compared["judged"]["hold_shadow_only"], json!({"wrong": 1, "fine": 2}), "off topic is not in the words");
        assert_eq!(compared["judged"]["hold_live_only"], json!({"wrong": 0, "fine": 0}));
        let insult = &compared["labels"][1]["auc"];
        assert_eq!((&insult["positives"], &insult["negatives"]), (&json!(1), &json!(2)));
        assert_eq!(insult["shadow"], 0.5, "it tells nothing apart");
        let judged = |comment: &Value| {
            let items = compared["items"].as_array().unwrap();
            items.iter().find(|item| item["comment"] == comment["id"]).unwrap()["judged"].clone()
        };
        let said: Vec<Value> = comments.iter().map(judged).collect();
        assert_eq!(said, [json!("fine"), json!("fine"), json!("wrong"), Value::Null, Value::Null]);

        // The policy's own thresholds are both models'.
        app.set_policy(json!({"hold": {"insult": 1.0, "toxicity": 0.0}})).await;
        assert_eq!(compare(&app, "ours-1", "").await["would"]["hold_both"], 5);
    }
}

on_each_database! {
    async fn an_edited_text_is_scored_anew_and_a_deleted_one_is_left_out(app: App) {
        let (site, other, moderator) = (app.site(), app.other_site(), app.moderator("binta"));
        let earlier = site.comment("a", "awa", &remark(0)).await;
        set_shadow(&app, &models::wary("ours-1"), "ours-1").await;
        let comment = site.comment("a", "awa", &remark(1)).await;
        let gone = site.comment("a", "awa", &remark(2)).await;
        other.comment("z", "awa", &remark(3)).await;
        let fine = site.comment("a", "awa", &remark(4)).await;
        moderator.decide(&fine, "approve").await.expect(201);
        let hide = json!({"action": "hide", "version": 1, "reason": "abusive"});
        moderator.post(&path(&comment, "/decisions"), hide).await.expect(201);
        score(&app, 4).await;
        let told = compare(&app, "ours-1", "").await["labels"][1]["auc"].clone();
        assert_eq!((&told["positives"], &told["negatives"]), (&json!(1), &json!(1)));
        let compared = || async { compare(&app, "ours-1", "").await["compared"].as_u64().unwrap() };
        assert_eq!(compared().await, 4);
        assert_eq!(compare(&app, "ours-1", &format!("?site={SITE}")).await["compared"], 3);
        site.delete(&path(&gone, "")).await.expect(204);
        assert_eq!(compared().await, 3);

        // Until it is scored anew, what the shadow said is of another text.
        let edited = site.edit(&comment, THREAT).await;
        assert_eq!(compared().await, 2);
        site.edit(&earlier, CALM).await;
        score(&app, 5).await;
        assert_eq!(compared().await, 4);
        let threat = "SELECT CAST(COUNT(*) AS TEXT) FROM shadow_scores WHERE threat > 0.5";
        assert_eq!(app.texts(threat).await, ["1"]);
        let told = compare(&app, "ours-1", "").await["labels"][1]["auc"].clone();
        assert_eq!(told, Value::Null, "what was hidden was another text");
        let since = edited["edited_at"].as_str().unwrap();
        assert_eq!(compare(&app, "ours-1", &format!("?since={since}")).await["compared"], 0, "written since");
    }
}

on_each_database! {
    async fn two_servers_score_each_comment_once_and_skip_none(app: App) {
        let beside = app.beside(open_doors()).await;
        set_shadow(&app, &models::wary("ours-1"), "ours-1").await;
        let writers = (0..8).map(|writer| {
            let site = if writer % 2 == 0 { app.site() } else { beside.site() };
            tokio::spawn(async move {
                for number in 0..40 {
                    site.comment(&format!("t{writer}"), "awa", &remark(writer * 40 + number)).await;
                }
            })
        });
        let writers: Vec<_> = writers.collect();
        let scorers = [&app, &beside].map(|server| {
            let server = server.clone();
            tokio::spawn(async move { score(&server, 320).await })
        });
        for writer in writers {
            writer.await.unwrap();
        }
        for scorer in scorers {
            scorer.await.unwrap();
        }
        assert_eq!(compare(&app, "ours-1", "").await["compared"], 320);
        // A third one, which knows nothing but what is stored, finds nothing left to do.
        let third = app.beside(open_doors()).await;
        assert_eq!(third.moderation.score_for_shadow().await.unwrap(), ShadowStep::Idle);
        // Page after page they are read once each, the newest first.
        let store = palabre::store::Store::open(&app.database_url).await.unwrap();
        let mut conn = store.read().await.unwrap();
        let shadow = conn.db().shadow().await.unwrap().unwrap();
        let (mut read, mut before) = (Vec::new(), None);
        loop {
            let page = conn.db().shadowed(shadow.id, Some(shadow.set_at), before, 100).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some(*last);
            read.extend(page);
        }
        assert_eq!(read.len(), 320);
        assert!(read.is_sorted_by(|a, b| a > b));
        let tomorrow = palabre::domain::Timestamp::from_millis(shadow.set_at.millis() + 24 * 60 * 60 * 1000);
        assert_eq!(conn.db().shadowed(shadow.id, Some(tomorrow), None, 100).await.unwrap(), []);
        drop(conn);
        store.close().await;
    }
}

on_each_database! {
    async fn a_text_that_was_decided_in_several_places_tells_once(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        set_shadow(&app, &models::harsh("ours-1"), "ours-1").await;
        app.set_policy(json!({"hold_duplicates": false})).await;
        for thread in ["a", "b", "c"] {
            let copy = site.comment(thread, "awa", NEWS).await;
            moderator.decide(&copy, "approve").await.expect(201);
        }
        // The newest copy is one that nobody decided.
        site.comment("d", "awa", NEWS).await;
        let rude = site.comment("a", "awa", &remark(1)).await;
        let hide = json!({"action": "hide", "version": 1, "reason": "abusive"});
        moderator.post(&path(&rude, "/decisions"), hide).await.expect(201);
        score(&app, 5).await;
        let compared = compare(&app, "ours-1", "").await;
        let insult = &compared["labels"][1]["auc"];
        assert_eq!((&insult["positives"], &insult["negatives"]), (&json!(1), &json!(1)), "{compared:#}");
        assert_eq!((&compared["compared"], &compared["judged"]["hold_shadow_only"]["fine"]), (&json!(5), &json!(3)));
        // Nothing was scored before it was set, whatever one asks for.
        assert_eq!(compare(&app, "ours-1", "?since=2020-01-01T00:00:00Z").await["since"], compared["set_at"]);
        let later = "2999-01-01T00:00:00.000Z";
        assert_eq!(compare(&app, "ours-1", &format!("?since={later}")).await["since"], later);
    }
}

on_each_database! {
    async fn a_shadow_that_was_restored_elsewhere_goes_on_with_what_is_written_there(app: App) {
        let site = app.site();
        set_shadow(&app, &models::harsh("ours-1"), "ours-1").await;
        site.comment("a", "awa", CALM).await;
        score(&app, 1).await;
        // Only PostgreSQL counts transactions beyond what is in the database.
        if !app.database_url.starts_with("sqlite:") {
            app.sql("UPDATE shadows SET tx = tx + 1000000000000").await;
        }
        let restored = app.beside(open_doors()).await;
        restored.moderation.score_for_shadow().await.unwrap();
        site.comment("a", "awa", &remark(1)).await;
        score(&restored, 2).await;
        assert_eq!(compare(&restored, "ours-1", "").await["compared"], 2);
    }
}

on_each_database! {
    async fn who_comes_late_with_a_step_writes_nothing(app: App) {
        set_shadow(&app, &models::wary("ours-1"), "ours-1").await;
        let store = palabre::store::Store::open(&app.database_url).await.unwrap();
        let seen = store.read().await.unwrap().db().shadow().await.unwrap().unwrap();
        app.site().comment("a", "awa", CALM).await;
        let advance = || async {
            let mut tx = store.begin().await.unwrap();
            let advanced = tx.db().advance_shadow(&seen, seen.reached).await.unwrap();
            tx.commit().await.unwrap();
            advanced
        };
        assert!(advance().await, "nobody was faster");
        score(&app, 1).await;
        assert!(!advance().await, "another server was");
        app.admin().post("/v1/models:unshadow", json!({})).await.expect(204);
        app.sql("UPDATE shadows SET seq = 0, tx = 0").await;
        let ended = palabre::store::Shadow { reached: palabre::store::EventPosition::default(), ..seen.clone() };
        let mut tx = store.begin().await.unwrap();
        assert!(!tx.db().advance_shadow(&ended, seen.reached).await.unwrap(), "it has ended");
        drop(tx);
        store.close().await;
    }
}

on_each_database! {
    async fn a_shadow_ends_when_told_or_live_and_its_scores_go_in_time(app: App) {
        let (site, admin) = (app.site(), app.admin());
        let shipped = app.moderation.model().version().to_owned();
        for version in ["ours-1", "ours-2"] {
            set_shadow(&app, &models::wary(version), version).await;
        }
        let shadows = || async {
            let models = admin.get("/v1/models").await.expect(200);
            let models = models["items"].as_array().unwrap().clone().into_iter();
            let shadows = models.filter(|model| model["shadow"] == true);
            shadows.map(|model| model["version"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(shadows().await, ["ours-2"], "there is one at a time");
        site.comment("a", "awa", CALM).await;
        score(&app, 1).await;
        admin.get("/v1/models/ours-1/comparison").await.problem(409, "not-the-shadow");
        admin.get("/v1/models/none/comparison").await.problem(404, "model-not-found");
        admin.get("/v1/models/ours-2/comparison?site=nowhere").await.problem(404, "site-not-found");
        assert_eq!(admin.get("/v1/models/ours-2/comparison?limit=0&since=soon").await.status, 422);

        // The same one again goes on where it is.
        admin.post("/v1/models/ours-2/shadow", json!({})).await.expect(200);
        assert_eq!(compare(&app, "ours-2", "").await["compared"], 1);
        admin.post(&format!("/v1/models/{shipped}/shadow"), json!({})).await.problem(409, "model-is-live");
        admin.post("/v1/models/none/shadow", json!({})).await.problem(404, "model-not-found");
        app.sql("UPDATE models SET checksum = 'x' WHERE version = 'ours-1'").await;
        admin.post("/v1/models/ours-1/shadow", json!({})).await.problem(409, "model-unusable");
        assert_eq!(shadows().await, ["ours-2"], "what is refused changes nothing");

        for _ in 0..2 {
            admin.post("/v1/models:unshadow", json!({})).await.expect(204);
        }
        assert!(shadows().await.is_empty());
        site.comment("a", "awa", NEWS).await;
        assert_eq!(app.moderation.score_for_shadow().await.unwrap(), ShadowStep::Idle);
        assert_eq!(stored(&app).await, 1);
        app.moderation.tidy().await.unwrap();
        assert_eq!(stored(&app).await, 0);

        // Once more, from then on; and it becomes the live one.
        admin.post("/v1/models/ours-2/shadow", json!({})).await.expect(200);
        site.comment("a", "awa", &remark(1)).await;
        score(&app, 1).await;
        app.moderation.tidy().await.unwrap();
        assert_eq!(stored(&app).await, 1, "what stands is kept");
        let live = admin.post("/v1/models/ours-2/activate", json!({})).await.expect(200);
        assert_eq!((&live["live"], &live["shadow"]), (&json!(true), &json!(false)));
        // Nor has the model that is live again by a step back itself as its shadow.
        admin.post(&format!("/v1/models/{shipped}/shadow"), json!({})).await.expect(200);
        assert_eq!(admin.post("/v1/models:rollback", json!({})).await.expect(200)["version"], shipped);
        assert!(shadows().await.is_empty());
        let ended = app.texts("SELECT version FROM shadows WHERE ended_at IS NOT NULL ORDER BY set_at, id").await;
        assert_eq!(ended, ["ours-1", "ours-2", "ours-2", &shipped], "who set which, and when, is kept");
    }
}

on_each_database! {
    async fn what_another_live_model_scored_is_left_out_until_it_is_rescored(app: App) {
        let site = app.site();
        set_shadow(&app, &models::harsh("ours-1"), "ours-1").await;
        site.comment("a", "awa", CALM).await;
        score(&app, 1).await;
        app.moderation.administration().import_model(&models::wary("ours-2"), "root").await.unwrap();
        app.admin().post("/v1/models/ours-2/activate", json!({})).await.expect(200);
        let compared = compare(&app, "ours-1", "").await;
        assert_eq!((&compared["live"], &compared["compared"], &compared["scored_by_another"]), (&json!("ours-2"), &json!(0), &json!(1)));
        let request = RescoringRequest::default();
        app.moderation.administration().rescore(&request, &mut Nobody).await.unwrap();
        let compared = compare(&app, "ours-1", "").await;
        assert_eq!((&compared["compared"], &compared["scored_by_another"]), (&json!(1), &json!(0)));
    }
}

on_each_database! {
    async fn a_shadow_is_for_admins_of_all_sites(app: App) {
        set_shadow(&app, &models::wary("ours-1"), "ours-1").await;
        let of_one_site = app.bearer(Role::Admin, "awa", &[SITE]);
        for client in [app.site(), app.moderator("binta"), of_one_site] {
            for call in ["/v1/models/ours-1/shadow", "/v1/models:unshadow"] {
                client.post(call, json!({})).await.problem(403, "forbidden");
            }
            client.get("/v1/models/ours-1/comparison").await.problem(403, "forbidden");
        }
        assert_eq!(app.admin().get("/v1/models/ours-1").await.expect(200)["shadow"], true);
    }
}

on_each_database! {
    async fn metrics_say_how_far_the_shadow_is_behind(app: App) {
        let lag = || async {
            let text = app.anonymous().get("/metrics").await.expect(200);
            let text = text.as_str().unwrap().to_owned();
            let line = text.lines().find_map(|line| line.strip_prefix("palabre_shadow_lag_seconds "));
            line.unwrap().parse::<f64>().unwrap()
        };
        app.site().comment("a", "awa", CALM).await;
        assert_eq!(lag().await, 0.0, "there is no shadow");
        set_shadow(&app, &models::wary("ours-1"), "ours-1").await;
        app.site().comment("a", "awa", NEWS).await;
        eventually("it is behind", || async { lag().await > 0.0 }).await;
        score(&app, 1).await;
        eventually("it is no longer", || async { lag().await == 0.0 }).await;
    }
}
