//! How often somebody may ask: each author, each token, each address without a good token.

use palabre::{
    domain::Role,
    http::{RateLimit, Settings},
};
use serde_json::json;

use crate::harness::{
    Answer, App, Client, OTHER_SITE, SITE, by, eventually, on_each_database, remark,
};

const COMMENTS: &str = "/v1/threads/a/comments";

/// A server beside the one of the test, with a limit as it is by default, or so many requests a second.
async fn limited(app: &App, per_second: Option<&str>) -> App {
    let rate_limit: RateLimit = per_second.unwrap_or_default().parse().unwrap();
    app.beside(Settings {
        rate_limit,
        ..Settings::default()
    })
    .await
}

/// How long an answer asks to wait, in seconds.
#[track_caller]
fn told_to_wait(answer: Answer) -> u64 {
    let wait = answer.headers["retry-after"].to_str().unwrap().parse();
    answer.problem(429, "too-many-requests");
    wait.unwrap()
}

/// Posts as one author until it is refused: how many went through, and the refusal.
async fn post_until_refused(site: &Client, author: &str) -> (usize, Answer) {
    for number in 0..200 {
        let answer = site.post(COMMENTS, by(author, &remark(number))).await;
        if answer.status == 429 {
            return (number, answer);
        }
        answer.expect(201);
    }
    panic!("an author may post as often as they like");
}

on_each_database! {
    async fn an_author_posts_ten_at_once_and_others_of_the_site_go_on(app: App) {
        let app = limited(&app, None).await;
        let site = app.site();
        let (went_through, refused) = post_until_refused(&site, "bob").await;
        assert!(went_through >= 10, "{went_through}");
        let wait = told_to_wait(refused);
        assert!((1..=6).contains(&wait), "one more in six seconds: {wait}");
        for author in ["awa", "Bob"] {
            site.post(COMMENTS, by(author, &remark(1))).await.expect(201);
        }
        // It is the author who waits, whatever the token, and on that site alone.
        let other_token = app.bearer(Role::Site, "second", &[SITE]);
        let (_, refused) = post_until_refused(&other_token, "bob").await;
        told_to_wait(refused);
        app.other_site().post(COMMENTS, by("bob", &remark(1))).await.expect(201);
        // Everything else the site does goes on.
        site.get("/v1/threads/a").await.expect(200);
        site.post("/v1/score", json!({"text": remark(1)})).await.expect(200);

        let published = |counts: &serde_json::Value| counts["counts"]["published"].as_u64().unwrap();
        let before = published(&site.get("/v1/threads/a").await.expect(200));
        eventually("the author may post again", || async {
            site.post(COMMENTS, by("bob", &remark(300))).await.status == 201
        })
        .await;
        let after = published(&site.get("/v1/threads/a").await.expect(200));
        assert_eq!(after, before + 1, "what was refused was not stored");
    }
}

on_each_database! {
    async fn a_refusal_for_haste_is_not_remembered(app: App) {
        let app = limited(&app, None).await;
        let site = app.site();
        let (_, refused) = post_until_refused(&site, "bob").await;
        told_to_wait(refused);
        let comment = by("bob", &remark(500));
        let mut refused = site.post_keyed("k", COMMENTS, comment.clone()).await;
        // It may be that six seconds went by.
        for n in 0..10 {
            if refused.status == 429 {
                break;
            }
            refused = site.post_keyed(&format!("k{n}"), COMMENTS, comment.clone()).await;
        }
        told_to_wait(refused);
        eventually("the same request under the same key goes through", || async {
            let answer = site.post_keyed("later", COMMENTS, comment.clone()).await;
            assert!(!answer.headers.contains_key("idempotent-replayed"), "{:#}", answer.body);
            answer.status == 201
        })
        .await;
        // A first answer is given again however often it is asked for.
        for _ in 0..15 {
            let again = site.post_keyed("later", COMMENTS, comment.clone()).await;
            assert_eq!(again.headers["idempotent-replayed"], "true");
            again.expect(201);
        }
    }
}

on_each_database! {
    async fn a_token_asks_so_often_a_second(app: App) {
        let app = limited(&app, Some("1")).await;
        let (site, moderator) = (app.site(), app.moderator("binta"));
        eventually("the token is refused", || async {
            let answer = site.get("/v1/threads").await;
            if answer.status == 429 {
                assert_eq!(told_to_wait(answer), 1);
                return true;
            }
            answer.expect(200);
            false
        })
        .await;
        // Each token by itself, even those of the same bearer.
        moderator.get("/v1/queue").await.expect(200);
        app.bearer(Role::Site, "site", &[SITE]).get("/v1/threads").await.expect(200);
        app.bearer(Role::Site, "site", &[OTHER_SITE]).get("/v1/threads").await.expect(200);
        for _ in 0..5 {
            for open in ["/healthz", "/readyz", "/metrics"] {
                site.get(open).await.expect(200);
            }
        }
        eventually("the token may ask again", || async { site.get("/v1/threads").await.status == 200 }).await;
    }
}

on_each_database! {
    async fn whoever_guesses_tokens_is_slowed_down(app: App) {
        let app = limited(&app, Some("1")).await;
        let good = app.site();
        eventually("the address is refused", || async {
            let answer = app.with_token("not-a-token").get("/v1/threads").await;
            if answer.status == 429 {
                told_to_wait(answer);
                return true;
            }
            answer.problem(401, "unauthorized");
            false
        })
        .await;
        good.get("/v1/threads").await.expect(200);
    }
}

on_each_database! {
    async fn limits_can_be_off(app: App) {
        let app = limited(&app, Some("off")).await;
        let site = app.site();
        for number in 0..30 {
            site.post(COMMENTS, by("bob", &remark(number))).await.expect(201);
        }
        for _ in 0..30 {
            app.anonymous().get("/v1/threads").await.problem(401, "unauthorized");
        }
    }
}
