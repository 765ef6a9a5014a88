//! Sites: made and named by admins, each with a policy that can be read, replaced and is checked.

use palabre::domain::Role;
use serde_json::{Value, json};

use crate::harness::{App, CALM, OTHER_SITE, SITE, by, on_each_database};

fn policy_of(site: &str) -> String {
    format!("/v1/sites/{site}/policy")
}

/// The policy of a new site, as the contract has it.
fn default_policy() -> Value {
    let none = json!({
        "toxicity": null, "insult": null, "threat": null, "identity_attack": null, "profanity": null, "spam": null,
    });
    json!({
        "hold": none, "hide": none, "hold_duplicates": true, "hide_hidden_copies": false, "max_links": 3,
        "hold_first_comment": false, "escalate_after_hours": null,
        "banned_words": [], "hide_banned_words": false, "suspect_words": [], "hold_at_reports": null,
        "close_after_days": null, "retention_days": null, "mode": "post", "sample_share": 0.02,
    })
}

on_each_database! {
    async fn an_admin_makes_and_names_sites(app: App) {
        let admin = app.admin();
        let made = admin.post("/v1/sites", json!({"slug": "le-soir", "name": "Le Soir de Ségou"})).await.expect(201);
        assert_eq!(
            made,
            json!({"slug": "le-soir", "name": "Le Soir de Ségou", "created_at": made["created_at"]})
        );
        let slugs = |list: Value| -> Vec<Value> {
            list["items"].as_array().unwrap().iter().map(|site| site["slug"].clone()).collect()
        };
        let list = admin.get("/v1/sites").await.expect(200);
        assert_eq!(list["items"][1], made);
        assert_eq!(slugs(list), [SITE, "le-soir", OTHER_SITE], "by slug");
        // It takes comments at once.
        let site = app.bearer(Role::Site, "site", &["le-soir"]);
        site.post("/v1/threads/a/comments", by("awa", CALM)).await.expect(201);

        let renamed = admin.patch("/v1/sites/le-soir", json!({"name": "Le Soir"})).await.expect(200);
        assert_eq!((&renamed["slug"], &renamed["name"]), (&json!("le-soir"), &json!("Le Soir")));
        assert_eq!(admin.patch("/v1/sites/le-soir", json!({})).await.expect(200), renamed, "an absent field stays");
        let nameless = admin.patch("/v1/sites/le-soir", json!({"name": null})).await.expect(200);
        assert_eq!(nameless["name"], json!(null), "null clears");
        assert_eq!(admin.get("/v1/sites").await.expect(200)["items"][1], nameless);

        for slug in ["le-soir", SITE] {
            admin.post("/v1/sites", json!({"slug": slug})).await.problem(409, "site-exists");
        }
        for (body, field) in [
            (json!({}), "slug"),
            (json!({"slug": "Le Soir"}), "slug"),
            (json!({"slug": "*"}), "slug"),
            (json!({"slug": "a".repeat(64)}), "slug"),
            (json!({"slug": "a", "name": " "}), "name"),
            (json!({"slug": "a", "policy": {}}), "policy"),
        ] {
            assert_eq!(admin.post("/v1/sites", body.clone()).await.invalid_fields(), [field], "{body}");
        }
        for (body, field) in [(json!({"name": ""}), "name"), (json!({"slug": "b"}), "slug")] {
            assert_eq!(admin.patch("/v1/sites/le-soir", body.clone()).await.invalid_fields(), [field], "{body}");
        }
        assert_eq!(slugs(admin.get("/v1/sites").await.expect(200)).len(), 3);
    }
}

