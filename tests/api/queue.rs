//! The moderators' queue: what waits, in what order, and what a card shows.

use std::collections::HashSet;

use palabre::domain::Role;
use serde_json::{Value, json};

use crate::harness::{
    App, CALM, OTHER_SITE, SITE, THREAT, codes, id, ids, on_each_database, redacted_id,
    redacted_scores, redacted_time, remark, with_cursor,
};

/// Other threats, no copies of one another.
const THREATS: [&str; 2] = [
    THREAT,
    "JE VAIS TE TUER, sale chien. On sait où tu habites : cette nuit on te coupe la tête.",
];

on_each_database! {
    async fn everything_that_waits_the_worst_first(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        site.put("/v1/threads/pre", json!({"mode": "pre"})).await.expect(201);
        let calm = site.comment("pre", "awa", CALM).await;
        let links = site.comment("a", "bob", &"https://news.example/a ".repeat(4)).await;
        let mut threats = Vec::new();
        for threat in THREATS {
            threats.push(site.comment("a", "cheick", threat).await);
        }
        let later = site.comment("pre", "awa", &remark(1)).await;
        site.comment("a", "awa", &remark(2)).await;

        let queue = moderator.get("/v1/queue").await.expect(200);
        let items = queue["items"].as_array().unwrap();
        let all: HashSet<String> = ids(&queue, "/comment/id").into_iter().collect();
        let held: HashSet<String> = [&calm, &links, &threats[0], &threats[1], &later]
            .map(|comment| id(comment).to_owned())
            .into();
        assert_eq!(all, held, "every pending one and no other");
        let is_threat: Vec<bool> =
            items.iter().map(|item| codes(&item["comment"]).contains(&"threat")).collect();
        assert_eq!(is_threat, [true, true, false, false, false]);
        let priority = |item: &Value| item["priority"]["value"].as_f64().unwrap();
        assert!(items.is_sorted_by(|a, b| priority(a) >= priority(b)));
        for item in items {
            let parts = item["priority"]["parts"].as_array().unwrap();
            let sum: f64 = parts.iter().map(|part| part["points"].as_f64().unwrap()).sum();
            assert!((sum - priority(item)).abs() < 1e-6, "the parts explain the priority");
        }

        let in_time = [&calm, &links, &threats[0], &threats[1], &later].map(|comment| id(comment).to_owned());
        let oldest = moderator.get("/v1/queue?sort=oldest").await.expect(200);
        assert_eq!(ids(&oldest, "/comment/id"), in_time);
        let mut newest = ids(&moderator.get("/v1/queue?sort=newest").await.expect(200), "/comment/id");
        newest.reverse();
        assert_eq!(newest, in_time);
    }
}

on_each_database! {
    async fn a_card_shows_what_a_moderator_needs(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        site.put("/v1/threads/medine", json!({"title": "Le marché rouvre", "lang": "fr"})).await.expect(201);
        let top = site.comment("medine", "awa", &remark(1)).await;
        let middle = site.reply(&top, "bob", &remark(2)).await;
        let parent = site.reply(&middle, "awa", &remark(3)).await;
        let gone = site.comment("medine", "cheick", &remark(4)).await;
        moderator.decide(&gone, "hide").await.expect(201);
        site.comment("medine", "cheick", &remark(5)).await;
        let held = site.reply(&parent, "cheick", THREAT).await;

        let queue = moderator.get("/v1/queue").await.expect(200);
        let item = &queue["items"][0];
        assert_eq!(item["comment"], held);
        assert_eq!(item["parent"], parent);
        assert_eq!(item["ancestors"], json!([top, middle, parent]), "the topmost first");
        assert!(!item["highlights"].as_array().unwrap().is_empty());
        insta::assert_json_snapshot!("queue_item", item, {
            ".**.id" => redacted_id(),
            ".**.parent_id" => redacted_id(),
            ".**.created_at" => redacted_time(),
            ".**.changed_at" => redacted_time(),
            ".**.scores" => redacted_scores(),
            ".**.model" => "[model]",
            ".comment.reasons" => "[reasons]",
            ".priority.value" => "[points]",
            ".priority.parts" => "[parts]",
            ".highlights" => "[highlights]",
        });
    }
}

