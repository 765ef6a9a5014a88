//! What each field of a policy does, from the very next comment on.

use serde_json::{Value, json};

use crate::harness::{
    App, CALM, NEWS, SITE, THREAT, by, codes, on_each_database, open_doors, path, remark,
};

const LABELS: [&str; 6] = [
    "toxicity",
    "insult",
    "threat",
    "identity_attack",
    "profanity",
    "spam",
];

fn is_label(code: &str) -> bool {
    LABELS.contains(&code)
}

on_each_database! {
    async fn a_threshold_to_hold_is_the_labels_own(app: App) {
        let site = app.site();
        for label in LABELS {
            app.set_policy(json!({"hold": {label: 0}})).await;
            let held = site.post("/v1/threads/a/comments", by("awa", "Merci.")).await.expect(202);
            assert_eq!((&held["status"], codes(&held)), (&json!("pending"), vec![label]));
            assert_eq!(held["reasons"][0]["score"], held["scores"][label]);
        }
        // Every label above what the text has: not even a threat waits. Null follows the model again.
        let all = |threshold: Value| -> Value { LABELS.iter().map(|label| ((*label).to_owned(), threshold.clone())).collect::<serde_json::Map<_, _>>().into() };
        app.set_policy(json!({"hold": all(json!(1))})).await;
        let threat = site.post("/v1/threads/a/comments", by("bob", THREAT)).await.expect(201);
        assert!(threat["scores"]["threat"].as_f64().unwrap() < 1.0);
        app.set_policy(json!({"hold": all(json!(null))})).await;
        let held = site.post("/v1/threads/a/comments", by("bob", &format!("Encore : {THREAT}"))).await.expect(202);
        assert!(codes(&held).contains(&"threat"));
        // At the threshold, not only above it.
        let score = held["scores"]["threat"].clone();
        let mut exactly = all(json!(1));
        exactly["threat"] = score;
        app.set_policy(json!({"hold": exactly, "hold_duplicates": false})).await;
        let at = site.post("/v1/threads/a/comments", by("bob", &format!("Encore : {THREAT}"))).await.expect(202);
        assert_eq!(codes(&at), ["threat"]);
    }
}

on_each_database! {
    async fn a_threshold_to_hide_hides_and_says_why(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        for label in LABELS {
            app.set_policy(json!({"hide": {label: 0}})).await;
            let hidden = site.post("/v1/threads/a/comments", by("awa", "Merci.")).await.expect(202);
            assert_eq!((&hidden["status"], codes(&hidden)), (&json!("hidden"), vec![label]));
            assert_eq!(moderator.queues_of(&hidden).await, [""; 0], "nobody has to look");
        }
        let seen = site.get("/v1/threads/a/comments?viewer=awa").await.expect(200);
        assert_eq!(seen["items"], json!([]), "not even its author sees it");
        app.set_policy(json!({"hide": {"threat": 0.01}})).await;
        let hidden = site.post("/v1/threads/a/comments", by("bob", THREAT)).await.expect(202);
        assert_eq!(hidden["status"], "hidden");
        assert!(codes(&hidden).contains(&"threat") && codes(&hidden).contains(&"toxicity"), "{hidden:#}");
        site.post("/v1/threads/a/comments", by("awa", "Merci.")).await.expect(201);
        // By the policy it can be brought back by hand.
        moderator.decide(&hidden, "approve").await.expect(201);
    }
}

on_each_database! {
    async fn words_are_found_whatever_their_accents_capitals_and_apostrophes(app: App) {
        let site = app.site();
        let words = json!(["zouzou", "l'État gombo", "Salé", "bada*"]);
        for (list, code) in [("banned_words", "banned_word"), ("suspect_words", "suspect_word")] {
            app.set_policy(json!({list: words, "hold_duplicates": false})).await;
            for (text, found) in [
                ("Quel ZOUZOU !", "zouzou"),
                ("Un zoùzoú, celui-là.", ""),
                ("Un 𝔃𝓸𝓾𝔃𝓸𝓾, un z\u{200b}ouzou.", "zouzou"),
                ("L’ÉTAT   GOMBO paiera.", "l'État gombo"),
                ("l'etat\ngombo paiera", "l'État gombo"),
                ("Un poisson SALE, non : salé.", "Salé"),
                ("d'zouzou", "zouzou"),
                ("Des badauds, un badaboum.", "bada*"),
                ("Un zouzoulet, un tombada, la salée.", ""),
                ("Zouzou et badaud.", "zouzou, bada*"),
            ] {
                let comment = site.comment("a", "awa", text).await;
                let details: Vec<&Value> = comment["reasons"].as_array().unwrap().iter()
                    .filter(|reason| reason["code"] == code)
                    .map(|reason| &reason["detail"])
                    .collect();
                if found.is_empty() {
                    assert!(details.is_empty(), "{text}: {details:?}");
                } else {
                    assert_eq!(details, [found], "{text}");
                    assert_eq!(comment["status"], "pending", "{text}");
                }
            }
        }
        app.set_policy(json!({})).await;
        let comment = site.comment("a", "awa", "Quel ZOUZOU !").await;
        assert!(!codes(&comment).contains(&"banned_word"), "an old list is forgotten at once");
    }
}