on_each_database! {
    async fn an_admin_of_one_site_sees_and_changes_that_one(app: App) {
        let admin = app.bearer(Role::Admin, "root", &[SITE]);
        let list = admin.get("/v1/sites").await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        assert_eq!(list["items"][0]["slug"], SITE);
        admin.post("/v1/sites", json!({"slug": "le-soir"})).await.problem(403, "forbidden");
        app.bearer(Role::Admin, "root", &[SITE, "le-soir"])
            .post("/v1/sites", json!({"slug": "le-soir"})).await.problem(403, "forbidden");
        admin.patch(&format!("/v1/sites/{SITE}"), json!({"name": "Bamako"})).await.expect(200);
        admin.put(&policy_of(SITE), json!({"max_links": 7})).await.expect(200);
        for foreign in [OTHER_SITE, "nowhere", "No%20Slug"] {
            admin.patch(&format!("/v1/sites/{foreign}"), json!({"name": "A"})).await.problem(404, "site-not-found");
            admin.get(&policy_of(foreign)).await.problem(404, "site-not-found");
            admin.put(&policy_of(foreign), json!({})).await.problem(404, "site-not-found");
        }
        let mut untouched = default_policy();
        untouched["sample_share"] = json!(0.0);
        assert_eq!(app.admin().get(&policy_of(OTHER_SITE)).await.expect(200), untouched);
    }
}

on_each_database! {
    async fn a_policy_is_read_as_it_was_written(app: App) {
        let admin = app.admin();
        admin.post("/v1/sites", json!({"slug": "le-soir"})).await.expect(201);
        assert_eq!(admin.get(&policy_of("le-soir")).await.expect(200), default_policy());
        let policy = json!({
            "hold": {
                "toxicity": 0.5, "insult": 0.25, "threat": 0.125, "identity_attack": 0, "profanity": 1, "spam": null,
            },
            "hide": {
                "toxicity": null, "insult": null, "threat": 0.9, "identity_attack": null, "profanity": null, "spam": 0.99,
            },
            "hold_duplicates": false, "hide_hidden_copies": true, "max_links": 0, "hold_first_comment": true,
            "banned_words": ["Voyou", "escro*", "fils de chien"], "hide_banned_words": true,
            "suspect_words": ["salé"], "hold_at_reports": 5, "escalate_after_hours": 24,
            "close_after_days": 30, "retention_days": 365, "mode": "pre", "sample_share": 0.125,
        });
        let answered = admin.put(&policy_of(SITE), policy.clone()).await.expect(200);
        let read = admin.get(&policy_of(SITE)).await.expect(200);
        assert_eq!(answered, read);
        for (field, value) in policy.as_object().unwrap() {
            if field == "hold" || field == "hide" {
                for (label, threshold) in value.as_object().unwrap() {
                    assert_eq!(read[field][label].as_f64(), threshold.as_f64(), "{field}.{label}");
                }
            } else {
                assert_eq!(read[field], *value, "{field}");
            }
        }
        assert_eq!(read.as_object().unwrap().len(), policy.as_object().unwrap().len());
        // What a new policy leaves out is as in the default.
        let partly = admin.put(&policy_of(SITE), json!({"hold": {"threat": 0.5}})).await.expect(200);
        let mut expected = default_policy();
        expected["hold"]["threat"] = json!(0.5);
        assert_eq!(partly, expected);
        assert_eq!(admin.put(&policy_of(SITE), json!({})).await.expect(200), default_policy());
    }
}

