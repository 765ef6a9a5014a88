//! Posting: what is stored, what is refused and changes nothing, and what counts as a copy.

use palabre::domain::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    Answer, App, CALM, NEWS, SITE, THREAT, at_once, codes, id, on_each_database, redacted_id,
    redacted_score, redacted_time, remark,
};

fn body(text: &str) -> Value {
    json!({"body": text, "author": {"id": "awa", "name": "Awa"}})
}

/// A comment with this change in its fields; null takes one away.
fn changed(change: &Value) -> Value {
    let mut comment = body(CALM);
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            comment.as_object_mut().unwrap().remove(name);
        } else {
            comment[name] = value.clone();
        }
    }
    comment
}

on_each_database! {
    async fn a_calm_comment_is_published(app: App) {
        let comment = app.site().post("/v1/threads/medine/comments", json!({
            "body": "Merci pour cet article, il est très clair. 🎉\r\n\tBravo à la mairie de Médine.",
            "author": {"id": "u7", "name": "Awa D.", "email": "awa@mail.example", "ip": "2001:db8::7"},
            "external_id": "wp-1041",
            "parent_id": null,
            "thread": {"title": "Le marché de Médine rouvre", "url": "https://news.example/medine", "lang": "fr"},
        })).await.expect(201);
        insta::assert_json_snapshot!("comment", comment, {
            ".id" => redacted_id(),
            ".created_at" => redacted_time(),
            ".changed_at" => redacted_time(),
            ".scores.*" => redacted_score(),
            ".model" => "[model]",
        });
        let read = app.site().get(&format!("/v1/comments/{}", id(&comment))).await.expect(200);
        assert_eq!(read, comment, "reading answers what posting answered");
        let thread = app.site().get("/v1/threads/medine").await.expect(200);
        assert_eq!(thread["title"], "Le marché de Médine rouvre");
        assert_eq!(thread["url"], "https://news.example/medine");
        assert_eq!(thread["lang"], "fr");
        assert_eq!(thread["counts"]["published"], 1);
    }
}

on_each_database! {
    async fn a_threat_waits_and_says_why(app: App) {
        let comment = app.site().post("/v1/threads/a/comments", body(THREAT)).await.expect(202);
        assert_eq!(comment["status"], "pending", "the default policy never hides");
        assert!(codes(&comment).contains(&"threat"), "{comment:#}");
        for reason in comment["reasons"].as_array().unwrap() {
            assert_eq!(reason["score"], comment["scores"][reason["code"].as_str().unwrap()]);
            assert!(!reason["detail"].as_str().unwrap().is_empty());
        }
    }
}

on_each_database! {
    async fn rules_without_a_score_hold_too(app: App) {
        let site = app.site();
        for (links, held) in [(3, false), (4, true)] {
            let text = format!("À lire : {}", "https://news.example/a ".repeat(links));
            let comment = site.comment("a", "awa", &text).await;
            assert_eq!(codes(&comment).contains(&"links"), held, "{comment:#}");
        }
        site.put("/v1/threads/pre", json!({"mode": "pre"})).await.expect(201);
        let held = site.post("/v1/threads/pre/comments", body(CALM)).await.expect(202);
        assert_eq!(codes(&held), ["premoderation"]);
    }
}

on_each_database! {
    async fn a_threads_details_count_on_first_use_only(app: App) {
        let site = app.site();
        let post = |title: &str| json!({
            "body": "Merci.", "author": {"id": "awa", "name": "Awa"}, "thread": {"title": title},
        });
        site.post("/v1/threads/a/comments", post("Délestages")).await.expect(201);
        site.post("/v1/threads/a/comments", post("Autre chose")).await.expect(201);
        let thread = site.get("/v1/threads/a").await.expect(200);
        assert_eq!((&thread["title"], &thread["counts"]["published"]), (&json!("Délestages"), &json!(2)));
    }
}

on_each_database! {
    async fn the_same_external_id_is_the_same_comment(app: App) {
        let site = app.site();
        let post = |text: String| {
            let site = site.clone();
            async move {
                let comment = json!({"body": text, "author": {"id": "awa", "name": "Awa"}, "external_id": "wp-1"});
                site.post("/v1/threads/a/comments", comment).await
            }
        };
        // At once, and with other words each, so that nothing but the id makes them meet.
        let answers = at_once((0..6).map(|n| post(format!("{n} fois merci à la rédaction.")))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 200, 201]);
        for answer in &answers {
            assert_eq!(answer.body, answers[0].body);
        }
        assert_eq!(post("Encore.".into()).await.expect(200), answers[0].body);
        assert_eq!(site.get("/v1/threads/a").await.expect(200)["counts"]["published"], 1);
        let elsewhere = json!({"body": "Merci.", "author": {"id": "awa", "name": "Awa"}, "external_id": "wp-1"});
        app.other_site().post("/v1/threads/a/comments", elsewhere).await.expect(201);
    }
}

