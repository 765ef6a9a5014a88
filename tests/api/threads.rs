//! Threads: set up by the site, shown with counts.

use serde_json::json;

use crate::harness::{App, CALM, THREAT, on_each_database};

on_each_database! {
    async fn a_thread_is_made_once_and_then_changed(app: App) {
        let site = app.site();
        let made = site.put("/v1/threads/a", json!({"title": "Délestages", "lang": "fr"})).await.expect(201);
        assert_eq!(made["mode"], "post");
        assert_eq!(made["counts"], json!({"published": 0, "pending": 0, "hidden": 0, "deleted": 0}));
        let changed = site.put("/v1/threads/a", json!({"closed": true, "lang": null})).await.expect(200);
        assert_eq!(changed["title"], "Délestages", "an absent field stays");
        assert_eq!(changed["lang"], json!(null), "null clears");
        assert_eq!(changed["closed"], true);
        assert_eq!(site.get("/v1/threads/a").await.expect(200), changed);
    }
}

on_each_database! {
    async fn a_key_may_be_any_text(app: App) {
        let site = app.site();
        let path = "/v1/threads/https%3A%2F%2Fnews.example%2Fd%C3%A9lestage%3Fpage%3D1%2525%20%2B";
        let made = site.put(path, json!({})).await.expect(201);
        assert_eq!(made["key"], "https://news.example/délestage?page=1%25 +");
        assert_eq!(site.get(path).await.expect(200)["key"], made["key"]);
    }
}

on_each_database! {
    async fn a_bad_key_or_field_is_named(app: App) {
        let site = app.site();
        let long = "k".repeat(256);
        for bad in ["%00", "a%0Ab", "%FF", "%20", long.as_str()] {
            let fields = site.put(&format!("/v1/threads/{bad}"), json!({})).await.invalid_fields();
            assert_eq!(fields, ["key"], "{bad}");
        }
        let fields = site
            .put("/v1/threads/a", json!({"title": "", "url": "javascript:alert(1)", "lang": "français"}))
            .await
            .invalid_fields();
        assert_eq!(fields, ["title", "url", "lang"]);
        for (body, field) in [
            (json!({"mode": "later"}), "mode"),
            (json!({"closed": "yes"}), "closed"),
            (json!({"colour": "red"}), "colour"),
        ] {
            assert_eq!(site.put("/v1/threads/a", body).await.invalid_fields(), [field]);
        }
        site.get("/v1/threads/a").await.problem(404, "thread-not-found");
    }
}

on_each_database! {
    async fn counts_are_computed(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        site.comment("a", "awa", CALM).await;
        let threat = site.comment("a", "bob", THREAT).await;
        let counts = |body: serde_json::Value| body["counts"].clone();
        assert_eq!(
            counts(site.get("/v1/threads/a").await.expect(200)),
            json!({"published": 1, "pending": 1, "hidden": 0, "deleted": 0})
        );
        moderator.decide(&threat, "hide").await.expect(201);
        assert_eq!(
            counts(site.get("/v1/threads/a").await.expect(200)),
            json!({"published": 1, "pending": 0, "hidden": 1, "deleted": 0})
        );
    }
}

on_each_database! {
    async fn the_same_key_of_two_sites_is_two_threads(app: App) {
        app.site().put("/v1/threads/a", json!({"title": "Ici"})).await.expect(201);
        app.other_site().get("/v1/threads/a").await.problem(404, "thread-not-found");
        app.other_site().put("/v1/threads/a", json!({"title": "Là"})).await.expect(201);
        assert_eq!(app.site().get("/v1/threads/a").await.expect(200)["title"], "Ici");
    }
}
