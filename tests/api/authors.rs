//! Measures against authors, what moderators know of them, and what they note.

use std::time::{Duration, SystemTime};

use palabre::domain::Role;
use serde_json::{Value, json};

use crate::harness::{
    Answer, App, CALM, Client, NEWS, OTHER_SITE, SITE, THREAT, by, codes, eventually, id, ids,
    on_each_database, path, remark,
};

async fn sanction(moderator: &Client, author: &str, kind: &str) -> Value {
    let path = format!("/v1/authors/{author}/sanctions");
    moderator
        .post(&path, json!({"kind": kind}))
        .await
        .expect(201)
}

async fn lift(moderator: &Client, author: &str, sanction: &Value) -> Answer {
    moderator
        .delete(&format!("/v1/authors/{author}/sanctions/{}", id(sanction)))
        .await
}

/// A moment, as a request says it.
fn rfc3339(moment: SystemTime) -> String {
    let moment = time::OffsetDateTime::from(moment);
    moment
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap()
}

on_each_database! {
    async fn who_is_banned_cannot_post_and_others_can(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let mut known = by("bob", &remark(1));
        known["external_id"] = json!("wp-1");
        let earlier = site.post("/v1/threads/a/comments", known.clone()).await.expect(201);
        let ban = json!({"kind": "ban", "note": "Trois avertissements."});
        let ban = moderator.post("/v1/authors/bob/sanctions", ban).await.expect(201);
        assert_eq!(
            ban,
            json!({
                "id": ban["id"], "kind": "ban", "until": null, "note": "Trois avertissements.", "moderator": "binta",
                "at": ban["at"], "lifted_at": null, "lifted_by": null,
            })
        );
        site.post("/v1/threads/a/comments", by("bob", &remark(2))).await.problem(403, "author-banned");
        site.post("/v1/threads/new/comments", by("bob", &remark(2))).await.problem(403, "author-banned");
        site.get("/v1/threads/new").await.problem(404, "thread-not-found");
        site.patch(&path(&earlier, ""), json!({"body": CALM})).await.problem(403, "author-banned");
        assert_eq!(site.now(&earlier).await, earlier, "what stands there stays");
        assert_eq!(site.post("/v1/threads/a/comments", known).await.expect(200), earlier, "nor is it news");

        for author in ["awa", "Bob", "bob2"] {
            site.post("/v1/threads/a/comments", by(author, &remark(3))).await.expect(201);
        }
        app.other_site().post("/v1/threads/a/comments", by("bob", &remark(3))).await.expect(201);
        // Banned before the first comment.
        sanction(&moderator, "u%2F7%20%C3%A9", "ban").await;
        site.post("/v1/threads/a/comments", by("u/7 é", &remark(4))).await.problem(403, "author-banned");
        site.delete(&path(&earlier, "")).await.expect(204);
    }
}

on_each_database! {
    async fn of_whom_is_premoderated_everything_waits(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let before = site.comment("a", "bob", &remark(1)).await;
        let measure = sanction(&moderator, "bob", "premoderate").await;
        let held = site.post("/v1/threads/a/comments", by("bob", &remark(2))).await.expect(202);
        assert_eq!((&held["status"], codes(&held)), (&json!("pending"), vec!["author_sanction"]));
        assert_eq!(site.now(&before).await["status"], "published");
        assert_eq!(site.edit(&before, &remark(3)).await["status"], "pending", "an edit is judged by it too");
        site.post("/v1/threads/a/comments", by("awa", &remark(2))).await.expect(201);
        let threat = site.comment("a", "bob", THREAT).await;
        assert!(codes(&threat).contains(&"threat") && codes(&threat).contains(&"author_sanction"), "{threat:#}");
        lift(&moderator, "bob", &measure).await.expect(204);
        site.post("/v1/threads/a/comments", by("bob", &remark(4))).await.expect(201);
    }
}

on_each_database! {
    async fn who_is_in_the_shadow_sees_themselves(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        sanction(&moderator, "bob", "shadow").await;
        let shadowed = site.comment("a", "bob", &remark(1)).await;
        assert_eq!((&shadowed["status"], codes(&shadowed)), (&json!("pending"), vec!["author_sanction"]));
        let seen = |viewer: &'static str| {
            let site = site.clone();
            async move { site.get(&format!("/v1/threads/a/comments{viewer}")).await.expect(200) }
        };
        for other in ["", "?viewer=awa"] {
            assert_eq!(seen(other).await["items"], json!([]), "{other}");
        }
        let own = seen("?viewer=bob").await;
        assert_eq!(ids(&own, "/id"), [id(&shadowed)]);
        assert_eq!((&own["items"][0]["body"], &own["items"][0]["status"]), (&json!(remark(1)), &json!("pending")));
        assert!(moderator.card("waiting", &shadowed).await.is_some());
    }
}