on_each_database! {
    async fn ancestors_end_at_ten(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let mut chain = vec![site.comment("a", "awa", &remark(0)).await];
        for number in 1..=12 {
            chain.push(site.reply(chain.last().unwrap(), "bob", &remark(number)).await);
        }
        site.reply(&chain[12], "cheick", THREAT).await;
        let queue = moderator.get("/v1/queue").await.expect(200);
        assert_eq!(queue["items"][0]["ancestors"], json!(chain[3..]));
        assert_eq!(queue["items"][0]["parent"], chain[12]);
    }
}

on_each_database! {
    async fn highlights_point_at_the_words_by_characters(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        // Two bytes, four bytes and several scalars for one sign, all before the words that count.
        let calm = "👩🏾‍🌾🇲🇱 Été à Ségou, où l’hivernage dure. ";
        let words = "On va vous égorger, sales chiens !";
        let held = site.comment("a", "bob", &format!("{calm}{words}")).await;
        assert_eq!(held["status"], "pending");
        let body: Vec<char> = held["body"].as_str().unwrap().chars().collect();
        let queue = moderator.get("/v1/queue").await.expect(200);
        let highlights = queue["items"][0]["highlights"].as_array().unwrap();
        let strongest = highlights
            .iter()
            .filter(|highlight| highlight["label"] == "threat")
            .max_by(|a, b| a["weight"].as_f64().unwrap().total_cmp(&b["weight"].as_f64().unwrap()))
            .expect("a threat is held for words");
        for highlight in highlights {
            let at = |edge: &str| usize::try_from(highlight[edge].as_u64().unwrap()).unwrap();
            assert!(at("start") < at("end") && at("end") <= body.len(), "{highlight}");
            assert!(highlight["weight"].as_f64().unwrap() > 0.0);
            let text: String = body[at("start")..at("end")].iter().collect();
            assert_eq!(text, text.trim(), "whole words");
            if highlight == strongest {
                assert!(text.contains("égorger"), "{text:?}");
            }
        }
    }
}

on_each_database! {
    async fn filters(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        for thread in ["a", "b"] {
            site.put(&format!("/v1/threads/{thread}"), json!({"mode": "pre"})).await.expect(201);
        }
        let texts = [
            ("a", "awa", "L'ÉLECTRICITÉ est revenue à 100 % ce matin."),
            ("a", "bob", "Qui a vu le fichier rapport_final.pdf ?"),
            ("b", "awa", "Il a dit \"patience\", c'est tout."),
            ("b", "bob", "Chemin C:\\temp et l'œuvre d'Élise."),
            ("b", "cheick", THREAT),
        ];
        let mut held = Vec::new();
        for (thread, author, text) in texts {
            held.push(site.comment(thread, author, text).await);
        }
        let worst = |comment: &Value| {
            let scores = comment["scores"].as_object().unwrap().values();
            scores.map(|score| score.as_f64().unwrap()).fold(0.0, f64::max)
        };
        let threat = worst(&held[4]);
        assert!(held[..4].iter().all(|comment| worst(comment) < threat));
        for (query, expected) in [
            ("reason=premoderation", &[0, 1, 2, 3, 4][..]),
            ("reason=threat", &[4]),
            ("reason=links", &[]),
            ("thread=a", &[0, 1]),
            ("author=awa", &[0, 2]),
            ("author=nobody", &[]),
            ("thread=b&author=bob", &[3]),
            (&format!("min_score={threat}"), &[4]),
            ("min_score=0", &[0, 1, 2, 3, 4]),
            ("min_score=1", if threat < 1.0 { &[] } else { &[4] }),
            ("q=electricite", &[0]),
            ("q=%C3%89lectricit%C3%89+MATIN", &[0]),
            ("q=matin+patience", &[]),
            ("q=%25", &[0]),
            ("q=100+%25", &[0]),
            ("q=_", &[1]),
            ("q=rapport_final", &[1]),
            ("q=rapportXfinal", &[]),
            ("q=%22patience%22", &[2]),
            ("q=c%27est", &[2]),
            ("q=%27+OR+1%3D1+--", &[]),
            ("q=%5C", &[3]),
            ("q=oeuvre", &[3]),
            ("q=elise", &[3]),
            (&format!("site={SITE}"), &[0, 1, 2, 3, 4]),
            ("queue=escalated", &[]),
        ] {
            let found = moderator.get(&format!("/v1/queue?sort=oldest&{query}")).await.expect(200);
            let expected: Vec<&str> = expected.iter().map(|at: &usize| id(&held[*at])).collect();
            assert_eq!(ids(&found, "/comment/id"), expected, "{query}");
        }
        let nowhere = moderator.get("/v1/queue?thread=nowhere").await;
        nowhere.problem(404, "thread-not-found");
        for (query, field) in [
            ("queue=mine", "queue"),
            ("sort=worst", "sort"),
            ("reason=rude", "reason"),
            ("collapse=thread", "collapse"),
            ("min_score=1.1", "min_score"),
            ("min_score=NaN", "min_score"),
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("q=a%00", "q"),
            ("author=a%00", "author"),
            ("thread=a%00", "thread"),
            ("site=A", "site"),
        ] {
            assert_eq!(moderator.get(&format!("/v1/queue?{query}")).await.invalid_fields(), [field], "{query}");
        }
    }
}

