//! Authors' appeals against what was done to their comments, and the answers that moderators owe them.

use serde_json::{Value, json};

use crate::harness::{Answer, App, CALM, Client, NEWS, THREAT, id, on_each_database, path, remark};

async fn appeal(site: &Client, comment: &Value) -> Answer {
    let appeal = json!({"text": "Je n’ai insulté personne.\nRelisez."});
    site.post(&path(comment, "/appeals"), appeal).await
}

/// Decides with reasons.
async fn answer(moderator: &Client, comment: &Value, action: &str, note: &str) -> Answer {
    let decision = json!({"action": action, "version": comment["version"], "note": note});
    moderator.post(&path(comment, "/decisions"), decision).await
}

async fn undo(moderator: &Client, decided: &Value) -> Value {
    let undo = format!("/v1/decisions/{}/undo", id(&decided["decision"]));
    moderator.post(&undo, json!({})).await.expect(201)
}

/// A comment that `moderator` hid and its author appealed about, as it then is.
async fn appealed(site: &Client, moderator: &Client, text: &str) -> Value {
    let comment = site.comment("a", "bob", text).await;
    moderator.decide(&comment, "hide").await.expect(201);
    appeal(site, &comment).await.expect(201);
    site.now(&comment).await
}

on_each_database! {
    async fn the_author_of_a_hidden_comment_asks_for_another_look(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        let comment = site.comment("a", "bob", &remark(1)).await;
        binta.decide(&comment, "hide").await.expect(201);
        let asked = appeal(&site, &comment).await.expect(201);
        assert_eq!(
            asked,
            json!({
                "id": asked["id"], "comment_id": comment["id"], "text": "Je n’ai insulté personne.\nRelisez.",
                "version": 2, "at": asked["at"], "answer": null,
            })
        );
        assert_eq!(site.now(&comment).await["status"], "hidden");
        assert_eq!(binta.queues_of(&comment).await, ["appeals"]);
        let card = binta.card("appeals", &comment).await.unwrap();
        assert_eq!(card["appeals"], json!([asked]));
        assert_eq!(card["comment"]["decision"]["action"], "hide");
        assert_eq!(binta.get("/v1/queue/counts").await.expect(200)["appeals"], 1);
        appeal(&site, &comment).await.problem(409, "appealed-already");

        // Hidden all the same: the answer is final for this version.
        let now = site.now(&comment).await;
        answer(&binta, &now, "hide", "C’est une insulte.").await.expect(201);
        assert_eq!(binta.queues_of(&comment).await, [""; 0]);
        appeal(&site, &comment).await.problem(409, "appealed-already");

        let other = site.comment("a", "bob", &remark(2)).await;
        binta.decide(&other, "hide").await.expect(201);
        appeal(&site, &other).await.expect(201);
        let now = site.now(&other).await;
        let decided = answer(&binta, &now, "approve", "Rien à redire.").await.expect(201);
        assert_eq!(decided["comment"]["status"], "published");
        assert_eq!(binta.queues_of(&other).await, [""; 0]);
        // Hidden anew, it may be appealed anew.
        binta.decide(&decided["comment"], "hide").await.expect(201);
        appeal(&site, &other).await.expect(201);
        assert_eq!(binta.card("appeals", &other).await.unwrap()["appeals"].as_array().unwrap().len(), 2);
    }
}

on_each_database! {
    async fn what_waits_already_is_appealed_where_it_waits(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        let comment = site.comment("a", "bob", THREAT).await;
        let asked = appeal(&site, &comment).await.expect(201);
        assert_eq!(binta.queues_of(&comment).await, ["waiting"]);
        assert_eq!(binta.card("waiting", &comment).await.unwrap()["appeals"], json!([asked]));
        // Whoever has the card before them hears that it is another.
        let told = app.texts("SELECT kind FROM events ORDER BY seq DESC LIMIT 1").await;
        assert_eq!(told, ["comment.changed"]);
        appeal(&site, &comment).await.problem(409, "appealed-already");
        let published = site.comment("a", "awa", CALM).await;
        appeal(&site, &published).await.problem(409, "nothing-to-appeal");

        // An edit of what is appealed against is what is then looked at.
        let hidden = site.comment("a", "bob", &remark(1)).await;
        binta.decide(&hidden, "hide").await.expect(201);
        appeal(&site, &hidden).await.expect(201);
        site.edit(&hidden, &remark(2)).await;
        assert_eq!(binta.queues_of(&hidden).await, ["waiting"]);
        assert_eq!(binta.card("waiting", &hidden).await.unwrap()["appeals"].as_array().unwrap().len(), 1);
    }
}