on_each_database! {
    async fn what_takes_no_reply_says_so_and_changes_nothing(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let parent = site.comment("a", "awa", CALM).await;
        let pending = site.comment("a", "bob", THREAT).await;
        let hidden = site.comment("a", "bob", "Cachez-moi ça.").await;
        moderator.decide(&hidden, "hide").await.expect(201);
        site.comment("closed", "awa", "Avant la fin.").await;
        site.put("/v1/threads/closed", json!({"closed": true})).await.expect(200);
        let reply_to = |parent: &Value| changed(&json!({"parent_id": parent, "body": "Je ne suis pas de cet avis."}));
        let unknown = json!("01890000-0000-7000-8000-000000000000");
        for (thread, parent, status, kind) in [
            ("a", &unknown, 404, "parent-not-found"),
            ("new", &unknown, 404, "parent-not-found"),
            ("new", &parent["id"], 404, "parent-in-another-thread"),
            ("a", &hidden["id"], 409, "parent-gone"),
            ("closed", &json!(null), 409, "thread-closed"),
        ] {
            let path = format!("/v1/threads/{thread}/comments");
            site.post(&path, reply_to(parent)).await.problem(status, kind);
        }
        site.get("/v1/threads/new").await.problem(404, "thread-not-found");
        assert_eq!(site.get("/v1/threads/closed").await.expect(200)["counts"]["published"], 1);

        // The site may have shown a pending comment to its author's friends.
        let reply = site.post("/v1/threads/a/comments", reply_to(&pending["id"])).await.expect(201);
        assert_eq!((&reply["parent_id"], &reply["depth"]), (&pending["id"], &json!(1)));
        let counts = &site.get("/v1/threads/a").await.expect(200)["counts"];
        assert_eq!(*counts, json!({"published": 2, "pending": 1, "hidden": 1, "deleted": 0}));
    }
}

on_each_database! {
    async fn a_chain_of_replies_ends_at_depth_255(app: App) {
        let site = app.site();
        let mut last = site.comment("a", "awa", &remark(0)).await;
        for depth in 1..=255 {
            last = site.reply(&last, if depth % 2 == 0 { "awa" } else { "bob" }, &remark(depth)).await;
            assert_eq!(last["depth"], depth);
        }
        let more = changed(&json!({"parent_id": last["id"]}));
        let fields = site.post("/v1/threads/a/comments", more).await.invalid_fields();
        assert_eq!(fields, ["parent_id"]);
        assert_eq!(site.get("/v1/threads/a").await.expect(200)["counts"]["published"], 256);
    }
}

