//! Words searched for in the queue: by an index, which nobody's words are syntax to.

use serde_json::{Value, json};

use crate::harness::{App, Client, id, ids, on_each_database};

/// What somebody types, as the query of an address has it.
fn escaped(words: &str) -> String {
    use std::fmt::Write as _;
    words.bytes().fold(String::new(), |mut text, byte| {
        write!(text, "%{byte:02X}").unwrap();
        text
    })
}

async fn found(moderator: &Client, words: &str) -> Vec<String> {
    let path = format!("/v1/queue?sort=oldest&q={}", escaped(words));
    ids(&moderator.get(&path).await.expect(200), "/comment/id")
}

/// One held comment for each text.
async fn held(app: &App, texts: &[&str]) -> Vec<Value> {
    let site = app.site();
    site.put("/v1/threads/pre", json!({"mode": "pre"}))
        .await
        .expect(201);
    let mut held = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        held.push(site.comment("pre", &format!("u{number}"), text).await);
    }
    held
}

on_each_database! {
    async fn words_are_found_where_they_begin_whatever_their_case_and_accents(app: App) {
        let held = held(&app, &[
            "L’ÉLECTRICITÉ est revenue, rapport_final.pdf à l’appui.",
            "Voir https://news.example/marche/medine?page=2 ; écrire à awa@mail.example !",
            "Kɛnɛ wa ? I ni ce, ɲɛgɛn. Коммент на русском, مرحبا بكم.",
            "Le 5e3f2 et le 12e3abc, à 100 % 🔪🔪",
            "(Près de NEAR) OR \"NOT\" * c'est-à-dire AND: col:mot",
        ]).await;
        let moderator = app.moderator("binta");
        for (words, expected) in [
            ("electricite", &[0][..]),
            ("Électr REVENUE", &[0]),
            ("tricite", &[]),
            ("final", &[0]),
            ("rapport_final.pdf", &[0]),
            ("rapport.final", &[]),
            ("pdf", &[0]),
            ("medine", &[1]),
            ("https://news.example/marche", &[1]),
            ("awa@mail", &[1]),
            ("mail.example", &[1]),
            ("kene", &[2]),
            ("КОММЕНТ", &[2]),
            ("مرحبا", &[2]),
            ("5e3f2", &[3]),
            ("5e3", &[3]),
            ("12e3a", &[3]),
            ("🔪", &[3]),
            ("100 %", &[3]),
            ("%", &[3]),
            ("pres de", &[4]),
            ("est", &[0, 4]),
            ("est revenue", &[0]),
        ] {
            let expected: Vec<&str> = expected.iter().map(|at: &usize| id(&held[*at])).collect();
            assert_eq!(found(&moderator, words).await, expected, "{words}");
        }
    }
}

on_each_database! {
    async fn nobodys_words_are_syntax(app: App) {
        let held = held(&app, &["(Près de NEAR) OR \"NOT\" * c'est AND: col:mot^2 -non", "Autre chose."]).await;
        let moderator = app.moderator("binta");
        for words in [
            "\"NOT\"", "*", "(", ")", "\"", "'", "NEAR", "(Près", "NEAR)", "OR", "or", "AND:", "col:mot", "^", "-non", "mot^2", "c'est", ":", "\" *",
        ] {
            assert_eq!(found(&moderator, words).await, [id(&held[0])], "{words}");
        }
        for words in [
            "NEAR(pres chose)", "pres OR autre", "autre NOT pres", "\"autre chose\"", "chose*", "folded:autre", "autre & chose", "autre:*", "'autre'",
            "{autre}", "autre)", "'' OR 1=1 --", "\\", "autre\u{2019}", "🙂", "'autre':* | 'pres':*", "!autre", "<->",
        ] {
            assert_eq!(found(&moderator, words).await, [""; 0], "{words}");
        }
        assert_eq!(moderator.get("/v1/queue?q=%CC%81").await.invalid_fields(), ["q"], "nothing but an accent");
        // Nothing asked for is nothing left out.
        for query in ["", "&q=", "&q=%20"] {
            let answer = moderator.get(&format!("/v1/queue?sort=oldest{query}")).await;
            if answer.status == 200 {
                assert_eq!(answer.body["items"].as_array().unwrap().len(), 2, "{query}");
            } else {
                assert_eq!(answer.invalid_fields(), ["q"], "{query}");
            }
        }
    }
}

on_each_database! {
    async fn the_index_is_in_step_with_what_waits(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let one = held(&app, &["Une pirogue sur le fleuve."]).await.remove(0);
        let here = [id(&one)];
        assert_eq!(found(&moderator, "pirogue").await, here);
        let edited = site.edit(&one, "Un camion sur la route.").await;
        assert_eq!(found(&moderator, "pirogue").await, [""; 0]);
        assert_eq!(found(&moderator, "camion").await, here);
        // Moved, it is found where it is; decided, nowhere; taken back, again.
        moderator.decide(&edited, "escalate").await.expect(201);
        assert_eq!(found(&moderator, "camion").await, [""; 0]);
        let escalated = moderator.get("/v1/queue?queue=escalated&q=camion").await.expect(200);
        assert_eq!(ids(&escalated, "/comment/id"), here);
        let decided = app.moderator("luc").decide(&edited, "approve").await.expect(201);
        for queue in ["waiting", "escalated"] {
            let none = moderator.get(&format!("/v1/queue?queue={queue}&q=camion")).await.expect(200);
            assert_eq!(none["items"], json!([]));
        }
        moderator.post(&format!("/v1/decisions/{}/undo", id(&decided["decision"])), json!({})).await.expect(201);
        let escalated = moderator.get("/v1/queue?queue=escalated&q=camion").await.expect(200);
        assert_eq!(ids(&escalated, "/comment/id"), here);
        site.delete(&crate::harness::path(&one, "")).await.expect(204);
        let none = moderator.get("/v1/queue?queue=escalated&q=camion").await.expect(200);
        assert_eq!(none["items"], json!([]));
        // Claims search the same way.
        let other = site.comment("pre", "bob", "Encore une pirogue.").await;
        let claimed = moderator.post("/v1/queue/claims", json!({"limit": 5, "filter": {"q": "pirog"}})).await.expect(200);
        assert_eq!(ids(&claimed, "/comment/id"), [id(&other)]);
        if app.database_url.starts_with("sqlite:") {
            // It fails where the index says anything else than the queue.
            app.sql("INSERT INTO queue_words (queue_words, rank) VALUES ('integrity-check', 1)").await;
        }
    }
}

on_each_database! {
    async fn a_word_longer_than_any_index_takes_is_stored_all_the_same(app: App) {
        let long = "é".repeat(9_000);
        let held = held(&app, &[&format!("Voici {long} fin")]).await;
        let moderator = app.moderator("binta");
        assert_eq!(found(&moderator, "voici fin").await, [id(&held[0])]);
    }
}
