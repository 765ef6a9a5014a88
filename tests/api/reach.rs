//! How a server is reached: below a path, from pages of other origins, through proxies, and what every answer carries.

use std::sync::atomic::{AtomicUsize, Ordering};

use palabre::http::Settings;
use reqwest::{Method, header::HeaderMap};
use serde_json::json;

use crate::harness::{
    Answer, App, CALM, Client, by, eventually, on_each_database, open_doors, path, remark,
};

const PAGE: &str = "https://www.le-soir.example";

/// Sends a request with one more header.
async fn with(
    client: &Client,
    method: Method,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Answer {
    let request = headers
        .iter()
        .fold(client.request(method, path), |request, (name, value)| {
            request.header(*name, *value)
        });
    client.send(request).await
}

/// The words of a header that is a list, in lower case.
fn words(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lists = headers.get_all(name).into_iter();
    lists
        .flat_map(|list| list.to_str().unwrap().split(','))
        .map(|word| word.trim().to_ascii_lowercase())
        .collect()
}

on_each_database! {
    async fn everything_is_below_the_base_path(app: App) {
        let below = app.beside(Settings { base_path: "/comments/".parse().unwrap(), ..open_doors() }).await;
        assert!(below.address.ends_with("/comments"));
        let site = below.site();
        for open in ["/healthz", "/readyz", "/metrics"] {
            site.get(open).await.expect(200);
        }
        let comment = site.post("/v1/threads/a/comments", by("awa", CALM)).await.expect(201);
        assert_eq!(site.now(&comment).await, comment);
        assert_eq!(app.site().now(&comment).await, comment, "which is no part of what is stored");
        site.get("/v1/nothing").await.problem(404, "unknown-path");
        let answer = site.delete("/v1/queue").await;
        assert_eq!(answer.headers["allow"], "GET");
        answer.problem(405, "method-not-allowed");

        for outside in ["/healthz", "/metrics", "/v1/threads/a", "/", "/commentsv1/threads/a", "/comments/comments/healthz"] {
            site.get(&format!("/..{outside}")).await.problem(404, "unknown-path");
        }
    }
}

on_each_database! {
    async fn pages_of_the_named_origins_may_read_every_answer(app: App) {
        let origins = format!("{PAGE},http://localhost:3000").parse().unwrap();
        let app = app.beside(Settings { cors_origins: origins, ..open_doors() }).await;
        let site = app.site();
        site.post("/v1/threads/a/comments", by("awa", CALM)).await.expect(201);
        for origin in [PAGE, "http://localhost:3000"] {
            for (client, path, status) in [
                (&site, "/v1/threads/a/comments", 200),
                (&app.anonymous(), "/v1/threads/a/comments", 401),
                (&site, "/v1/queue", 403),
                (&site, "/v1/threads/b", 404),
                (&site, "/v1/threads/a?site=A", 422),
                (&site, "/nothing", 404),
            ] {
                let answer = with(client, Method::GET, path, &[("origin", origin)]).await;
                assert_eq!(answer.status, status, "{path}");
                let allowed = answer.headers.get("access-control-allow-origin");
                assert_eq!(allowed.expect("pages may read it"), origin, "{path}: {status}");
                let exposed = words(&answer.headers, "access-control-expose-headers");
                for header in ["x-request-id", "retry-after", "idempotent-replayed"] {
                    assert!(exposed.contains(&header.to_owned()), "{path}: {exposed:?}");
                }
                assert!(words(&answer.headers, "vary").contains(&"origin".to_owned()), "{path}");
                assert!(!answer.headers.contains_key("access-control-allow-credentials"), "no cookies");
            }
        }
        for origin in ["https://evil.example", "https://le-soir.example", "http://www.le-soir.example", "null"] {
            let answer = with(&site, Method::GET, "/v1/threads/a/comments", &[("origin", origin)]).await;
            assert!(!answer.headers.contains_key("access-control-allow-origin"), "{origin}");
        }
        // What is no page is not asked where it comes from.
        site.get("/v1/threads/a/comments").await.expect(200);
    }
}

on_each_database! {
    async fn browsers_ask_before_they_send(app: App) {
        let origins = PAGE.parse().unwrap();
        let open = app.beside(Settings { cors_origins: origins, ..open_doors() }).await;
        let anonymous = open.anonymous();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let asked = [
                ("origin", PAGE),
                ("access-control-request-method", method),
                ("access-control-request-headers", "authorization, content-type, idempotency-key"),
            ];
            let answer = with(&anonymous, Method::OPTIONS, "/v1/threads/a/comments", &asked).await;
            assert!(answer.status.is_success(), "{method}: {} {:#}", answer.status, answer.body);
            assert_eq!(answer.headers["access-control-allow-origin"], PAGE);
            assert!(words(&answer.headers, "access-control-allow-methods").contains(&method.to_ascii_lowercase()));
            let headers = words(&answer.headers, "access-control-allow-headers");
            for header in ["authorization", "content-type", "idempotency-key"] {
                assert!(headers.contains(&header.to_owned()), "{headers:?}");
            }
            assert!(answer.headers.contains_key("access-control-max-age"));
        }
        for (origin, method, header) in [
            ("https://evil.example", "GET", "authorization"),
            (PAGE, "TRACE", "authorization"),
            (PAGE, "GET", "x-evil"),
        ] {
            let asked = [
                ("origin", origin),
                ("access-control-request-method", method),
                ("access-control-request-headers", header),
            ];
            let answer = with(&anonymous, Method::OPTIONS, "/v1/threads/a/comments", &asked).await;
            assert!(answer.status.is_client_error(), "{origin} {method} {header}: {}", answer.status);
            assert_eq!(answer.headers["content-type"], "application/problem+json");
        }
        // A server without origins knows nothing of all this.
        let asked = [("origin", PAGE), ("access-control-request-method", "GET")];
        let answer = with(&app.anonymous(), Method::OPTIONS, "/v1/threads/a/comments", &asked).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
        answer.problem(405, "method-not-allowed");
        let answer = with(&app.anonymous(), Method::GET, "/healthz", &[("origin", PAGE)]).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
}

on_each_database! {
    async fn every_kind_of_answer_is_safe_in_a_browser_and_has_an_id(app: App) {
        let (site, moderator, anonymous) = (app.site(), app.moderator("binta"), app.anonymous());
        let comment = site.comment("a", "awa", CALM).await;
        let limited = app.beside(Settings { rate_limit: "1".parse().unwrap(), ..Settings::default() }).await;
        let limited = limited.site();
        let mut answers = vec![
            (200, site.get("/v1/threads/a").await),
            (200, anonymous.get("/healthz").await),
            (200, anonymous.get("/metrics").await),
            (201, site.post("/v1/threads/a/comments", by("awa", &remark(1))).await),
            (400, site.post_bytes("/v1/score", "application/json", b"{".to_vec()).await),
            (401, anonymous.get("/v1/threads/a").await),
            (403, moderator.delete(&path(&comment, "")).await),
            (404, site.get("/v1/threads/b").await),
            (404, anonymous.get("/nothing").await),
            (405, anonymous.delete("/healthz").await),
            (409, moderator.decide(&json!({"id": comment["id"], "version": 9}), "hide").await),
            (413, site.post_bytes("/v1/score", "application/json", vec![b' '; 64 * 1024 + 1]).await),
            (415, site.post_bytes("/v1/score", "text/plain", b"{}".to_vec()).await),
            (422, site.post("/v1/score", json!({})).await),
            (204, site.delete(&path(&comment, "")).await),
            (410, site.get(&path(&comment, "")).await),
        ];
        for _ in 0..100 {
            let answer = limited.get("/v1/threads").await;
            if answer.status == 429 {
                answers.push((429, answer));
                break;
            }
        }
        assert_eq!(answers.last().unwrap().0, 429);
        let mut ids = Vec::new();
        for (status, answer) in &answers {
            assert_eq!(answer.status, *status, "{:#}", answer.body);
            for (header, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
                ("cache-control", "no-store"),
            ] {
                let found = answer.headers.get(header);
                assert_eq!(found.unwrap_or_else(|| panic!("{status} lacks {header}")), value, "{status}");
            }
            if *status >= 400 {
                assert_eq!(answer.headers["content-type"], "application/problem+json", "{status}");
            }
            ids.push(answer.headers["x-request-id"].to_str().unwrap());
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), answers.len(), "each has its own id");
        for path in ["/healthz", "/v1/threads/a", "/nothing"] {
            let answer = with(&anonymous, Method::GET, path, &[("x-request-id", "trace-42")]).await;
            assert_eq!(answer.headers["x-request-id"], "trace-42", "{path}");
            if answer.status != 200 {
                assert_eq!(answer.body["request_id"], "trace-42", "{path}");
            }
        }
    }
}

