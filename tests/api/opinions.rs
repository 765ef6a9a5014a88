//! Where moderators and the model differ, and where moderators differ from one another.

use palabre::domain::Role;
use serde_json::{Value, json};

use crate::harness::{
    App, CALM, Client, NEWS, OTHER_SITE, SITE, THREAT, id, ids, on_each_database, path, remark,
};

async fn decide(moderator: &Client, comment: &Value, action: &str, reason: Option<&str>) -> Value {
    let decision = json!({
        "action": action, "version": comment["version"], "reason": reason, "note": "parce que",
    });
    let answer = moderator.post(&path(comment, "/decisions"), decision).await;
    answer.expect(201)
}

async fn undo(moderator: &Client, decided: &Value) -> Value {
    let undo = format!("/v1/decisions/{}/undo", id(&decided["decision"]));
    moderator.post(&undo, json!({})).await.expect(201)
}

on_each_database! {
    async fn what_the_model_held_for_unlikely_is_looked_at_again(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        let (threat, calm) = (site.comment("a", "bob", THREAT).await, site.comment("a", "awa", CALM).await);
        let list = |query: &'static str| {
            let binta = binta.clone();
            async move { binta.get(&format!("/v1/disagreements{query}")).await.expect(200) }
        };
        decide(&binta, &threat, "approve", None).await;
        let hidden = decide(&binta, &calm, "hide", Some("threat")).await;
        let agreed = site.comment("a", "bob", &format!("Encore une fois, et pour la dernière : {THREAT}")).await;
        decide(&binta, &agreed, "hide", Some("threat")).await;
        let off_topic = site.comment("a", "bob", &remark(1)).await;
        decide(&binta, &off_topic, "hide", Some("off_topic")).await;

        let all = list("").await;
        assert_eq!(all["next_cursor"], json!(null));
        let mut expected = [id(&threat), id(&calm)];
        expected.sort_unstable();
        let mut found = ids(&all, "/comment/id");
        found.sort_unstable();
        assert_eq!(found, expected);
        let surprises: Vec<f64> = (all["items"].as_array().unwrap().iter())
            .map(|item| item["surprise"].as_f64().unwrap())
            .collect();
        assert!(surprises.is_sorted_by(|a, b| a >= b) && surprises[1] > 0.69, "{surprises:?}");
        for item in all["items"].as_array().unwrap() {
            let label = item["label"].as_str().unwrap();
            let of = if item["comment"]["id"] == threat["id"] { &threat } else { &calm };
            assert_eq!((&item["score"], &item["site"]), (&of["scores"][label], &json!(SITE)));
            let score = item["score"].as_f64().unwrap();
            let decided = item["decided"].as_bool().unwrap();
            assert_eq!(decided, of == &calm);
            let likely = if decided { score } else { 1.0 - score };
            assert!((item["surprise"].as_f64().unwrap() + likely.ln()).abs() < 2e-3, "{item:#}");
            assert_eq!(item["decision"]["moderator"], "binta");
        }
        let missed = list("?label=threat").await;
        let threats = missed["items"].as_array().unwrap();
        assert!(threats.iter().all(|item| item["label"] == "threat"));
        assert!(ids(&missed, "/comment/id").contains(&id(&calm).to_owned()));
        assert_eq!(ids(&list("?label=spam").await, "/comment/id"), [""; 0]);
        assert_eq!(list("?limit=1").await["items"], json!([all["items"][0]]));

        // Only what stands, of the text that was decided.
        undo(&binta, &hidden).await;
        assert_eq!(ids(&list("").await, "/comment/id"), [id(&threat)]);
        site.edit(&threat, &remark(2)).await;
        assert_eq!(list("").await["items"], json!([]));
    }
}

on_each_database! {
    async fn copies_disagree_once_and_only_on_ones_own_sites(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        app.set_policy(json!({"hold_duplicates": false})).await;
        for thread in ["a", "b", "c"] {
            let copy = site.comment(thread, "awa", NEWS).await;
            decide(&binta, &copy, "hide", Some("abusive")).await;
        }
        let list = binta.get("/v1/disagreements").await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        assert_eq!(list["items"][0]["comment"]["thread"], "c", "the newest of them");
        let there = app.bearer(Role::Moderator, "luc", &[OTHER_SITE]);
        assert_eq!(there.get("/v1/disagreements").await.expect(200)["items"], json!([]));
        there.get(&format!("/v1/disagreements?site={SITE}")).await.problem(404, "site-not-found");
        for (query, field) in [("label=rude", "label"), ("limit=0", "limit"), ("limit=201", "limit")] {
            assert_eq!(binta.get(&format!("/v1/disagreements?{query}")).await.invalid_fields(), [field]);
        }
    }
}