on_each_database! {
    async fn each_moderator_sees_the_sites_of_their_token(app: App) {
        let here = app.site().comment("a", "bob", THREAT).await;
        let there = app.other_site().comment("a", "bob", THREAT).await;
        let both = app.bearer(Role::Moderator, "binta", &[SITE, OTHER_SITE]);
        let seen = |client: crate::harness::Client, query: &'static str| async move {
            ids(&client.get(&format!("/v1/queue?sort=oldest{query}")).await.expect(200), "/comment/id")
        };
        assert_eq!(seen(app.moderator("binta"), "").await, [id(&here)]);
        for client in [both.clone(), app.admin()] {
            assert_eq!(seen(client.clone(), "").await, [id(&here), id(&there)]);
            assert_eq!(seen(client, "&site=lyon").await, [id(&there)]);
        }
        for query in ["author=bob", "thread=a"] {
            assert_eq!(both.get(&format!("/v1/queue?{query}")).await.invalid_fields(), ["site"]);
        }
        assert_eq!(seen(both.clone(), "&site=lyon&author=bob&thread=a").await, [id(&there)]);
        for (client, waiting) in [(app.moderator("binta"), 1), (both, 2), (app.admin(), 2)] {
            assert_eq!(client.get("/v1/queue/counts").await.expect(200)["waiting"], waiting);
        }
    }
}

on_each_database! {
    async fn copies_fold_into_one_card(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let raid = site.comment("a", "r0", THREAT).await;
        let mut copies = Vec::new();
        for n in 1..5 {
            let thread = if n < 4 { "a" } else { "b" };
            copies.push(site.comment(thread, &format!("r{n}"), THREAT).await);
        }
        let alone = site.comment("a", "bob", THREATS[1]).await;
        let cards = |query: &'static str| {
            let moderator = moderator.clone();
            async move { moderator.get(&format!("/v1/queue?sort=oldest&{query}")).await.expect(200) }
        };
        assert_eq!(cards("").await["items"].as_array().unwrap().len(), 6);
        let folded = cards("collapse=cluster").await;
        assert_eq!(ids(&folded, "/comment/id"), [id(&raid), id(&alone)]);
        assert_eq!(folded["items"][0]["duplicates"]["count"], 5);
        assert!(folded["items"][0]["duplicates"]["cluster"].is_string());
        assert_eq!(folded["items"][1]["duplicates"], json!(null));
        // The card stands for the copies that the filter leaves, wherever the others are.
        assert_eq!(ids(&cards("collapse=cluster&thread=b").await, "/comment/id"), [id(&copies[3])]);
        assert_eq!(ids(&cards("collapse=cluster&reason=duplicate").await, "/comment/id"), [id(&copies[0])]);
        assert_eq!(ids(&cards("collapse=cluster&author=r2").await, "/comment/id"), [id(&copies[1])]);
        // Once the first is decided, the next oldest stands for them.
        moderator.decide(&raid, "hide").await.expect(201);
        assert_eq!(ids(&cards("collapse=cluster").await, "/comment/id"), [id(&copies[0]), id(&alone)]);
    }
}