/// Asks with a bad token, as one that is forwarded for these addresses, until that is refused for haste.
async fn guess_until_refused(app: &App, forwarded: fn(usize) -> String) {
    let guesser = app.with_token("not-a-token");
    let guessed = AtomicUsize::new(0);
    eventually("the address is refused", || async {
        let forwarded = forwarded(guessed.fetch_add(1, Ordering::Relaxed));
        let answer = with(
            &guesser,
            Method::GET,
            "/v1/threads",
            &[("x-forwarded-for", &forwarded)],
        )
        .await;
        answer.status == 429
    })
    .await;
}

async fn guess_once(app: &App, forwarded: &str) -> u16 {
    let guesser = app.with_token("not-a-token");
    let answer = with(
        &guesser,
        Method::GET,
        "/v1/threads",
        &[("x-forwarded-for", forwarded)],
    )
    .await;
    answer.status.as_u16()
}

on_each_database! {
    async fn a_trusted_proxy_says_whom_it_asks_for(app: App) {
        let proxies = "127.0.0.0/8, 10.0.0.7".parse().unwrap();
        let limited = Settings { trusted_proxies: proxies, rate_limit: "1".parse().unwrap(), ..Settings::default() };
        let app = app.beside(limited).await;
        guess_until_refused(&app, |_| "192.0.2.1".into()).await;
        assert_eq!(guess_once(&app, "192.0.2.2").await, 401, "another address is another guesser");
        assert_eq!(guess_once(&app, "2001:db8::1").await, 401);
        // Through a second proxy of ours, and with made-up addresses before it.
        guess_until_refused(&app, |guess| format!("203.0.113.{}, 192.0.2.3, 10.0.0.7", guess % 250)).await;
        assert_eq!(guess_once(&app, "192.0.2.4, 10.0.0.7").await, 401);
    }
}

on_each_database! {
    async fn nobody_else_is_believed_about_addresses(app: App) {
        let limited = Settings { rate_limit: "1".parse().unwrap(), ..Settings::default() };
        let app = app.beside(limited).await;
        guess_until_refused(&app, |guess| format!("192.0.2.{}", guess % 250)).await;
    }
}