on_each_database! {
    async fn a_bad_field_is_named_and_nothing_is_changed(app: App) {
        let site = app.site();
        let long = |length: usize| "é".repeat(length);
        let author = |change: Value| {
            let mut author = json!({"id": "awa", "name": "Awa"});
            for (name, value) in change.as_object().unwrap() {
                author[name] = value.clone();
            }
            json!({"author": author})
        };
        for (change, field) in [
            (json!({"body": ""}), "body"),
            (json!({"body": " \n\t\u{a0}"}), "body"),
            (json!({"body": "\u{200b}\u{200d}\u{feff}\u{2060}"}), "body"),
            (json!({"body": long(10_001)}), "body"),
            (json!({"body": "avant\0après"}), "body"),
            (json!({"body": "avant\u{7}après"}), "body"),
            (json!({"body": "avant\u{1b}[31maprès"}), "body"),
            (json!({"body": "avant\u{85}après"}), "body"),
            (json!({"body": "avant\raprès"}), "body"),
            (json!({"body": null}), "body"),
            (json!({"body": 7}), "body"),
            (json!({"body": ["a"]}), "body"),
            (json!({"author": null}), "author"),
            (json!({"author": "Awa"}), "author"),
            (json!({"author": ["awa", "Awa"]}), "author"),
            (json!({"author": {"id": "awa"}}), "author.name"),
            (json!({"author": {"name": "Awa"}}), "author.id"),
            (author(json!({"id": ""})), "author.id"),
            (author(json!({"id": long(128)})), "author.id"),
            (author(json!({"id": "a\nb"})), "author.id"),
            (author(json!({"id": 7})), "author.id"),
            (author(json!({"name": "  "})), "author.name"),
            (author(json!({"name": "A\0"})), "author.name"),
            (author(json!({"email": "awa"})), "author.email"),
            (author(json!({"email": ""})), "author.email"),
            (author(json!({"ip": "192.0.2.300"})), "author.ip"),
            (author(json!({"ip": "192.0.2.1:80"})), "author.ip"),
            (author(json!({"phone": "+223"})), "author.phone"),
            (json!({"parent_id": "first"}), "parent_id"),
            (json!({"parent_id": 7}), "parent_id"),
            (json!({"external_id": ""}), "external_id"),
            (json!({"external_id": long(128)}), "external_id"),
            (json!({"external_id": 7}), "external_id"),
            (json!({"colour": "red"}), "colour"),
            (json!({"thread": {"key": "a"}}), "thread.key"),
            (json!({"thread": ["Titre"]}), "thread"),
            (json!({"thread": {"title": ""}}), "thread.title"),
            (json!({"thread": {"url": "javascript:alert(1)"}}), "thread.url"),
            (json!({"thread": {"lang": "français"}}), "thread.lang"),
        ] {
            let fields = site.post("/v1/threads/a/comments", changed(&change)).await.invalid_fields();
            assert_eq!(fields, [field], "{change}");
        }
        let several = json!({"body": "", "author": {"id": "", "name": "", "email": "x"}});
        assert_eq!(
            site.post("/v1/threads/a/comments", several).await.invalid_fields(),
            ["body", "author.id", "author.name", "author.email"],
            "all of it is said at once"
        );
        site.get("/v1/threads/a").await.problem(404, "thread-not-found");
        assert_eq!(app.moderator("binta").get("/v1/queue/counts").await.expect(200)["waiting"], 0);
    }
}

on_each_database! {
    async fn a_body_that_is_no_request_is_refused_and_nothing_is_changed(app: App) {
        let site = app.site();
        let good = body(CALM).to_string();
        let with = |text: &[u8]| [b"{\"author\": {\"id\": \"a\", \"name\": \"A\"}, \"body\": \"", text, b"\"}"].concat();
        let padded = |size: usize| {
            let mut padded = good.clone().into_bytes();
            padded.resize(size, b' ');
            padded
        };
        let nested = |open: &str, close: &str| {
            format!("{}1{}", open.repeat(5_000), close.repeat(5_000)).into_bytes()
        };
        for (name, content_type, bytes, status, kind) in [
            ("broken UTF-8", "application/json", with(b"\xff\xfe"), 400, "malformed-json"),
            ("UTF-8 surrogates", "application/json", with(b"\xed\xa0\x80"), 400, "malformed-json"),
            ("a lone surrogate", "application/json", with(b"\\ud800"), 400, "malformed-json"),
            ("a raw newline in a string", "application/json", with(b"a\nb"), 400, "malformed-json"),
            ("nothing", "application/json", Vec::new(), 400, "malformed-json"),
            ("half of it", "application/json", good.as_bytes()[..20].to_vec(), 400, "malformed-json"),
            ("something after it", "application/json", format!("{good} x").into_bytes(), 400, "malformed-json"),
            ("two of them", "application/json", good.repeat(2).into_bytes(), 400, "malformed-json"),
            ("a tower of lists", "application/json", nested("[", "]"), 422, "validation"),
            ("a tower of objects", "application/json", nested("{\"thread\":", "}"), 422, "validation"),
            ("a list", "application/json", b"[\"Merci.\", {\"id\": \"a\", \"name\": \"A\"}]".to_vec(), 422, "validation"),
            ("null", "application/json", b"null".to_vec(), 422, "validation"),
            ("a field twice", "application/json", with(b"a\", \"body\": \"b"), 422, "validation"),
            ("too many bytes", "application/json", padded(64 * 1024 + 1), 413, "too-large"),
            ("another type", "text/plain", good.clone().into_bytes(), 415, "unsupported-media-type"),
            ("a form", "application/x-www-form-urlencoded", b"body=Merci".to_vec(), 415, "unsupported-media-type"),
        ] {
            let answer = site.post_bytes("/v1/threads/a/comments", content_type, bytes).await;
            assert_eq!(answer.status, status, "{name}: {:#}", answer.body);
            answer.problem(status, kind);
        }
        let untyped = site.request(Method::POST, "/v1/threads/a/comments").body(good.clone());
        site.send(untyped).await.problem(415, "unsupported-media-type");
        site.get("/v1/threads/a").await.problem(404, "thread-not-found");

        let largest = site.post_bytes("/v1/threads/a/comments", "application/json; charset=utf-8", padded(64 * 1024));
        largest.await.expect(201);
    }
}