on_each_database! {
    async fn the_newest_decisions_of_all_sites_are_looked_at_together(app: App) {
        let (here, there, admin) = (app.site(), app.other_site(), app.admin());
        let mut decided = Vec::new();
        for number in 0..6 {
            let site = if number % 2 == 0 { &here } else { &there };
            let comment = site.comment("a", "awa", &remark(number)).await;
            decided.push(decide(&admin, &comment, "approve", None).await);
        }
        // What stands no more counts among the newest, and is not shown.
        undo(&admin, &decided[4]).await;
        let store = palabre::store::Store::open(&app.database_url).await.unwrap();
        let mut conn = store.read().await.unwrap();
        let sites = conn.db().sites().await.unwrap();
        let sites: Vec<_> = sites.iter().map(|site| site.id).collect();
        let mut newest = async |count| {
            let found = conn.db().scored_decisions(&sites, count).await.unwrap();
            let found = found.iter().map(|one| one.decision.to_string());
            found.collect::<Vec<_>>()
        };
        let ids = |numbers: &[usize]| -> Vec<String> {
            numbers.iter().map(|number| id(&decided[*number]["decision"]).to_owned()).collect()
        };
        assert_eq!(newest(100).await, ids(&[5, 3, 2, 1, 0]));
        assert_eq!(newest(4).await, ids(&[5, 3]), "an undo, one that it took back, and two that stand");
        assert_eq!(newest(0).await, ids(&[]));
        drop(conn);
        store.close().await;
    }
}

on_each_database! {
    async fn moderators_agree_or_not_on_what_one_decided_after_another(app: App) {
        let site = app.site();
        let (binta, oumar) = (app.moderator("binta"), app.moderator("oumar"));
        let none = binta.get("/v1/agreement").await.expect(200);
        assert_eq!(none, json!({"pairs": 0, "agreed": 0, "share": null, "kappa": null, "by_reason": []}));
        let counts = || async {
            let figures = binta.get("/v1/agreement").await.expect(200);
            (figures["pairs"].as_u64().unwrap(), figures["agreed"].as_u64().unwrap())
        };
        let comment = |number: usize| {
            let site = site.clone();
            async move { site.comment("a", "awa", &remark(number)).await }
        };
        // Hidden by one, and appealed against: the other shows it again.
        let appealed = comment(1).await;
        decide(&binta, &appealed, "hide", Some("spam")).await;
        site.post(&path(&appealed, "/appeals"), json!({"text": "Relisez."})).await.expect(201);
        let answered = decide(&oumar, &site.now(&appealed).await, "approve", None).await;
        assert_eq!(counts().await, (1, 0));
        // An undo takes the opinion back, and an undo of that gives it again.
        let undone = undo(&oumar, &answered).await;
        assert_eq!(counts().await, (0, 0));
        undo(&oumar, &undone).await;
        assert_eq!(counts().await, (1, 0));

        // One's own second thought is no second opinion.
        let twice = comment(2).await;
        decide(&binta, &twice, "approve", None).await;
        decide(&binta, &twice, "hide", Some("abusive")).await;
        assert_eq!(counts().await, (1, 0));
        decide(&oumar, &site.now(&twice).await, "hide", Some("offensive")).await;
        assert_eq!(counts().await, (2, 1));
        // Approved by both.
        let fine = comment(3).await;
        decide(&binta, &fine, "approve", None).await;
        decide(&oumar, &fine, "approve", None).await;
        assert_eq!(counts().await, (3, 2));

        // Another text, an escalation, and what was decided along with others say nothing.
        let edited = comment(4).await;
        decide(&binta, &edited, "hide", Some("spam")).await;
        site.edit(&edited, &remark(5)).await;
        decide(&oumar, &site.now(&edited).await, "approve", None).await;
        let escalated = site.comment("a", "bob", THREAT).await;
        decide(&binta, &escalated, "escalate", None).await;
        decide(&oumar, &escalated, "hide", Some("threat")).await;
        let head = comment(6).await;
        let reply = site.reply(&head, "bob", &remark(7)).await;
        decide(&binta, &reply, "approve", None).await;
        let branch = json!({"action": "hide", "version": head["version"], "reason": "abusive", "scope": "subtree"});
        oumar.post(&path(&head, "/decisions"), branch).await.expect(201);
        assert_eq!(site.now(&reply).await["status"], "hidden");

        let figures = binta.get("/v1/agreement").await.expect(200);
        assert_eq!((&figures["pairs"], &figures["agreed"]), (&json!(3), &json!(2)));
        assert!((figures["share"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9);
        // By chance 4 of 9: two of the first three hide, one of the second three.
        assert!((figures["kappa"].as_f64().unwrap() - 0.4).abs() < 1e-9, "{figures:#}");
        assert_eq!(
            figures["by_reason"],
            json!([
                {"reason": "abusive", "pairs": 1, "agreed": 1, "same_reason": 0},
                {"reason": "spam", "pairs": 1, "agreed": 0, "same_reason": 0},
            ])
        );
        let there = app.bearer(Role::Moderator, "luc", &[OTHER_SITE]);
        assert_eq!(there.get("/v1/agreement").await.expect(200), none);
        let before = binta.get("/v1/agreement?from=2020-01-01&to=2020-01-02").await.expect(200);
        assert_eq!(before, none);
    }
}
