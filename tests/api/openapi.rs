//! The API's document and its page.

use std::collections::{BTreeMap, BTreeSet};

use palabre::http::{Settings, routes};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    contract::{DOCUMENT, conforms, object, resolve},
    harness::{App, CALM, SITE, THREAT, on_each_database, open_doors, path},
};

/// Method, path and operation, for all of the document.
fn operations() -> impl Iterator<Item = (String, &'static str, &'static Value)> {
    object(&DOCUMENT, "paths").iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap().iter();
        item.map(move |(method, operation)| (method.to_uppercase(), path.as_str(), operation))
    })
}

#[test]
fn the_document_has_every_route_and_no_other() {
    let listed: BTreeSet<(String, &str)> = operations()
        .map(|(method, path, _)| (method, path))
        .collect();
    let is_about_the_api = |path: &str| path == "/openapi.json" || path.starts_with("/docs");
    let is_the_page = |path: &str| path == "/moderation" || path.starts_with("/moderation/{asset");
    let routes: BTreeSet<(String, &str)> = routes::table()
        .iter()
        .filter(|endpoint| !is_about_the_api(endpoint.path) && !is_the_page(endpoint.path))
        .map(|endpoint| (endpoint.method.to_string(), endpoint.path))
        .collect();
    assert_eq!(listed, routes);
    assert!(routes.len() > 30);
}

#[test]
fn every_operation_says_who_may_and_what_it_answers() {
    let mut ids = BTreeMap::new();
    let tags: Vec<&Value> = DOCUMENT["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    for endpoint in routes::table() {
        let method = endpoint.method.as_str().to_lowercase();
        let operation = &DOCUMENT["paths"][endpoint.path][&method];
        if operation.is_null() {
            continue;
        }
        let what = format!("{method} {}", endpoint.path);
        let id = operation["operationId"].as_str().unwrap();
        if let Some(other) = ids.insert(id, what.clone()) {
            panic!("{what} and {other} are both {id}");
        }
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{what}");
        let of = operation["tags"].as_array().unwrap();
        assert!(of.len() == 1 && tags.contains(&&of[0]), "{what}: {of:?}");
        let statuses = object(operation, "responses");
        match endpoint.needs {
            Some(_) => {
                assert_eq!(operation["security"], json!([{"bearer": []}]), "{what}");
                for status in ["401", "403", "429", "503"] {
                    assert!(statuses.contains_key(status), "{what}: {status}");
                }
            }
            None => assert!(operation["security"].is_null(), "{what}"),
        }
        assert!(
            statuses.keys().any(|status| status.starts_with('2')),
            "{what}"
        );
        for (status, response) in statuses {
            let response = resolve(response);
            assert!(!response["description"].as_str().unwrap().is_empty());
            let types: Vec<&String> = object(response, "content").keys().collect();
            if status.starts_with(['4', '5']) {
                assert_eq!(types, ["application/problem+json"], "{what}: {status}");
            }
        }
        // The parts of the path are all described, and nothing else is.
        let parameters: Vec<&Value> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(resolve)
            .collect();
        let in_path: BTreeSet<&str> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let parts = endpoint.path.split('/');
        let in_template: BTreeSet<&str> = parts
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        assert_eq!(in_path, in_template, "{what}");
        // A query parameter is left out, never null.
        for parameter in parameters {
            assert!(
                parameter["schema"]["type"].is_string(),
                "{what}: {parameter}"
            );
        }
        if let Some(body) = operation.get("requestBody") {
            let schema = resolve(&body["content"]["application/json"]["schema"]);
            assert_eq!(schema["additionalProperties"], false, "{what}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_everything_is_referred_to() {
    fn walk(value: &'static Value, seen: &mut BTreeSet<&'static str>) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref") {
                    resolve(value);
                    seen.insert(reference.as_str().unwrap());
                }
                fields.values().for_each(|field| walk(field, seen));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, seen)),
            _ => {}
        }
    }
    let mut seen = BTreeSet::new();
    walk(&DOCUMENT, &mut seen);
    for kind in ["schemas", "responses", "parameters", "headers"] {
        for name in object(&DOCUMENT["components"], kind).keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(seen.contains(reference.as_str()), "{reference} is not used");
        }
    }
}