on_each_database! {
    async fn a_text_is_stored_as_it_was_written(app: App) {
        let site = app.site();
        for (text, stored) in [
            ("a\r\nb\n\tc\r\n", "a\nb\n\tc\n"),
            ("\u{202e}abc\u{202c} \u{2066}def\u{2069}", "\u{202e}abc\u{202c} \u{2066}def\u{2069}"),
            ("<b>gras</b> & \"cité\" '; DROP TABLE comments; --", "<b>gras</b> & \"cité\" '; DROP TABLE comments; --"),
            ("e\u{301}te\u{301} reste décomposé", "e\u{301}te\u{301} reste décomposé"),
            ("👩🏾‍🌾 I ni ce, ɲɛgɛn ߒߞߏ 𝓜𝓪𝓵𝓲 \u{10ffff}", "👩🏾‍🌾 I ni ce, ɲɛgɛn ߒߞߏ 𝓜𝓪𝓵𝓲 \u{10ffff}"),
            ("  bords  ", "  bords  "),
        ] {
            let posted = site.comment("a", "awa", text).await;
            let read = site.get(&format!("/v1/comments/{}", id(&posted))).await.expect(200);
            assert_eq!(read["body"], stored);
        }
        let longest = "é ".repeat(5_000);
        assert_eq!(site.comment("a", "awa", &longest).await["body"], longest);
    }
}

on_each_database! {
    async fn paths_and_methods_that_are_not_there(app: App) {
        let site = app.site();
        for path in ["/", "/v1", "/v1/comments/", "/v1/threads/a/", "/v2/threads/a", "/v1/threads/a/b"] {
            site.get(path).await.problem(404, "unknown-path");
            app.anonymous().get(path).await.problem(404, "unknown-path");
        }
        for (method, path, allow) in [
            (Method::DELETE, "/v1/threads/a", "PUT, GET"),
            (Method::PUT, "/v1/threads/a/comments", "POST, GET"),
            (Method::POST, "/v1/queue", "GET"),
            (Method::GET, "/v1/score", "POST"),
            (Method::GET, "/v1/decisions/x/undo", "POST"),
            (Method::POST, "/healthz", "GET"),
        ] {
            let answer = site.send(site.request(method.clone(), path)).await;
            assert_eq!(answer.headers["allow"], allow, "{method} {path}");
            answer.problem(405, "method-not-allowed");
        }
        for nothing in ["7", "first", "01890000-0000-7000-8000-00000000000", "%00", "..%2F..%2Fetc"] {
            site.get(&format!("/v1/comments/{nothing}")).await.problem(404, "not-an-id");
        }
        let unknown = "/v1/comments/01890000-0000-7000-8000-000000000000";
        site.get(unknown).await.problem(404, "comment-not-found");
    }
}

on_each_database! {
    async fn a_copy_is_held_and_names_the_oldest(app: App) {
        let site = app.site();
        let first = site.post("/v1/threads/a/comments", body(NEWS)).await.expect(201);
        assert_eq!(first["duplicate_of"], json!(null));
        let shouted = "LE MARCHE DE MEDINE ROUVRE LUNDI MATIN AVEC DE NOUVEAUX HANGARS ET UNE ENTREE POUR LES CAMIONS.";
        for (thread, author, text) in [
            ("a", "awa", NEWS.to_owned()),
            ("a", "awa", NEWS.trim_end_matches('.').to_owned()),
            ("b", "bob", NEWS.to_owned()),
            ("b", "bob", shouted.to_owned()),
            ("c", "cheick", format!("Bonjour à tous. {NEWS}")),
            ("c", "cheick", format!("{NEWS} 🙏🙏")),
            ("a", "awa", NEWS.replace(' ', "  ")),
        ] {
            let path = format!("/v1/threads/{thread}/comments");
            let copy = json!({"body": text, "author": {"id": author, "name": author}});
            let copy = site.post(&path, copy).await.expect(202);
            assert_eq!(codes(&copy), ["duplicate"], "{text}");
            let of = &copy["duplicate_of"];
            assert_eq!(of["id"], first["id"], "{text}");
            assert_eq!(copy["reasons"][0]["score"], of["similarity"]);
            if text == NEWS {
                assert_eq!((&of["kind"], &of["similarity"]), (&json!("exact"), &json!(1.0)));
            }
        }
    }
}

