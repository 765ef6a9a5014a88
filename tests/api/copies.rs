//! What later copies of a text become, by what moderators said of the first; and what is no copy, whoever repeats it.

use serde_json::{Value, json};

use crate::harness::{App, CALM, Client, NEWS, codes, id, on_each_database};

/// Posts a text as somebody new.
async fn post(site: &Client, number: usize, text: &str) -> Value {
    site.comment(&format!("t{}", number % 3), &format!("u{number}"), text)
        .await
}

fn near(text: &str) -> String {
    text.replace("lundi", "mardi")
}

on_each_database! {
    async fn what_everybody_says_is_no_copy(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        for phrase in [
            "Merci",
            "Bon courage à tous, et merci encore !",
            "Merci beaucoup pour cet article 👏",
            "Félicitations à toute l’équipe",
            "Paix à son âme, courage à la famille",
            "Qu’Allah lui fasse miséricorde",
            "Qu’Allah lui fasse miséricorde et l’accueille dans son paradis. Amine.",
            "RIP, toutes mes condoléances à la famille",
            "Inna lillahi wa inna ilayhi raji'un",
        ] {
            for number in 0..3 {
                let one = post(&site, number, phrase).await;
                assert_eq!((&one["duplicate_of"], codes(&one)), (&json!(null), vec![]), "{phrase}");
            }
        }
        // Hidden once, for whatever reason, it does not hold the others.
        let one = post(&site, 7, "Qu’Allah lui fasse miséricorde").await;
        moderator.decide(&one, "hide").await.expect(201);
        assert_eq!(post(&site, 8, "Qu’Allah lui fasse miséricorde").await["status"], "published");
        // With anything else in it, it is a text like any.
        let spam = "Paix à son âme, gagnez de l’argent sur https://gain.example";
        post(&site, 9, spam).await;
        assert!(codes(&post(&site, 10, spam).await).contains(&"duplicate"));
    }
}

on_each_database! {
    async fn copies_of_what_a_moderator_hid_are_held_and_say_so(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let first = post(&site, 0, NEWS).await;
        assert_eq!(first["status"], "published");
        let decided = moderator.decide(&first, "hide").await.expect(201);
        for (number, text) in [(1, NEWS.to_owned()), (2, near(NEWS)), (3, NEWS.to_uppercase())] {
            let copy = post(&site, number, &text).await;
            assert_eq!((&copy["status"], codes(&copy)), (&json!("pending"), vec!["duplicate"]), "{text}");
            assert!(copy["reasons"][0]["detail"].as_str().unwrap().contains("a moderator hid"), "{copy:#}");
            assert_eq!(copy["duplicate_of"]["id"], first["id"]);
            assert_eq!(moderator.queues_of(&copy).await, ["waiting"]);
        }
        // What its author then deleted is still known, though there is no comment to name any more.
        let other = post(&site, 4, CALM).await;
        moderator.decide(&other, "hide").await.expect(201);
        site.delete(&crate::harness::path(&other, "")).await.expect(204);
        let again = post(&site, 5, CALM).await;
        assert_eq!((&again["status"], codes(&again)), (&json!("pending"), vec!["duplicate"]));
        // Taken back, it says nothing any more.
        moderator.post(&format!("/v1/decisions/{}/undo", id(&decided["decision"])), json!({})).await.expect(201);
        let later = post(&site, 6, NEWS).await;
        assert!(!later["reasons"][0]["detail"].as_str().unwrap().contains("a moderator hid"), "{later:#}");
    }
}

on_each_database! {
    async fn copies_of_what_a_moderator_approved_are_not_held_again(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        app.set_policy(json!({"hide_hidden_copies": true})).await;
        let first = post(&site, 0, NEWS).await;
        moderator.decide(&first, "hide").await.expect(201);
        let copy = post(&site, 1, NEWS).await;
        assert_eq!(copy["status"], "hidden");
        moderator.decide(&copy, "approve").await.expect(201);
        for text in [NEWS.to_owned(), near(NEWS)] {
            let later = post(&site, 2, &text).await;
            assert_eq!((&later["status"], codes(&later)), (&json!("published"), vec![]), "{text}");
        }
    }
}

on_each_database! {
    async fn a_policy_may_hide_copies_of_what_a_moderator_hid_at_once(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        app.set_policy(json!({"hide_hidden_copies": true, "hold_duplicates": false})).await;
        let first = post(&site, 0, NEWS).await;
        assert_eq!(post(&site, 1, NEWS).await["status"], "published", "nobody hid anything yet");
        moderator.decide(&first, "hide").await.expect(201);
        let hidden = post(&site, 2, NEWS).await;
        assert_eq!((&hidden["status"], codes(&hidden)), (&json!("hidden"), vec!["duplicate"]));
        assert_eq!(moderator.queues_of(&hidden).await, [""; 0]);
        // By a machine, that is: such a copy is no reason to hide others once the human's word is taken back.
        let now = site.now(&first).await;
        moderator.decide(&now, "approve").await.expect(201);
        assert_eq!(post(&site, 3, NEWS).await["status"], "published");
        // An edit into such a text is a copy as well.
        moderator.decide(&site.now(&first).await, "hide").await.expect(201);
        let calm = post(&site, 4, CALM).await;
        assert_eq!(site.edit(&calm, NEWS).await["status"], "hidden");
    }
}

on_each_database! {
    async fn another_sites_moderators_do_not_judge_here(app: App) {
        let there = app.other_site().comment("a", "bob", NEWS).await;
        app.admin().decide(&there, "hide").await.expect(201);
        app.set_policy(json!({"hide_hidden_copies": true})).await;
        assert_eq!(post(&app.site(), 0, NEWS).await["status"], "published");
    }
}