on_each_database! {
    async fn an_invalid_policy_is_named_and_changes_nothing(app: App) {
        let admin = app.admin();
        let words = |count: usize| (0..count).map(|n| format!("mot{n}")).collect::<Vec<_>>();
        for (policy, field) in [
            (json!({"hold": {"threat": 1.1}}), "hold.threat"),
            (json!({"hold": {"threat": -0.1}}), "hold.threat"),
            (json!({"hold": {"threat": "0.5"}}), "hold.threat"),
            (json!({"hide": {"rude": 0.5}}), "hide.rude"),
            (json!({"hold": 0.5}), "hold"),
            (json!({"hold": [0, 0, 0, 0, 0, 0]}), "hold"),
            (json!({"hold_duplicates": null}), "hold_duplicates"),
            (json!({"max_links": -1}), "max_links"),
            (json!({"max_links": 1.5}), "max_links"),
            (json!({"max_links": 5_000_000_000_u64}), "max_links"),
            (json!({"banned_words": "voyou"}), "banned_words"),
            (json!({"banned_words": ["bien", ""]}), "banned_words[1]"),
            (json!({"banned_words": ["*"]}), "banned_words[0]"),
            (json!({"banned_words": ["!?"]}), "banned_words[0]"),
            (json!({"banned_words": ["a*b"]}), "banned_words[0]"),
            (json!({"banned_words": ["a\nb"]}), "banned_words[0]"),
            (json!({"suspect_words": ["é".repeat(101)]}), "suspect_words[0]"),
            (json!({"suspect_words": [7]}), "suspect_words[0]"),
            (json!({"banned_words": words(5_001)}), "banned_words"),
            (json!({"hold_at_reports": 0}), "hold_at_reports"),
            (json!({"escalate_after_hours": 0}), "escalate_after_hours"),
            (json!({"escalate_after_hours": 8_761}), "escalate_after_hours"),
            (json!({"hide_hidden_copies": null}), "hide_hidden_copies"),
            (json!({"close_after_days": 0}), "close_after_days"),
            (json!({"close_after_days": 36_501}), "close_after_days"),
            (json!({"retention_days": -1}), "retention_days"),
            (json!({"retention_days": 36_501}), "retention_days"),
            (json!({"mode": "later"}), "mode"),
            (json!({"sample_share": 1.01}), "sample_share"),
            (json!({"sample_share": -0.01}), "sample_share"),
            (json!({"sample_share": null}), "sample_share"),
            (json!({"colour": "red"}), "colour"),
        ] {
            let shown = policy.to_string();
            let shown: String = shown.chars().take(100).collect();
            let answer = admin.put(&policy_of(SITE), policy).await;
            assert_eq!(answer.status, 422, "{shown}: {:#}", answer.body);
            assert_eq!(answer.invalid_fields(), [field], "{shown}");
        }
        admin.put(&policy_of(SITE), json!([])).await.problem(422, "validation");
        let mut untouched = default_policy();
        untouched["sample_share"] = json!(0.0);
        assert_eq!(admin.get(&policy_of(SITE)).await.expect(200), untouched);
    }
}

on_each_database! {
    async fn what_admins_send_may_be_larger_than_what_sites_send(app: App) {
        let admin = app.admin();
        // Longer than a site's request may be, and as long as a list may be.
        let words: Vec<String> = (0..5_000).map(|n| format!("un mot plus long que les autres, numéro {n}")).collect();
        let policy = json!({"banned_words": words});
        let size = policy.to_string().len();
        assert!((64 * 1024..1024 * 1024).contains(&size));
        let answered = admin.put(&policy_of(SITE), policy.clone()).await.expect(200);
        assert_eq!(answered["banned_words"], policy["banned_words"]);
        let found = app.site().comment("a", "awa", "Voici un mot plus long que les autres, numéro 4999 !").await;
        assert_eq!(found["reasons"][0]["detail"], "un mot plus long que les autres, numéro 4999");

        let padded = |size: usize| {
            let mut body = json!({"slug": "le-soir"}).to_string().into_bytes();
            body.resize(size, b' ');
            body
        };
        let mebibyte = 1024 * 1024;
        admin.post_bytes("/v1/sites", "application/json", padded(mebibyte + 1)).await.problem(413, "too-large");
        admin.post_bytes("/v1/sites", "application/json", padded(mebibyte)).await.expect(201);
        // An admin's other requests are no larger than anybody's.
        for path in ["/v1/score", "/v1/authors/bob/notes?site=bamako"] {
            let answer = admin.post_bytes(path, "application/json", padded(64 * 1024 + 1)).await;
            assert!(answer.body["detail"].as_str().unwrap().contains("65536"), "{:#}", answer.body);
            answer.problem(413, "too-large");
        }
    }
}
