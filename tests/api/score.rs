//! Scoring without storing, and whether the service is ready.

use palabre::domain::Role;
use serde_json::{Value, json};

use crate::harness::{App, CALM, OTHER_SITE, SITE, THREAT, codes, id, on_each_database};

const LABELS: [&str; 6] = [
    "identity_attack",
    "insult",
    "profanity",
    "spam",
    "threat",
    "toxicity",
];

fn field_names(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

on_each_database! {
    async fn a_text_is_scored_and_not_stored(app: App) {
        let site = app.site();
        let score = |body: Value| {
            let site = site.clone();
            async move { site.post("/v1/score", body).await.expect(200) }
        };
        let calm = score(json!({"text": CALM})).await;
        assert_eq!(field_names(&calm), ["model", "reasons", "scores", "status"]);
        assert_eq!(field_names(&calm["scores"]), LABELS);
        assert_eq!((&calm["status"], &calm["reasons"]), (&json!("published"), &json!([])));
        let threat = score(json!({"text": THREAT, "lang": "fr"})).await;
        assert_eq!(threat["status"], "pending");
        assert!(codes(&threat).contains(&"threat"));
        assert!(threat["scores"]["threat"].as_f64() > calm["scores"]["threat"].as_f64());

        // What the queue would show, and what posting then says.
        let explained = score(json!({"text": THREAT, "explain": true})).await;
        assert_eq!(field_names(&explained), ["highlights", "model", "quotes", "reasons", "scores", "status"]);
        assert_eq!(explained["scores"], threat["scores"], "explaining changes no score");
        assert_eq!(explained["quotes"], json!([]));
        let length = THREAT.chars().count() as u64;
        let highlights = explained["highlights"].as_array().unwrap();
        assert!(!highlights.is_empty());
        for highlight in highlights {
            let (start, end) = (highlight["start"].as_u64().unwrap(), highlight["end"].as_u64().unwrap());
            assert!(start < end && end <= length, "{highlight}");
            assert!(LABELS.contains(&highlight["label"].as_str().unwrap()));
        }

        let moderator = app.moderator("binta");
        assert_eq!(moderator.get("/v1/queue/counts").await.expect(200)["waiting"], 0);
        let posted = site.comment("a", "bob", THREAT).await;
        assert_eq!(posted["duplicate_of"], json!(null), "a text that was only scored is not known");
        for field in ["scores", "status", "reasons", "model"] {
            assert_eq!(posted[field], threat[field], "{field}");
        }
    }
}

on_each_database! {
    async fn nobody_is_scored_for_what_they_quote(app: App) {
        let site = app.site();
        let reply = format!("« {THREAT} »\nNon. Personne n'a le droit d'écrire ça ici, respectons-nous.");
        let ask = json!({"text": reply, "parent_text": THREAT, "explain": true});
        let scored = site.post("/v1/score", ask).await.expect(200);
        let alone = site.post("/v1/score", json!({"text": reply})).await.expect(200);
        assert!(scored["scores"]["threat"].as_f64() < alone["scores"]["threat"].as_f64());
        assert_eq!(scored["status"], "published", "{scored:#}");
        let quotes = scored["quotes"].as_array().unwrap();
        let quoted: usize = quotes
            .iter()
            .map(|quote| (quote["end"].as_u64().unwrap() - quote["start"].as_u64().unwrap()) as usize)
            .sum();
        let length = THREAT.chars().count();
        assert!((length - 2..=length + 6).contains(&quoted), "{quotes:?}");
    }
}

on_each_database! {
    async fn bad_input_is_named(app: App) {
        let site = app.site();
        for (body, field) in [
            (json!({}), "text"),
            (json!({"text": ""}), "text"),
            (json!({"text": "é".repeat(10_001)}), "text"),
            (json!({"text": "a\0b"}), "text"),
            (json!({"text": 7}), "text"),
            (json!({"text": CALM, "parent_text": "a\rb"}), "parent_text"),
            (json!({"text": CALM, "lang": "français"}), "lang"),
            (json!({"text": CALM, "explain": "yes"}), "explain"),
            (json!({"text": CALM, "model": "x"}), "model"),
        ] {
            assert_eq!(site.post("/v1/score", body.clone()).await.invalid_fields(), [field], "{body}");
        }
        let foreign = format!("/v1/score?site={OTHER_SITE}");
        site.post(&foreign, json!({"text": CALM})).await.problem(404, "site-not-found");
    }
}

on_each_database! {
    async fn every_role_may_score_whatever_its_sites(app: App) {
        for role in Role::ALL {
            for sites in [&[SITE][..], &[SITE, OTHER_SITE], &[]] {
                let client = app.bearer(role, "somebody", sites);
                client.post("/v1/score", json!({"text": CALM})).await.expect(200);
            }
        }
    }
}

on_each_database! {
    async fn ready_names_the_model_that_scores(app: App) {
        assert_eq!(app.anonymous().get("/healthz").await.expect(200), json!({"status": "ok"}));
        let ready = app.anonymous().get("/readyz").await.expect(200);
        let comment = app.site().comment("a", "awa", CALM).await;
        assert_eq!(ready, json!({"status": "ok", "model": comment["model"]}));
        assert!(!id(&comment).is_empty());
        // The database goes away under it.
        app.moderation.close().await;
        let answer = app.anonymous().get("/readyz").await;
        assert!(answer.headers.contains_key("retry-after"));
        answer.problem(503, "unavailable");
        app.anonymous().get("/healthz").await.expect(200);
    }
}