on_each_database! {
    async fn pages_neither_repeat_nor_lose_an_item(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        for sort in ["priority", "oldest", "newest"] {
            let thread = format!("pre-{sort}");
            site.put(&format!("/v1/threads/{thread}"), json!({"mode": "pre"})).await.expect(201);
            let mut held = Vec::new();
            for number in 0..11 {
                held.push(site.comment(&thread, "awa", &remark(number)).await);
            }
            let path = format!("/v1/queue?sort={sort}&thread={thread}&limit=3");
            let (mut next, mut seen, mut decided) = (path.clone(), Vec::new(), Vec::new());
            let mut number = 100;
            loop {
                let page = moderator.get(&next).await.expect(200);
                seen.extend(ids(&page, "/comment/id"));
                let Some(cursor) = page["next_cursor"].as_str() else {
                    break;
                };
                next = with_cursor(&path, cursor);
                // Meanwhile: one that was seen is decided, and one that was not, and another comes in.
                let unseen = held.iter().find(|comment| !seen.contains(&id(comment).to_owned()));
                let unseen = unseen.filter(|comment| !decided.contains(&id(comment).to_owned()));
                // Now and then it is the very one that the cursor names.
                let shown = page["items"][if number % 2 == 0 { 0 } else { 2 }]["comment"].clone();
                for comment in unseen.into_iter().chain([&shown]) {
                    decided.push(id(comment).to_owned());
                    moderator.decide(comment, "approve").await.expect(201);
                }
                if number < 104 {
                    site.comment(&thread, "cheick", &remark(number)).await;
                }
                number += 1;
            }
            let unique: HashSet<&String> = seen.iter().collect();
            assert_eq!(unique.len(), seen.len(), "{sort}: nothing twice");
            for comment in &held {
                let one = id(comment).to_owned();
                assert!(seen.contains(&one) || decided.contains(&one), "{sort}: {one} was passed over");
            }
            let in_order: Vec<&String> = seen
                .iter()
                .filter(|one| held.iter().any(|comment| id(comment) == **one))
                .collect();
            match sort {
                "oldest" => assert!(in_order.is_sorted()),
                "newest" => assert!(in_order.iter().rev().is_sorted()),
                _ => {}
            }
            assert!(!decided.is_empty() && seen.len() > 6);
        }
    }
}

on_each_database! {
    async fn a_cursor_is_good_for_its_own_list(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        site.put("/v1/threads/a", json!({"mode": "pre"})).await.expect(201);
        for number in 0..3 {
            let comment = site.comment("a", "awa", &remark(number)).await;
            moderator.decide(&comment, "approve").await.expect(201);
            site.comment("a", "awa", &remark(10 + number)).await;
        }
        let page = moderator.get("/v1/queue?limit=1").await.expect(200);
        let cursor = page["next_cursor"].as_str().unwrap();
        let rest = moderator.get(&format!("/v1/queue?cursor={cursor}&limit=200")).await.expect(200);
        assert_eq!(rest["items"].as_array().unwrap().len(), 2, "the limit may change on the way");
        for list in [
            "/v1/queue?sort=oldest&",
            "/v1/queue?reason=threat&",
            "/v1/queue?queue=escalated&",
            "/v1/queue?collapse=cluster&",
            "/v1/queue?q=avis&",
            "/v1/queue?min_score=0.1&",
            "/v1/queue?author=awa&",
            "/v1/queue?thread=a&",
            "/v1/decisions?",
        ] {
            let path = format!("{list}cursor={cursor}");
            assert_eq!(moderator.get(&path).await.invalid_fields(), ["cursor"], "{list}");
        }
        let changed = cursor.replacen(&cursor[..1], if cursor.starts_with('A') { "B" } else { "A" }, 1);
        for bad in [changed.as_str(), "x", "AAAAAAAAAAAAAAAA"] {
            assert_eq!(moderator.get(&format!("/v1/queue?cursor={bad}")).await.invalid_fields(), ["cursor"]);
        }
    }
}

on_each_database! {
    async fn counts_follow_what_happens(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let mut held = Vec::new();
        for threat in THREATS {
            held.push(site.comment("a", "bob", threat).await);
        }
        let counts = || async {
            let counts = moderator.get("/v1/queue/counts").await.expect(200);
            let queues = ["waiting", "reported", "escalated", "appeals", "sampled"];
            queues.map(|queue| counts[queue].as_u64().unwrap())
        };
        assert_eq!(counts().await, [2, 0, 0, 0, 0]);
        moderator.decide(&held[0], "escalate").await.expect(201);
        assert_eq!(counts().await, [1, 0, 1, 0, 0]);
        moderator.decide(&held[1], "hide").await.expect(201);
        assert_eq!(counts().await, [0, 0, 1, 0, 0]);
    }
}