on_each_database! {
    async fn what_a_policy_hid_can_be_appealed(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        app.set_policy(json!({"banned_words": ["zouzou"], "hide_banned_words": true})).await;
        let hidden = site.comment("a", "bob", "Quel zouzou celui-là.").await;
        assert_eq!(hidden["status"], "hidden");
        assert_eq!(binta.queues_of(&hidden).await, [""; 0]);
        appeal(&site, &hidden).await.expect(201);
        assert_eq!(binta.queues_of(&hidden).await, ["appeals"]);
        let decided = answer(&binta, &hidden, "approve", "Le mot n’est pas une injure ici.").await.expect(201);
        assert_eq!(decided["comment"]["status"], "published");
    }
}

on_each_database! {
    async fn an_answer_says_why_and_the_site_is_told(app: App) {
        let (site, awa, binta) = (app.site(), app.moderator("awa"), app.moderator("binta"));
        for (number, action, outcome) in [(1, "hide", "upheld"), (2, "approve", "overturned")] {
            let comment = appealed(&site, &awa, &remark(number)).await;
            let asked = &comment["appeal"];
            assert_eq!(*asked, json!({"at": asked["at"], "text": "Je n’ai insulté personne.\nRelisez.", "answer": null}));
            assert_eq!(comment["changed_at"], asked["at"], "that it was appealed is a change to keep in step with");
            assert_eq!(binta.decide(&comment, action).await.invalid_fields(), ["note"], "{action}");
            assert_eq!(site.now(&comment).await, comment, "nothing changed");
            assert_eq!(binta.queues_of(&comment).await, ["appeals"]);

            let decided = answer(&binta, &comment, action, "Relu à deux.").await.expect(201);
            let at = decided["decision"]["at"].clone();
            let told = json!({"outcome": outcome, "note": "Relu à deux.", "at": at});
            assert_eq!(decided["comment"]["appeal"]["answer"], told);
            let since = format!("/v1/comments?since={}", at.as_str().unwrap());
            let changes = site.get(&since).await.expect(200);
            let change = changes["items"].as_array().unwrap().iter().find(|one| one["id"] == comment["id"]).unwrap();
            assert_eq!(*change, decided["comment"]);
            assert_eq!(change["appeal"]["answer"], told);
            assert_eq!(site.now(&comment).await["appeal"]["answer"], told);
            // Readers see nothing of it, whatever they ask for.
            for view in ["flat", "tree"] {
                let seen = site.get(&format!("/v1/threads/a/comments?view={view}&viewer=bob")).await.expect(200);
                assert!(!seen.to_string().contains("appeal") && !seen.to_string().contains("Relu"), "{seen:#}");
            }
            // It is answered once: what is decided later needs no reasons.
            let later = binta.decide(&decided["comment"], if action == "hide" { "approve" } else { "hide" }).await.expect(201);
            assert_eq!(later["comment"]["appeal"]["answer"], told);
        }
    }
}

on_each_database! {
    async fn an_undo_takes_the_answer_back(app: App) {
        let (site, awa, binta) = (app.site(), app.moderator("awa"), app.moderator("binta"));
        for (number, action) in [(1, "hide"), (2, "approve")] {
            let comment = appealed(&site, &awa, &remark(number)).await;
            let decided = answer(&binta, &comment, action, "Relu.").await.expect(201);
            let given = decided["comment"]["appeal"].clone();
            assert!(given["answer"].is_object());
            let undone = undo(&binta, &decided).await;
            assert_eq!(undone["comment"]["appeal"], comment["appeal"], "{action}: nothing is answered");
            assert_eq!(site.now(&comment).await["appeal"], comment["appeal"]);
            assert_eq!(binta.queues_of(&comment).await, ["appeals"]);
            assert_eq!(binta.card("appeals", &comment).await.unwrap()["appeals"][0]["answer"], json!(null));
            assert_eq!(binta.decide(&undone["comment"], action).await.invalid_fields(), ["note"]);
            // And an undo of that gives it again.
            let again = undo(&binta, &undone).await;
            assert_eq!(again["comment"]["appeal"], given, "{action}");
            assert_eq!(site.now(&comment).await["appeal"], given);
            assert_eq!(binta.queues_of(&comment).await, [""; 0]);
        }
    }
}