on_each_database! {
    async fn who_is_trusted_waits_for_threats_alone(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        app.set_policy(json!({
            "hold": {"toxicity": 0, "insult": 0, "identity_attack": 0, "profanity": 0, "spam": 0},
            "max_links": 0, "hold_first_comment": true, "banned_words": ["zouzou"], "hide_banned_words": true,
            "suspect_words": ["gombo"], "mode": "pre",
        })).await;
        let text = "Quel zouzou, ce gombo ! https://news.example/a";
        site.comment("a", "awa", NEWS).await;
        let held = site.comment("a", "bob", text).await;
        assert_eq!(held["status"], "hidden");
        assert!(codes(&held).len() >= 10, "everything holds here: {held:#}");
        sanction(&moderator, "chef", "trust").await;
        for text in [text, NEWS] {
            let trusted = site.post("/v1/threads/a/comments", by("chef", text)).await.expect(201);
            assert_eq!(trusted["reasons"], json!([]), "{text}");
        }
        let threat = site.post("/v1/threads/a/comments", by("chef", THREAT)).await.expect(202);
        assert_eq!((&threat["status"], codes(&threat)), (&json!("pending"), vec!["threat"]));
        // Whoever gave cause for a measure since is not trusted while it lasts.
        let measure = sanction(&moderator, "chef", "premoderate").await;
        assert_ne!(site.comment("a", "chef", &remark(1)).await["status"], "published");
        lift(&moderator, "chef", &measure).await.expect(204);
        site.post("/v1/threads/a/comments", by("chef", &remark(2))).await.expect(201);
    }
}

on_each_database! {
    async fn a_measure_ends_by_itself(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let until = SystemTime::now() + Duration::from_secs(1);
        let ban = json!({"kind": "ban", "until": rfc3339(until)});
        let ban = moderator.post("/v1/authors/bob/sanctions", ban).await.expect(201);
        eventually("the ban is over", || async {
            let answer = site.post("/v1/threads/a/comments", by("bob", &remark(1))).await;
            if answer.status == 201 {
                return true;
            }
            answer.problem(403, "author-banned");
            false
        })
        .await;
        assert!(SystemTime::now() >= until - Duration::from_millis(1), "not before its time");
        let author = moderator.get("/v1/authors/bob").await.expect(200);
        let mut shown = ban.clone();
        shown["in_force"] = json!(false);
        assert_eq!(author["sanctions"], json!([shown]), "it stays in the history");
        let held = site.comment("a", "bob", THREAT).await;
        assert_eq!(moderator.card("waiting", &held).await.unwrap()["author_history"]["sanctions"], json!([]));
    }
}

on_each_database! {
    async fn a_measure_is_lifted_once_and_by_its_author(app: App) {
        let (site, binta, luc) = (app.site(), app.moderator("binta"), app.moderator("luc"));
        let first = sanction(&binta, "bob", "ban").await;
        let second = sanction(&binta, "bob", "ban").await;
        lift(&luc, "bob", &first).await.expect(204);
        site.post("/v1/threads/a/comments", by("bob", CALM)).await.problem(403, "author-banned");
        lift(&luc, "bob", &second).await.expect(204);
        site.post("/v1/threads/a/comments", by("bob", CALM)).await.expect(201);
        lift(&luc, "bob", &first).await.problem(404, "sanction-not-found");
        let author = binta.get("/v1/authors/bob").await.expect(200);
        let newest = &author["sanctions"][0];
        assert_eq!((&newest["id"], &newest["in_force"]), (&second["id"], &json!(false)));
        assert_eq!((&newest["moderator"], &newest["lifted_by"]), (&json!("binta"), &json!("luc")));
        assert!(newest["lifted_at"].as_str() >= newest["at"].as_str());

        let third = sanction(&binta, "bob", "ban").await;
        lift(&binta, "awa", &third).await.problem(404, "sanction-not-found");
        let unknown = json!({"id": "01890000-0000-7000-8000-000000000000"});
        lift(&binta, "bob", &unknown).await.problem(404, "sanction-not-found");
        binta.delete("/v1/authors/bob/sanctions/x").await.problem(404, "not-an-id");
        site.post("/v1/threads/a/comments", by("bob", CALM)).await.problem(403, "author-banned");
    }
}