on_each_database! {
    async fn banned_words_may_hide_and_suspect_ones_never_do(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        app.set_policy(json!({
            "banned_words": ["zouzou"], "suspect_words": ["gombo"], "hide_banned_words": true,
        })).await;
        let hidden = site.post("/v1/threads/a/comments", by("bob", "Quel zouzou.")).await.expect(202);
        assert_eq!((&hidden["status"], codes(&hidden)), (&json!("hidden"), vec!["banned_word"]));
        let pending = site.post("/v1/threads/a/comments", by("bob", "Quel gombo.")).await.expect(202);
        assert_eq!((&pending["status"], codes(&pending)), (&json!("pending"), vec!["suspect_word"]));
        app.set_policy(json!({"banned_words": ["zouzou"], "suspect_words": ["gombo"]})).await;
        let banned = site.comment("b", "awa", "Encore zouzou.").await;
        let suspect = site.comment("b", "awa", "Encore gombo.").await;
        assert_eq!((&banned["status"], &suspect["status"]), (&json!("pending"), &json!("pending")));
        // What is banned comes before what is suspect.
        let points = |card: Value, code: &str| {
            let parts = card["priority"]["parts"].as_array().unwrap().clone();
            parts.into_iter().find(|part| part["code"] == code).unwrap()["points"].as_f64().unwrap()
        };
        let banned = moderator.card("waiting", &banned).await.unwrap();
        let suspect = moderator.card("waiting", &suspect).await.unwrap();
        assert!(points(banned, "banned_word") > points(suspect, "suspect_word"));
    }
}

on_each_database! {
    async fn links_copies_and_first_comments_as_the_site_wants(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        for (allowed, links, held) in [(0, 0, false), (0, 1, true), (5, 5, false), (5, 6, true)] {
            app.set_policy(json!({"max_links": allowed})).await;
            let text = format!("Lire {}", "www.news.example/a ".repeat(links));
            let comment = site.comment("a", "awa", &text).await;
            assert_eq!(codes(&comment).contains(&"links"), held, "{links} of {allowed}");
        }
        app.set_policy(json!({"hold_duplicates": false})).await;
        let first = site.comment("a", "awa", NEWS).await;
        let copy = site.post("/v1/threads/a/comments", by("bob", NEWS)).await.expect(201);
        assert_eq!(copy["duplicate_of"]["id"], first["id"], "what is known is still said");
        assert_eq!(codes(&copy), [""; 0]);

        app.set_policy(json!({"hold_first_comment": true})).await;
        let first = site.post("/v1/threads/b/comments", by("new", &remark(1))).await.expect(202);
        assert_eq!(codes(&first), ["first_comment"]);
        let second = site.post("/v1/threads/b/comments", by("new", &remark(2))).await.expect(202);
        assert_eq!(codes(&second), ["first_comment"], "until one is seen");
        moderator.decide(&first, "approve").await.expect(201);
        site.post("/v1/threads/b/comments", by("new", &remark(3))).await.expect(201);
        site.post("/v1/threads/b/comments", by("bob", &remark(4))).await.expect(201);
        assert_eq!(codes(&site.comment("b", "newer", &remark(5)).await), ["first_comment"]);
        app.set_policy(json!({})).await;
        site.post("/v1/threads/b/comments", by("newest", &remark(6))).await.expect(201);
    }
}

on_each_database! {
    async fn the_mode_is_the_threads_own_or_the_policys(app: App) {
        let site = app.site();
        site.put("/v1/threads/post", json!({"mode": "post"})).await.expect(201);
        site.put("/v1/threads/any", json!({})).await.expect(201);
        app.set_policy(json!({"mode": "pre"})).await;
        for (thread, mode) in [("post", "post"), ("any", "pre"), ("new", "pre")] {
            let comment = site.comment(thread, "awa", &remark(1)).await;
            let expected = if mode == "pre" { ("pending", vec!["premoderation"]) } else { ("published", vec![]) };
            assert_eq!((comment["status"].as_str().unwrap(), codes(&comment)), expected, "{thread}");
            assert_eq!(site.get(&format!("/v1/threads/{thread}")).await.expect(200)["mode"], mode);
        }
        // Null gives the thread back to the policy.
        let back = site.put("/v1/threads/post", json!({"mode": null})).await.expect(200);
        assert_eq!(back["mode"], "pre");
        app.set_policy(json!({})).await;
        site.post("/v1/threads/any/comments", by("awa", &remark(2))).await.expect(201);
    }
}

