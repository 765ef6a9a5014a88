//! What the service counts and measures of itself, as Prometheus reads it.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use crate::harness::{App, CALM, Client, THREAT, by, on_each_database, path};

async fn scraped(client: &Client) -> String {
    let answer = client.get("/metrics").await;
    let format = answer.headers["content-type"].to_str().unwrap().to_owned();
    assert!(format.starts_with("text/plain; version=0.0.4"), "{format}");
    match answer.expect(200) {
        serde_json::Value::String(text) => text,
        other => panic!("{other}"),
    }
}

/// The value of a series, written as Prometheus writes it.
#[track_caller]
fn value(text: &str, series: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("no {series} in\n{text}"));
    line.parse().unwrap()
}

on_each_database! {
    async fn every_metric_that_is_documented_is_there(app: App) {
        app.site().comment("a", "awa", CALM).await;
        let documented = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");
        let documented = std::fs::read_to_string(documented).unwrap();
        let (_, rest) = documented.split_once("\n### Metrics\n").unwrap();
        let (table, _) = rest.split_once("\n### ").unwrap();
        let names: BTreeSet<&str> = table
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .flat_map(|row| row.split(" | ").next().unwrap().split(", "))
            .map(|name| name.trim_matches('`').split(['{', '`']).next().unwrap())
            .collect();
        assert!(names.len() >= 17, "{names:?}");
        let text = scraped(&app.anonymous()).await;
        let exported: BTreeSet<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        for name in &names {
            assert!(exported.contains(name), "{name} is documented, but not there");
        }
        for name in exported.iter().filter(|name| name.starts_with("palabre_")) {
            assert!(names.contains(name), "{name} is there, but not documented");
        }
    }
}

on_each_database! {
    async fn what_happens_is_counted(app: App) {
        let (site, anonymous) = (app.site(), app.anonymous());
        let before = scraped(&anonymous).await;
        for status in ["published", "pending", "hidden"] {
            assert_eq!(value(&before, &format!("palabre_comments_total{{status=\"{status}\"}}")), 0.0);
        }
        assert_eq!(value(&before, "palabre_queue_items{queue=\"waiting\"}"), 0.0);

        let reported = site.comment("a", "awa", CALM).await;
        site.comment("a", "bob", THREAT).await;
        site.comment("a", "bob", &format!("Encore : {THREAT}")).await;
        app.set_policy(json!({"banned_words": ["zouzou"], "hide_banned_words": true})).await;
        site.comment("a", "bob", "Quel zouzou.").await;
        let report = json!({"reporter": {"id": "bob"}, "reason": "spam"});
        site.post(&path(&reported, "/reports"), report).await.expect(201);
        site.post("/v1/threads/a/comments", by("awa", "")).await.problem(422, "validation");

        let text = scraped(&anonymous).await;
        for (series, count) in [
            ("palabre_comments_total{status=\"published\"}", 1.0),
            ("palabre_comments_total{status=\"pending\"}", 2.0),
            ("palabre_comments_total{status=\"hidden\"}", 1.0),
            ("palabre_queue_items{queue=\"waiting\"}", 2.0),
            ("palabre_queue_items{queue=\"reported\"}", 1.0),
            ("palabre_queue_items{queue=\"escalated\"}", 0.0),
            ("palabre_intake_waiting", 0.0),
            ("palabre_intake_batch_size_sum", 4.0),
            ("palabre_scoring_duration_seconds_count", 4.0),
            ("palabre_http_requests_total{method=\"POST\",route=\"/v1/threads/{key}/comments\",status=\"201\"}", 1.0),
            ("palabre_http_requests_total{method=\"POST\",route=\"/v1/threads/{key}/comments\",status=\"202\"}", 3.0),
            ("palabre_http_requests_total{method=\"POST\",route=\"/v1/threads/{key}/comments\",status=\"422\"}", 1.0),
            ("palabre_http_request_duration_seconds_count{method=\"POST\",route=\"/v1/threads/{key}/comments\"}", 5.0),
            ("palabre_http_requests_total{method=\"POST\",route=\"/v1/comments/{id}/reports\",status=\"201\"}", 1.0),
        ] {
            assert_eq!(value(&text, series), count, "{series}");
        }
        let model = app.moderation.model().version().to_owned();
        assert_eq!(value(&text, &format!("palabre_model_info{{version=\"{model}\"}}")), 1.0);
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(value(&text, &format!("palabre_build_info{{version=\"{version}\"}}")), 1.0);
        assert!(value(&text, "palabre_queue_oldest_seconds{queue=\"waiting\"}") >= 0.0);
        assert!(value(&text, "process_resident_memory_bytes") > 1e6);
    }
}

on_each_database! {
    async fn no_more_series_than_routes_whatever_is_asked(app: App) {
        let (site, anonymous) = (app.site(), app.anonymous());
        let secret = site.comment("cle-secrete", "auteur-secret", "Un texte secret.").await;
        site.get("/v1/threads/cle-secrete/comments?viewer=auteur-secret").await.expect(200);
        app.moderator("binta").get("/v1/authors/auteur-secret").await.expect(200);
        site.now(&secret).await;
        for n in 0..5 {
            site.get(&format!("/nothing/secret-{n}")).await.problem(404, "unknown-path");
            let method = Method::from_bytes(format!("SECRET{n}").as_bytes()).unwrap();
            anonymous.send(anonymous.request(method, "/healthz")).await;
        }
        let text = scraped(&anonymous).await;
        assert!(!text.to_lowercase().contains("secret"), "{text}");
        assert!(!text.contains(crate::harness::id(&secret)));
        let requests = "palabre_http_requests_total";
        assert_eq!(value(&text, &format!("{requests}{{method=\"GET\",route=\"unknown\",status=\"404\"}}")), 5.0);
        assert_eq!(value(&text, &format!("{requests}{{method=\"other\",route=\"/healthz\",status=\"405\"}}")), 5.0);
        assert_eq!(value(&text, &format!("{requests}{{method=\"GET\",route=\"/v1/authors/{{author}}\",status=\"200\"}}")), 1.0);
    }
}
