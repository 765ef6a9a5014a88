//! How much of what is wrong a policy found, as samples tell.

use palabre::domain::Role;
use serde_json::{Value, json};

use crate::harness::{App, OTHER_SITE, SITE, THREAT, at_once, on_each_database, path, remark};

/// Approves or hides.
async fn decide(app: &App, comment: &Value, action: &str, reason: &str) {
    let decision = json!({"action": action, "version": comment["version"], "reason": reason});
    let binta = app.moderator("binta");
    let answer = binta.post(&path(comment, "/decisions"), decision).await;
    answer.expect(201);
}

/// Posts remarks from one number to another, all at once.
async fn posted(app: &App, numbers: std::ops::Range<usize>) -> Vec<Value> {
    at_once(numbers.map(|number| {
        let site = app.site();
        async move {
            site.comment("a", &format!("u{number}"), &remark(number))
                .await
        }
    }))
    .await
}

async fn recall(app: &App) -> Value {
    app.moderator("binta").get("/v1/recall").await.expect(200)
}

on_each_database! {
    async fn what_was_missed_is_told_by_samples_and_by_their_weights(app: App) {
        let nothing = recall(&app).await;
        assert_eq!(
            nothing,
            json!({
                "since": null, "until": nothing["until"], "sampled": 0, "uncertain": 0, "judged": 0, "least_judged": 50,
                "least_of_site": 10, "held_wrong": 0, "missed_known": 0, "missed_estimate": null, "recall": null,
            })
        );
        // Before anything is drawn nothing counts.
        let early = app.site().comment("a", "bob", THREAT).await;
        decide(&app, &early, "hide", "threat").await;
        app.set_policy(json!({"sample_share": 1, "banned_words": ["zouzou"]})).await;
        let comments = posted(&app, 0..60).await;
        for number in 0..6 {
            let held = app.site().comment("b", "bob", &format!("Zouzou n° {number}.")).await;
            assert_eq!(held["status"], "pending");
            match number {
                0..4 => decide(&app, &held, "hide", "threat").await,
                4 => decide(&app, &held, "approve", "other").await,
                _ => {}
            }
        }
        // A copy is no second find.
        let copy = app.site().comment("c", "bob", THREAT).await;
        assert_eq!(copy["duplicate_of"]["kind"], "exact");
        decide(&app, &copy, "hide", "threat").await;
        for comment in &comments[..49] {
            decide(&app, comment, "approve", "other").await;
        }
        let few = recall(&app).await;
        assert_eq!((&few["sampled"], &few["judged"], &few["held_wrong"]), (&json!(60), &json!(49), &json!(4)));
        assert_eq!((&few["missed_estimate"], &few["recall"]), (&json!(null), &json!(null)));

        decide(&app, &comments[49], "hide", "abusive").await;
        decide(&app, &comments[50], "hide", "off_topic").await;
        for comment in &comments[51..] {
            decide(&app, comment, "approve", "other").await;
        }
        // All were drawn and all are judged: there is nothing to guess.
        let all = recall(&app).await;
        assert_eq!((&all["judged"], &all["missed_known"], &all["missed_estimate"]), (&json!(60), &json!(1), &json!(1.0)));
        for part in ["value", "low", "high"] {
            assert!((all["recall"][part].as_f64().unwrap() - 0.8).abs() < 1e-9, "{part}: {all:#}");
        }
        // Had one in four been drawn, each would stand for four.
        app.sql("UPDATE samples SET probability = 0.25").await;
        let guessed = recall(&app).await;
        assert_eq!(guessed["missed_estimate"], 4.0);
        let part = |part: &str| guessed["recall"][part].as_f64().unwrap();
        assert!((part("value") - 0.5).abs() < 1e-9);
        assert!(part("low") < part("value") && part("value") < part("high") && part("high") < 1.0, "{guessed:#}");
    }
}

on_each_database! {
    async fn what_readers_reported_is_known_and_stands_for_itself(app: App) {
        app.set_policy(json!({"sample_share": 1})).await;
        let comments = posted(&app, 0..60).await;
        app.sql("UPDATE samples SET probability = 0.5").await;
        app.set_policy(json!({})).await;
        let unseen = posted(&app, 60..63).await;
        let report = json!({"reporter": {"id": "luc"}, "reason": "abusive"});
        for comment in [&comments[0], &unseen[0], &unseen[1]] {
            app.site().post(&path(comment, "/reports"), report.clone()).await.expect(201);
            decide(&app, comment, "hide", "abusive").await;
        }
        // Held by its reports: the policy had let it through all the same.
        app.set_policy(json!({"hold_at_reports": 1})).await;
        app.site().post(&path(&unseen[2], "/reports"), report).await.expect(201);
        let pending = app.site().now(&unseen[2]).await;
        assert_eq!(pending["status"], "pending");
        decide(&app, &pending, "hide", "abusive").await;
        for comment in &comments[1..] {
            decide(&app, comment, "approve", "other").await;
        }
        let figures = recall(&app).await;
        assert_eq!((&figures["missed_known"], &figures["missed_estimate"]), (&json!(4), &json!(4.0)), "what is known is there");
        assert_eq!((&figures["held_wrong"], &figures["recall"]["value"]), (&json!(0), &json!(0.0)));

        // What was edited since is another text, and what its author deleted is gone.
        app.site().edit(&comments[0], &remark(200)).await;
        app.site().delete(&path(&unseen[0], "")).await.expect(204);
        let fewer = recall(&app).await;
        assert_eq!((&fewer["sampled"], &fewer["missed_known"]), (&json!(59), &json!(2)));
        assert_eq!(fewer["missed_estimate"], 2.0);
    }
}