on_each_database! {
    async fn an_appeal_of_what_waits_is_answered_too(app: App) {
        let (site, binta) = (app.site(), app.moderator("binta"));
        let comment = site.comment("a", "bob", THREAT).await;
        appeal(&site, &comment).await.expect(201);
        let escalated = binta.decide(&comment, "escalate").await.expect(201);
        assert_eq!(escalated["comment"]["appeal"]["answer"], json!(null), "to ask another is no answer");
        let luc = app.moderator("luc");
        assert_eq!(luc.decide(&comment, "hide").await.invalid_fields(), ["note"]);
        let decided = answer(&luc, &comment, "hide", "Une menace.").await.expect(201);
        assert_eq!(decided["comment"]["appeal"]["answer"]["outcome"], "upheld");

        // An undo of what was appealed against gives what was asked for: nothing is owed any more.
        let hidden = site.comment("a", "bob", &remark(1)).await;
        let first = binta.decide(&hidden, "hide").await.expect(201);
        appeal(&site, &hidden).await.expect(201);
        let back = undo(&binta, &first).await;
        assert_eq!((&back["comment"]["status"], &back["comment"]["appeal"]["answer"]), (&json!("published"), &json!(null)));
        binta.decide(&back["comment"], "approve").await.expect(201);
    }
}

on_each_database! {
    async fn whoever_hid_it_is_warned(app: App) {
        let (site, awa, binta) = (app.site(), app.moderator("awa"), app.moderator("binta"));
        let comment = appealed(&site, &awa, &remark(1)).await;
        assert_eq!(awa.card("appeals", &comment).await.unwrap()["warnings"], json!(["own_decision"]));
        assert_eq!(binta.card("appeals", &comment).await.unwrap()["warnings"], json!([]));
        let decided = answer(&awa, &comment, "approve", "Je me suis trompée.").await.expect(201);
        assert_eq!(decided["warnings"], json!(["own_decision"]), "there may be nobody else");
        let other = appealed(&site, &awa, &remark(2)).await;
        let decided = answer(&binta, &other, "approve", "Rien à redire.").await.expect(201);
        assert!(decided.get("warnings").is_none());
    }
}

on_each_database! {
    async fn of_many_decided_together_those_owed_an_answer_are_left_out_without_one(app: App) {
        let (site, awa, binta) = (app.site(), app.moderator("awa"), app.moderator("binta"));
        let held = site.comment("a", "awa", NEWS).await;
        let copies = [site.comment("b", "u1", NEWS).await, site.comment("b", "u2", NEWS).await];
        appeal(&site, &copies[0]).await.expect(201);
        let all = |note: Value| json!({"action": "hide", "version": 1, "scope": "duplicates", "note": note});
        let decided = binta.post(&path(&held, "/decisions"), all(Value::Null)).await.expect(201);
        assert_eq!(decided["group"], json!({"decided": 2, "left_out": 1, "complete": true}));
        assert_eq!(site.now(&copies[0]).await["status"], "pending");
        undo(&binta, &decided).await;
        let held = site.now(&held).await;
        let mut with_note = all(json!("Publié trois fois."));
        with_note["version"] = held["version"].clone();
        let decided = binta.post(&path(&held, "/decisions"), with_note).await.expect(201);
        assert_eq!(decided["group"]["decided"], 3);
        assert_eq!(site.now(&copies[0]).await["appeal"]["answer"]["note"], "Publié trois fois.");
        undo(&binta, &decided).await;
        assert_eq!(site.now(&copies[0]).await["appeal"]["answer"], json!(null));

        let other = appealed(&site, &awa, &remark(2)).await;
        let entry = |note: Value| json!({"comment_id": other["id"], "action": "approve", "version": other["version"], "note": note});
        let batch = json!({"decisions": [entry(Value::Null), entry(json!("Rien à redire."))]});
        let results = binta.post("/v1/decisions:batch", batch).await.expect(200)["results"].clone();
        assert_eq!((&results[0]["status"], &results[1]["status"]), (&json!(422), &json!(201)));
        assert_eq!(results[0]["problem"]["errors"][0]["field"], "note");
        assert_eq!(results[1]["comment"]["appeal"]["answer"]["outcome"], "overturned");
        let bad = json!({"decisions": [entry(json!(" "))]});
        assert_eq!(binta.post("/v1/decisions:batch", bad).await.invalid_fields(), ["decisions[0].note"]);
    }
}