on_each_database! {
    async fn what_is_no_copy_is_not_held(app: App) {
        let site = app.site();
        // Short texts repeat by nature.
        for _ in 0..3 {
            let short = site.post("/v1/threads/a/comments", body("Courage à tous !")).await.expect(201);
            assert_eq!(short["duplicate_of"], json!(null));
        }
        // The same words, on another site.
        site.post("/v1/threads/a/comments", body(NEWS)).await.expect(201);
        let elsewhere = app.other_site().post("/v1/threads/a/comments", body(NEWS)).await.expect(201);
        assert_eq!(elsewhere["duplicate_of"], json!(null));
        // The same subject, in other words.
        let other = "Lundi matin je serai au marché de Médine, qui vient avec moi voir les hangars ?";
        site.post("/v1/threads/a/comments", body(other)).await.expect(201);
    }
}

on_each_database! {
    async fn a_quote_of_the_parent_is_no_copy_of_it(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        site.put("/v1/threads/a", json!({"mode": "pre"})).await.expect(201);
        let parent = site.comment("a", "awa", NEWS).await;
        let answer = " Oui, et le parking, qui va le surveiller la nuit ?";
        let reply = site.reply(&parent, "bob", &format!("🙂 « {NEWS} »{answer}")).await;
        assert_eq!(reply["duplicate_of"], json!(null), "{reply:#}");
        assert_eq!(codes(&reply), ["premoderation"]);
        let queue = moderator.get("/v1/queue?author=bob").await.expect(200);
        let quotes = queue["items"][0]["quotes"].as_array().unwrap();
        assert_eq!(quotes.len(), 1, "{quotes:?}");
        let chars: Vec<char> = reply["body"].as_str().unwrap().chars().collect();
        let at = |edge: &str| usize::try_from(quotes[0][edge].as_u64().unwrap()).unwrap();
        let quoted: String = chars[at("start")..at("end")].iter().collect();
        assert!(quoted.contains(NEWS.trim_end_matches('.')), "{quoted}");
        assert!(!quoted.contains("Oui"), "{quoted}");
    }
}

on_each_database! {
    async fn only_a_humans_approval_lets_later_copies_through(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let post = |thread: &'static str| {
            let site = site.clone();
            async move { site.post(&format!("/v1/threads/{thread}/comments"), body(NEWS)).await }
        };
        let first = post("a").await.expect(201);
        let copy = post("b").await.expect(202);
        let approval = moderator.decide(&copy, "approve").await.expect(201);
        let later = post("c").await.expect(201);
        assert_eq!(codes(&later), Vec::<&str>::new());
        assert_eq!(later["duplicate_of"]["id"], first["id"], "what is known is still said");
        let undo = format!("/v1/decisions/{}/undo", id(&approval["decision"]));
        moderator.post(&undo, json!({})).await.expect(201);
        assert_eq!(codes(&post("d").await.expect(202)), ["duplicate"]);
        moderator.decide(&first, "hide").await.expect(201);
        let last = post("e").await.expect(202);
        assert_eq!(last["duplicate_of"]["id"], first["id"], "a hidden one survives");
    }
}

on_each_database! {
    async fn of_twelve_twins_at_once_one_is_the_first(app: App) {
        let answers = at_once((0..12).map(|n| {
            let site = app.bearer(Role::Site, "site", &[SITE]);
            async move {
                let author = format!("u{n}");
                let twin = json!({"body": NEWS, "author": {"id": author, "name": author}});
                site.post(&format!("/v1/threads/t{}/comments", n % 3), twin).await
            }
        }))
        .await;
        let (first, copies): (Vec<Answer>, Vec<Answer>) =
            answers.into_iter().partition(|answer| answer.body["duplicate_of"].is_null());
        assert_eq!((first.len(), copies.len()), (1, 11));
        assert_eq!(first[0].status, 201);
        for copy in copies {
            assert_eq!(copy.body["duplicate_of"]["id"], first[0].body["id"]);
            copy.expect(202);
        }
    }
}