on_each_database! {
    async fn an_answer_weighs_the_same_whatever_comes_of_an_appeal_and_what_went_along_weighs_once(app: App) {
        app.set_policy(json!({"sample_share": 1, "banned_words": ["zouzou"]})).await;
        // Nobody answers the first ten: the second ten, of the same class, stand for them.
        let waiting = posted(&app, 0..10).await;
        let answered = posted(&app, 10..20).await;
        let others = posted(&app, 20..60).await;
        app.sql("UPDATE samples SET probability = 0.5").await;
        for comment in others.iter().chain(&answered[3..]) {
            decide(&app, comment, "approve", "other").await;
        }
        let (binta, oumar) = (app.moderator("binta"), app.moderator("oumar"));
        let scoped = |comment: &Value, reason: &str| {
            json!({"action": "hide", "version": comment["version"], "reason": reason, "scope": "author_recent"})
        };
        decide(&app, &answered[0], "hide", "threat").await;
        // Hidden along with what was held of the same author: that was not for being a sample.
        let held = app.site().comment("b", "u11", "Zouzou.").await;
        let went_along = binta.post(&path(&held, "/decisions"), scoped(&held, "threat")).await.expect(201);
        assert_eq!(went_along["group"]["decided"], 2);
        // But what is named was answered, with whatever else it takes along.
        let second = app.site().comment("b", "u12", &remark(100)).await;
        app.sql("UPDATE samples SET probability = 1 WHERE probability > 0.5").await;
        let named = &answered[2];
        let taken = binta.post(&path(named, "/decisions"), scoped(named, "threat")).await.expect(201);
        assert_eq!(taken["group"]["decided"], 2);
        assert_eq!(app.site().now(&second).await["status"], "hidden");

        let before = recall(&app).await;
        assert_eq!((&before["sampled"], &before["judged"]), (&json!(61), &json!(51)));
        // Ten answered as samples stand for the first ten, too: the two that are wrong for four comments each. What went
        // along stands for two, as it was drawn, or for one.
        assert_eq!((&before["missed_known"], &before["missed_estimate"]), (&json!(4), &json!(11.0)), "{before:#}");

        let site = app.site();
        site.post(&path(&answered[0], "/appeals"), json!({"text": "Relisez."})).await.expect(201);
        let again = site.now(&answered[0]).await;
        let upheld = json!({"action": "hide", "version": again["version"], "reason": "threat", "note": "Non."});
        oumar.post(&path(&again, "/decisions"), upheld).await.expect(201);
        assert_eq!(recall(&app).await, before);

        // What was taken back was no answer, and its class has what it had.
        let hide = json!({"action": "hide", "version": waiting[0]["version"], "reason": "threat"});
        let hidden = binta.post(&path(&waiting[0], "/decisions"), hide).await.expect(201);
        assert_ne!(recall(&app).await["missed_estimate"], before["missed_estimate"]);
        let undo = format!("/v1/decisions/{}/undo", hidden["decision"]["id"].as_str().unwrap());
        binta.post(&undo, json!({})).await.expect(201);
        assert_eq!(recall(&app).await, before);
    }
}

on_each_database! {
    async fn samples_of_one_site_say_nothing_of_another(app: App) {
        app.set_policy(json!({"sample_share": 1})).await;
        for comment in posted(&app, 0..50).await {
            decide(&app, &comment, "approve", "other").await;
        }
        let policy = format!("/v1/sites/{OTHER_SITE}/policy");
        app.admin().put(&policy, json!({"sample_share": 1})).await.expect(200);
        let there = app.other_site().comment("z", "awa", &remark(60)).await;
        let admin = app.admin();
        let estimate = |query: &'static str| {
            let admin = admin.clone();
            async move { admin.get(&format!("/v1/recall{query}")).await.expect(200)["missed_estimate"].clone() }
        };
        assert_eq!(estimate("?site=bamako").await, 0.0);
        assert_eq!(estimate("").await, json!(null), "nobody looked at the other site's");
        let hide = json!({"action": "hide", "version": there["version"], "reason": "threat"});
        admin.post(&path(&there, "/decisions"), hide).await.expect(201);
        assert_eq!(estimate("").await, 1.0);
    }
}

on_each_database! {
    async fn recall_is_of_ones_own_sites_and_of_the_days_one_names(app: App) {
        app.set_policy(json!({"sample_share": 1})).await;
        app.site().comment("a", "awa", &remark(1)).await;
        let sampled = |answer: Value| answer["sampled"].as_u64().unwrap();
        let binta = app.moderator("binta");
        for (query, expected) in [
            (String::new(), 1),
            (format!("?site={SITE}&tz=Africa/Bamako"), 1),
            ("?from=2020-01-01&to=2020-01-31".into(), 0),
            ("?to=2020-01-31".into(), 0),
        ] {
            let answer = binta.get(&format!("/v1/recall{query}")).await.expect(200);
            assert_eq!(sampled(answer), expected, "{query}");
        }
        let both = app.admin().get("/v1/recall").await.expect(200);
        assert_eq!(sampled(both), 1);
        let there = app.bearer(Role::Moderator, "luc", &[OTHER_SITE]);
        assert_eq!(sampled(there.get("/v1/recall").await.expect(200)), 0);
        for figures in ["recall", "agreement"] {
            let at = |query: &str| format!("/v1/{figures}?{query}");
            there.get(&at(&format!("site={SITE}"))).await.problem(404, "site-not-found");
            assert_eq!(binta.get(&at("from=yesterday")).await.invalid_fields(), ["from"]);
            assert_eq!(binta.get(&at("from=2020-01-01")).await.invalid_fields(), ["from"], "too many days");
            assert_eq!(binta.get(&at("tz=Nowhere")).await.invalid_fields(), ["tz"]);
        }
    }
}