on_each_database! {
    async fn moderators_see_an_authors_history(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        moderator.get("/v1/authors/bob").await.problem(404, "author-not-found");
        let mut first = by("bob", &remark(1));
        first["author"] = json!({"id": "bob", "name": "Bob", "email": "bob@mail.example", "ip": "192.0.2.7"});
        site.post("/v1/threads/a/comments", first).await.expect(201);
        let mut comments = Vec::new();
        for number in 2..5 {
            comments.push(site.comment("b", "bob", &remark(number)).await);
        }
        site.comment("b", "bob", THREAT).await;
        moderator.decide(&comments[0], "hide").await.expect(201);
        site.delete(&path(&comments[1], "")).await.expect(204);
        site.comment("b", "awa", CALM).await;
        app.other_site().comment("b", "bob", CALM).await;
        let mut notes = Vec::new();
        for text in ["Prévenu par courriel.", "A promis\nde se calmer."] {
            let note = moderator.post("/v1/authors/bob/notes", json!({"text": text})).await.expect(201);
            assert_eq!((&note["text"], &note["moderator"]), (&json!(text), &json!("binta")));
            notes.insert(0, note);
        }
        let author = app.moderator("luc").get("/v1/authors/bob").await.expect(200);
        assert_eq!(
            author,
            json!({
                "id": "bob", "name": "bob", "email": "bob@mail.example", "ip": "192.0.2.7",
                "seen_at": author["seen_at"],
                "counts": {"published": 2, "pending": 1, "hidden": 1, "deleted": 1},
                "sanctions": [], "notes": notes,
            }),
            "the latest name; what later posts leave out stays; notes from the newest on"
        );
        // Nothing but a measure is known of this one.
        sanction(&moderator, "new", "trust").await;
        let new = moderator.get("/v1/authors/new").await.expect(200);
        assert_eq!((&new["name"], &new["counts"]["published"]), (&json!(null), &json!(0)));
        assert_eq!(new["sanctions"][0]["in_force"], true);
    }
}

on_each_database! {
    async fn cards_tell_of_the_measures_in_force(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        site.comment("a", "bob", CALM).await;
        let hidden = site.comment("a", "bob", &remark(1)).await;
        moderator.decide(&hidden, "hide").await.expect(201);
        let over = sanction(&moderator, "bob", "shadow").await;
        lift(&moderator, "bob", &over).await.expect(204);
        let trust = sanction(&moderator, "bob", "trust").await;
        let premoderate = sanction(&moderator, "bob", "premoderate").await;
        sanction(&moderator, "awa", "ban").await;
        sanction(&app.bearer(Role::Moderator, "luc", &[OTHER_SITE]), "bob", "ban").await;
        let held = site.comment("a", "bob", &remark(2)).await;
        let card = moderator.card("waiting", &held).await.unwrap();
        assert_eq!(
            card["author_history"],
            json!({"published": 1, "hidden": 1, "sanctions": [premoderate, trust]})
        );
    }
}

on_each_database! {
    async fn a_bad_measure_is_named_and_a_foreign_site_not_found(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        site.comment("a", "bob", CALM).await;
        let past = rfc3339(SystemTime::now() - Duration::from_secs(1));
        for (body, field) in [
            (json!({}), "kind"),
            (json!({"kind": "mute"}), "kind"),
            (json!({"kind": "ban", "until": past}), "until"),
            (json!({"kind": "ban", "until": "tomorrow"}), "until"),
            (json!({"kind": "ban", "until": "2100-01-01T00:00:00"}), "until"),
            (json!({"kind": "ban", "note": ""}), "note"),
            (json!({"kind": "ban", "note": "n".repeat(2_001)}), "note"),
            (json!({"kind": "ban", "moderator": "luc"}), "moderator"),
        ] {
            let fields = moderator.post("/v1/authors/bob/sanctions", body.clone()).await.invalid_fields();
            assert_eq!(fields, [field], "{body}");
        }
        for (body, field) in [(json!({}), "text"), (json!({"text": " "}), "text"), (json!({"text": "a", "at": 1}), "at")] {
            let fields = moderator.post("/v1/authors/bob/notes", body.clone()).await.invalid_fields();
            assert_eq!(fields, [field], "{body}");
        }
        let unchanged = moderator.get("/v1/authors/bob").await.expect(200);
        assert_eq!((&unchanged["sanctions"], &unchanged["notes"]), (&json!([]), &json!([])));

        let foreign = app.bearer(Role::Moderator, "luc", &[OTHER_SITE]);
        foreign.get("/v1/authors/bob").await.problem(404, "author-not-found");
        let here = format!("?site={SITE}");
        foreign.get(&format!("/v1/authors/bob{here}")).await.problem(404, "site-not-found");
        let ban = || json!({"kind": "ban"});
        let sanctions = "/v1/authors/bob/sanctions";
        foreign.post(&format!("{sanctions}{here}"), ban()).await.problem(404, "site-not-found");
        let note = json!({"text": "Bonjour."});
        foreign.post(&format!("/v1/authors/bob/notes{here}"), note).await.problem(404, "site-not-found");
        let measure = sanction(&moderator, "bob", "trust").await;
        lift(&foreign, "bob", &measure).await.problem(404, "sanction-not-found");
        let both = app.bearer(Role::Moderator, "binta", &[SITE, OTHER_SITE]);
        assert_eq!(both.post(sanctions, ban()).await.invalid_fields(), ["site"]);
        assert_eq!(both.get("/v1/authors/bob").await.invalid_fields(), ["site"]);
        both.post(&format!("{sanctions}{here}"), ban()).await.expect(201);
        site.post("/v1/threads/a/comments", by("bob", CALM)).await.problem(403, "author-banned");
    }
}