on_each_database! {
    async fn threads_close_by_age(app: App) {
        let site = app.site();
        let comment = site.comment("old", "awa", &remark(1)).await;
        app.sql("UPDATE threads SET created_at = created_at - 10 * 86400000").await;
        site.comment("young", "awa", &remark(2)).await;
        let reply = json!({"body": remark(3), "author": {"id": "bob", "name": "Bob"}, "parent_id": comment["id"]});
        for (days, closed) in [(11, false), (10, true), (1, true)] {
            app.set_policy(json!({"close_after_days": days})).await;
            assert_eq!(site.get("/v1/threads/old").await.expect(200)["closed"], closed, "{days} days");
            let answer = site.post("/v1/threads/old/comments", by("bob", &remark(4))).await;
            if closed {
                answer.problem(409, "thread-closed");
                site.post("/v1/threads/old/comments", reply.clone()).await.problem(409, "thread-closed");
            } else {
                answer.expect(201);
            }
            assert_eq!(site.get("/v1/threads/young").await.expect(200)["closed"], false);
            site.post("/v1/threads/young/comments", by("bob", &remark(5))).await.expect(201);
            site.post("/v1/threads/new/comments", by("bob", &remark(6))).await.expect(201);
        }
        let listed = site.get("/v1/threads").await.expect(200);
        assert_eq!((&listed["items"][0]["key"], &listed["items"][0]["closed"]), (&json!("old"), &json!(true)));
        app.set_policy(json!({})).await;
        site.post("/v1/threads/old/comments", reply).await.expect(201);
    }
}

on_each_database! {
    async fn what_is_past_its_retention_is_erased_and_nothing_else(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let post = |author: &str, text: &str| {
            let mut post = by(author, text);
            post["author"]["email"] = json!(format!("{author}@mail.example"));
            post["author"]["ip"] = json!("192.0.2.7");
            let site = site.clone();
            async move { site.post("/v1/threads/a/comments", post).await.expect(201) }
        };
        let old = post("awa", "Vieux, effacé par son auteur.").await;
        site.edit(&old, "Vieux, corrigé puis effacé.").await;
        site.post(&path(&old, "/reports"), json!({"reporter": {"id": "bob"}, "reason": "spam"})).await.expect(201);
        site.delete(&path(&old, "")).await.expect(204);
        let kept = post("awa", "Vieux, mais toujours là.").await;
        let thirty_days = 30 * 86_400_000_i64;
        app.sql(&format!("UPDATE comments SET changed_at = changed_at - {thirty_days}")).await;
        app.sql(&format!("UPDATE authors SET seen_at = seen_at - {thirty_days}")).await;
        let recent = post("cheick", "Récent, effacé par son auteur.").await;
        site.delete(&path(&recent, "")).await.expect(204);
        let texts = || async {
            let mut texts = app.texts("SELECT body FROM comments").await;
            texts.extend(app.texts("SELECT body FROM revisions").await);
            texts.extend(app.texts("SELECT body FROM reports").await);
            texts.sort();
            texts.retain(|text| !text.is_empty());
            texts
        };
        let all = [
            "Récent, effacé par son auteur.",
            "Vieux, corrigé puis effacé.", "Vieux, corrigé puis effacé.", "Vieux, effacé par son auteur.",
            "Vieux, mais toujours là.",
        ];
        app.moderation.tidy().await.unwrap();
        assert_eq!(texts().await, all, "without a policy everything is kept");
        app.set_policy(json!({"retention_days": 31})).await;
        app.moderation.tidy().await.unwrap();
        assert_eq!(texts().await, all);
        app.set_policy(json!({"retention_days": 29})).await;
        app.moderation.tidy().await.unwrap();
        assert_eq!(texts().await, ["Récent, effacé par son auteur.", "Vieux, mais toujours là."]);

        site.get(&path(&old, "")).await.problem(410, "comment-deleted");
        assert_eq!(site.now(&kept).await["body"], "Vieux, mais toujours là.");
        let awa = moderator.get("/v1/authors/awa").await.expect(200);
        assert_eq!((&awa["email"], &awa["ip"], &awa["name"]), (&json!(null), &json!(null), &json!("awa")));
        assert_eq!(awa["counts"], json!({"published": 1, "pending": 0, "hidden": 0, "deleted": 1}));
        let cheick = moderator.get("/v1/authors/cheick").await.expect(200);
        assert_eq!((&cheick["email"], &cheick["ip"]), (&json!("cheick@mail.example"), &json!("192.0.2.7")));
    }
}