#[test]
fn the_document_says_what_it_is() {
    assert_eq!(DOCUMENT["openapi"], "3.1.0");
    assert_eq!(DOCUMENT["info"]["title"], "Palabre");
    assert_eq!(DOCUMENT["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        DOCUMENT["info"]["license"]["identifier"],
        "MIT OR Apache-2.0"
    );
    assert_eq!(DOCUMENT["servers"], json!([{"url": "/"}]));
}

#[test]
fn what_does_not_fit_is_seen() {
    let schema = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let score = json!({"code": "threat", "score": 0.5, "detail": ""});
    assert_eq!(conforms(&schema("Reason"), &score), Ok(()));
    for (name, bad) in [
        (
            "Reason",
            json!({"code": "threat", "score": 1.5, "detail": ""}),
        ),
        (
            "Reason",
            json!({"code": "anger", "score": 0.5, "detail": ""}),
        ),
        ("Reason", json!({"code": "threat", "detail": ""})),
        (
            "Reason",
            json!({"code": "threat", "score": 0.5, "detail": "", "more": 1}),
        ),
        ("CommentId", json!("7")),
        ("Timestamp", json!("2026-11-22T09:30:00Z")),
        ("Lang", json!("")),
        ("Scores", json!({"toxicity": 0.5})),
    ] {
        assert!(conforms(&schema(name), &bad).is_err(), "{name} {bad}");
    }
}

on_each_database! {
    /// That the answers fit is checked by the harness, of these as of all others.
    async fn what_is_answered_is_what_the_document_says(app: App) {
        let (site, binta, admin) = (app.site(), app.moderator("binta"), app.admin());
        let threat = site.comment("a", "bob", THREAT).await;
        let calm = site.comment("a", "awa", CALM).await;
        let copy = json!({
            "body": CALM, "author": {"id": "moussa", "name": "Moussa", "email": "m@mail.example", "ip": "2001:db8::1"},
            "parent_id": threat["id"], "external_id": "7", "thread": {"title": "A", "url": "https://a.example/", "lang": "fr"},
        });
        site.post("/v1/threads/a/comments", copy.clone()).await.expect(202);
        site.post("/v1/threads/a/comments", copy).await.expect(200);
        let report = json!({"reporter": {"id": "r"}, "reason": "spam", "note": "again"});
        site.post(&path(&calm, "/reports"), report.clone()).await.expect(201);
        site.post(&path(&calm, "/reports"), report).await.expect(200);
        for view in ["view=tree&max_depth=0", "view=flat", "viewer=bob", "limit=1"] {
            let list = format!("/v1/threads/a/comments?{view}");
            site.get(&list).await.expect(200);
            binta.get(&format!("{list}&status=all")).await.expect(200);
        }
        site.get("/v1/threads/a/comments?status=all").await.expect(403);
        site.put("/v1/threads/b", json!({"title": "B", "mode": "pre"})).await.expect(201);
        site.put("/v1/threads/b", json!({"title": null})).await.expect(200);
        for list in [
            "/v1/threads", "/v1/threads/a", "/v1/threads/a/count", "/v1/comments", "/v1/queue", "/v1/queue?queue=reported",
            "/v1/queue?collapse=cluster&limit=1", "/v1/queue/counts", "/healthz", "/readyz", "/metrics",
        ] {
            binta.get(list).await.expect(200);
        }
        site.post("/v1/counts", json!({"keys": ["a", "nowhere"]})).await.expect(200);
        site.post("/v1/score", json!({"text": THREAT, "explain": true})).await.expect(200);
        site.post("/v1/score", json!({"text": CALM})).await.expect(200);

        let request = json!({
            "action": "hide", "version": 1, "reason": "threat", "note": "!", "labels": {"threat": true, "spam": false},
        });
        let decided = binta.post(&path(&threat, "/decisions"), request.clone()).await.expect(201);
        binta.post(&path(&threat, "/decisions"), request).await.problem(409, "stale-version");
        site.post(&path(&threat, "/appeals"), json!({"text": "why?"})).await.expect(201);
        binta.get("/v1/queue?queue=appeals").await.expect(200);
        let undo = format!("/v1/decisions/{}/undo", decided["decision"]["id"].as_str().unwrap());
        binta.post(&undo, json!({})).await.expect(201);
        binta.get("/v1/decisions").await.expect(200);
        site.edit(&calm, "Merci bien.").await;
        binta.get(&path(&calm, "/revisions")).await.expect(200);

        let ban = json!({"kind": "ban", "until": "2100-01-01T00:00:00Z", "note": "enough"});
        let ban = binta.post("/v1/authors/bob/sanctions", ban).await.expect(201);
        binta.post("/v1/authors/bob/notes", json!({"text": "known"})).await.expect(201);
        binta.get("/v1/authors/bob").await.expect(200);
        site.post("/v1/threads/a/comments", crate::harness::by("bob", CALM)).await.problem(403, "author-banned");
        binta.delete(&format!("/v1/authors/bob/sanctions/{}", crate::harness::id(&ban))).await.expect(204);
        site.delete(&path(&calm, "")).await.expect(204);
        site.get(&path(&calm, "")).await.problem(410, "comment-deleted");
        site.get("/v1/threads/a/comments").await.expect(200);

        admin.post("/v1/sites", json!({"slug": "dakar", "name": "Dakar"})).await.expect(201);
        admin.post("/v1/sites", json!({"slug": "dakar"})).await.problem(409, "site-exists");
        admin.get("/v1/sites").await.expect(200);
        let policy = format!("/v1/sites/{SITE}/policy");
        admin.put(&policy, json!({"hold": {"spam": 0.5}, "banned_words": ["sot*"], "retention_days": 30})).await.expect(200);
        admin.get(&policy).await.expect(200);
        let renamed = admin.request(Method::PATCH, "/v1/sites/dakar").json(&json!({"name": null}));
        admin.send(renamed).await.expect(200);
    }
}

on_each_database! {
    async fn a_key_used_again_is_answered_as_the_document_says(app: App) {
        let site = app.site();
        for (body, status) in [(crate::harness::by("awa", CALM), 201), (json!({"body": ""}), 422)] {
            let key = format!("key-{status}");
            let first = site.post_keyed(&key, "/v1/threads/a/comments", body.clone()).await;
            let again = site.post_keyed(&key, "/v1/threads/a/comments", body).await;
            assert_eq!((first.status.as_u16(), again.status.as_u16()), (status, status));
            assert_eq!(again.headers["idempotent-replayed"], "true");
        }
    }
}

on_each_database! {
    async fn the_document_and_its_page_are_served_below_any_path(app: App) {
        let below = Settings { base_path: "/a/comments".parse().unwrap(), ..open_doors() };
        for (server, root) in [(app.clone(), "/"), (app.beside(below).await, "/a/comments")] {
            let anyone = server.anonymous();
            let document = anyone.get("/openapi.json").await;
            assert_eq!(document.headers["content-type"], "application/json");
            let document = document.expect(200);
            assert_eq!(document["servers"], json!([{"url": root}]));
            assert_eq!(document["paths"], DOCUMENT["paths"]);

            // The page's addresses are relative to it, and all of them are there.
            let page = anyone.get("/docs").await;
            assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
            let policy = page.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
            let page = page.expect(200);
            let page = page.as_str().unwrap();
            let addresses: Vec<&str> = ["href=\"", "src=\""]
                .into_iter()
                .flat_map(|name| page.split(name).skip(1))
                .map(|rest| rest.split('"').next().unwrap())
                .collect();
            assert!(addresses.len() >= 5, "{addresses:?}");
            for address in addresses {
                assert!(address.starts_with("docs/"), "{address}");
                let asset = anyone.get(&format!("/{address}")).await;
                let kind = asset.headers["content-type"].to_str().unwrap().to_owned();
                let fits = match address.rsplit_once('.').unwrap().1 {
                    "js" => kind == "text/javascript",
                    "css" => kind == "text/css",
                    "png" => kind == "image/png",
                    _ => false,
                };
                assert!(fits, "{address} is {kind}");
                asset.expect(200);
            }
            assert!(!page.contains("//"), "the page asks nobody else");
            let start = anyone.get("/docs/swagger-initializer.js").await.expect(200);
            let start = start.as_str().unwrap();
            assert!(start.contains(r#""url": "openapi.json""#), "{start}");
            assert!(start.contains(r#""validatorUrl": "none""#), "{start}");

            // A slash too many leads back to the page; what is not its own is not there.
            assert_eq!(anyone.get("/docs/").await.expect(200), page);
            for other in ["/docs/index.html", "/docs/nothing.js", "/docs/../Cargo.toml"] {
                assert_eq!(anyone.get(other).await.status, 404, "{other}");
            }
        }
    }
}