on_each_database! {
    async fn every_server_follows_a_policy_within_a_moment(app: App) {
        let beside = app.beside(open_doors()).await;
        for word in ["zouzou", "gombo"] {
            app.set_policy(json!({"banned_words": [word]})).await;
            let path = format!("/v1/sites/{SITE}/policy");
            let words = json!([word]);
            crate::harness::eventually("the other server follows", || async {
                beside.admin().get(&path).await.expect(200)["banned_words"] == words
            })
            .await;
            let held = beside.site().comment("a", "awa", "Zouzou, gombo.").await;
            assert_eq!((codes(&held), &held["reasons"][0]["detail"]), (vec!["banned_word"], &json!(word)));
            // What the policy says of a text can be asked without posting it.
            let score = json!({"text": "Zouzou, gombo."});
            let scored = beside.site().post("/v1/score", score).await.expect(200);
            assert_eq!((&scored["status"], codes(&scored)), (&json!("pending"), vec!["banned_word"]));
        }
        app.set_policy(json!({})).await;
        let passed = app.site().comment("a", "awa", CALM).await;
        assert!(!codes(&passed).iter().any(|code| is_label(code)), "the one that was told follows at once");
        beside.other_site().post("/v1/threads/a/comments", by("awa", "Zouzou, gombo.")).await.expect(201);
    }
}

on_each_database! {
    async fn a_policy_is_tried_on_what_was_received(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let path = format!("/v1/sites/{SITE}/policy:simulate");
        let admin = app.admin();
        let empty = admin.post(&path, json!({})).await.expect(200);
        assert_eq!((&empty["received"], &empty["now"]["cards_a_day"]), (&json!(0), &json!(0.0)));
        let threat = site.comment("a", "bob", THREAT).await;
        moderator.decide(&threat, "hide").await.expect(201);
        for author in ["awa", "luc"] {
            let calm = site.comment("a", author, &format!("{CALM} {author}")).await;
            moderator.decide(&calm, "approve").await.expect(201);
        }
        let now = admin.post(&path, json!({})).await.expect(200);
        assert_eq!(
            (&now["received"], &now["hidden"], &now["approved"]),
            (&json!(3), &json!(1), &json!(2))
        );
        assert_eq!(now["now"], now["tried"]);
        // A site of today was not looked at for thirty days.
        assert_eq!((&now["days"], &now["now"]["cards_a_day"]), (&json!(1.0), &json!(1.0)));
        assert_eq!((&now["now"]["misses"], &now["now"]["false_alarms"]), (&json!(0), &json!(0)));
        let all = json!({"toxicity": 0, "insult": null, "threat": null, "identity_attack": null, "profanity": null, "spam": null});
        let tried = admin.post(&path, json!({"hold": all, "days": 1})).await.expect(200)["tried"].clone();
        assert_eq!((&tried["cards_a_day"], &tried["false_alarms"]), (&json!(3.0), &json!(2)));
        let none = admin.post(&path, json!({"max_cards_a_day": 0, "days": 1})).await.expect(200)["tried"].clone();
        assert_eq!((&none["cards_a_day"], &none["misses"]), (&json!(0.0), &json!(1)));
        assert_eq!(none["labels"][2], json!({"label": "threat", "hidden": 0, "found": 0}), "no reason was given");
        let rude = site.comment("a", "zoe", &format!("{THREAT} Encore !")).await;
        let hide = json!({"action": "hide", "version": rude["version"], "reason": "threat"});
        moderator.post(&format!("/v1/comments/{}/decisions", crate::harness::id(&rude)), hide).await.expect(201);
        let body = json!({"min_found": {"threat": 1}, "max_cards_a_day": 1, "curves": true});
        let found = admin.post(&path, body).await.expect(200);
        assert_eq!(found["tried"]["labels"][2], json!({"label": "threat", "hidden": 1, "found": 1}));
        assert_eq!(found["tried"]["hold"]["threat"], rude["scores"]["threat"], "the highest that finds it");
        assert_eq!(found["curves"].as_array().unwrap().len(), 6);
        let threats = found["curves"][2]["points"].as_array().unwrap();
        assert!(threats.windows(2).all(|pair| pair[0]["cards_a_day"].as_f64() >= pair[1]["cards_a_day"].as_f64()));
        assert!(now["curves"].is_null() && found["model"]["threat"].is_number());
        for (body, field) in [
            (json!({"days": 0}), "days"),
            (json!({"min_found": {"threat": 1.5}}), "min_found.threat"),
            (json!({"max_cards_a_day": -1}), "max_cards_a_day"),
            (json!({"hold": {"toxicity": 2}}), "hold.toxicity"),
            (json!({"more": 1}), "more"),
        ] {
            assert_eq!(admin.post(&path, body.clone()).await.invalid_fields(), [field], "{body}");
        }
        app.bearer(palabre::domain::Role::Admin, "root", &[crate::harness::OTHER_SITE])
            .post(&path, json!({})).await.problem(404, "site-not-found");
    }
}
