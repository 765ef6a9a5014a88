//! Who may: every route against every role, and every way a token can be wrong.

use std::time::{SystemTime, UNIX_EPOCH};

use palabre::{
    domain::{Permission, Role},
    http::routes,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{App, CALM, OTHER_SITE, SITE, THREAT, id, on_each_database};

/// What each route needs, as the contract has it: the routes' own table must agree.
const WHO_MAY: &[(&str, &str, &[Role])] = &[
    ("GET", "/healthz", &Role::ALL),
    ("GET", "/readyz", &Role::ALL),
    ("GET", "/metrics", &Role::ALL),
    ("GET", "/openapi.json", &Role::ALL),
    ("GET", "/docs", &Role::ALL),
    ("GET", "/docs/{asset:.*}", &Role::ALL),
    ("GET", "/moderation", &Role::ALL),
    ("GET", "/moderation/{asset:.*}", &Role::ALL),
    // These are for whoever is signed in: see `sessions`.
    ("POST", "/moderation/session", &[]),
    ("GET", "/moderation/session", &[]),
    ("DELETE", "/moderation/session", &[]),
    ("GET", "/moderation/sessions", &[]),
    ("DELETE", "/moderation/sessions/{id}", &[]),
    ("POST", "/moderation/password", &[]),
    ("GET", "/v1/threads", &Role::ALL),
    ("PUT", "/v1/threads/{key}", &[Role::Site]),
    ("GET", "/v1/threads/{key}", &Role::ALL),
    ("POST", "/v1/threads/{key}/comments", &[Role::Site]),
    ("GET", "/v1/threads/{key}/comments", &Role::ALL),
    ("GET", "/v1/threads/{key}/count", &Role::ALL),
    ("POST", "/v1/counts", &Role::ALL),
    ("GET", "/v1/comments", &Role::ALL),
    ("GET", "/v1/comments/{id}", &Role::ALL),
    ("PATCH", "/v1/comments/{id}", &[Role::Site]),
    ("DELETE", "/v1/comments/{id}", &[Role::Site]),
    ("POST", "/v1/comments/{id}/reports", &[Role::Site]),
    ("POST", "/v1/comments/{id}/appeals", &[Role::Site]),
    ("POST", "/v1/score", &Role::ALL),
    ("GET", "/v1/queue", MODERATORS),
    ("GET", "/v1/queue/counts", MODERATORS),
    ("POST", "/v1/queue/claims", MODERATORS),
    ("DELETE", "/v1/queue/claims", MODERATORS),
    ("DELETE", "/v1/queue/claims/{id}", MODERATORS),
    ("PUT", "/v1/queue/presence", MODERATORS),
    ("POST", "/v1/decisions:batch", MODERATORS),
    ("GET", "/v1/clusters/{id}", MODERATORS),
    ("GET", "/v1/stats", MODERATORS),
    ("GET", "/v1/recall", MODERATORS),
    ("GET", "/v1/agreement", MODERATORS),
    ("GET", "/v1/disagreements", MODERATORS),
    ("GET", "/v1/events", MODERATORS),
    ("GET", "/v1/moderators", &[Role::Admin]),
    ("POST", "/v1/moderators", &[Role::Admin]),
    ("PATCH", "/v1/moderators/{name}", &[Role::Admin]),
    ("POST", "/v1/moderators/{name}/links", &[Role::Admin]),
    ("POST", "/v1/comments/{id}/decisions", MODERATORS),
    ("POST", "/v1/decisions/{id}/undo", MODERATORS),
    ("GET", "/v1/decisions", MODERATORS),
    ("GET", "/v1/comments/{id}/revisions", MODERATORS),
    ("GET", "/v1/authors/{author}", MODERATORS),
    ("POST", "/v1/authors/{author}/sanctions", MODERATORS),
    ("DELETE", "/v1/authors/{author}/sanctions/{id}", MODERATORS),
    ("POST", "/v1/authors/{author}/notes", MODERATORS),
    ("GET", "/v1/models", &[Role::Admin]),
    ("POST", "/v1/models:rollback", &[Role::Admin]),
    ("GET", "/v1/models/{version}", &[Role::Admin]),
    ("GET", "/v1/models/{version}/report", &[Role::Admin]),
    ("POST", "/v1/models/{version}/activate", &[Role::Admin]),
    ("POST", "/v1/models/{version}/shadow", &[Role::Admin]),
    ("POST", "/v1/models:unshadow", &[Role::Admin]),
    ("GET", "/v1/models/{version}/comparison", &[Role::Admin]),
    ("GET", "/v1/sites", &[Role::Admin]),
    ("POST", "/v1/sites", &[Role::Admin]),
    ("PATCH", "/v1/sites/{slug}", &[Role::Admin]),
    ("GET", "/v1/sites/{slug}/policy", &[Role::Admin]),
    ("PUT", "/v1/sites/{slug}/policy", &[Role::Admin]),
    ("POST", "/v1/sites/{slug}/policy:simulate", &[Role::Admin]),
];

const MODERATORS: &[Role] = &[Role::Moderator, Role::Admin];

#[test]
fn every_route_is_in_the_table_of_who_may() {
    let mut routes: Vec<(String, &str)> = routes::table()
        .iter()
        .map(|endpoint| (endpoint.method.to_string(), endpoint.path))
        .collect();
    let mut listed: Vec<(String, &str)> = WHO_MAY
        .iter()
        .map(|(method, path, _)| ((*method).to_owned(), *path))
        .collect();
    routes.sort();
    listed.sort();
    assert_eq!(routes, listed);
}

on_each_database! {
    async fn every_route_against_every_role(app: App) {
        let endpoints: Vec<_> = routes::table()
            .into_iter()
            .map(|endpoint| (endpoint.method.to_string(), endpoint.path, endpoint.needs))
            .collect();
        for (method, template, needs) in endpoints {
            let path = template
                .replace("{key}", "nothing-here")
                .replace("{author}", "nobody")
                .replace("{slug}", SITE)
                .replace("/docs/{asset:.*}", "/docs/swagger-ui.css")
                .replace("/moderation/{asset:.*}", "/moderation/app.js")
                .replace("{name}", "nobody")
                .replace("{version}", "none")
                .replace("{id}", "01890000-0000-7000-8000-000000000000");
            let (_, _, allowed) = WHO_MAY
                .iter()
                .find(|(m, p, _)| *m == method && *p == template)
                .unwrap();
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            // Events never end; who may not hear them is told at once.
            let allowed = if path == "/v1/events" { &[] } else { *allowed };
            let ask = |client: crate::harness::Client| {
                let request = client.request(method.clone(), &path).json(&json!({}));
                async move { client.send(request).await }
            };
            let public = needs.is_none() && !allowed.is_empty();
            let of_a_session = needs.is_none() && allowed.is_empty();
            let anonymous = ask(app.anonymous()).await;
            if of_a_session {
                assert!(anonymous.status.is_client_error());
                continue;
            }
            if public {
                anonymous.expect(200);
            } else {
                let scheme = anonymous.headers["www-authenticate"].clone();
                assert!(scheme.to_str().unwrap().starts_with("Bearer"));
                anonymous.problem(401, "unauthorized");
            }
            let forbidden = Role::ALL.into_iter().filter(|role| path != "/v1/events" || *role == Role::Site);
            for role in forbidden {
                // Accounts and models are of the whole instance.
                let whole = path.starts_with("/v1/moderators") || path.starts_with("/v1/models");
                let sites: &[&str] = if whole && role == Role::Admin { &[] } else { &[SITE] };
                let answer = ask(app.bearer(role, "somebody", sites)).await;
                if allowed.contains(&role) {
                    let status = answer.status.as_u16();
                    assert!(status != 401 && status != 403, "{method} {path} as {role}: {status}");
                } else {
                    answer.problem(403, "forbidden");
                }
            }
        }
    }
}

#[test]
fn posting_as_a_reader_is_for_sites_alone() {
    assert!(!Role::Admin.may(Permission::Post));
}

on_each_database! {
    async fn a_foreign_sites_things_are_not_found(app: App) {
        let comment = app.site().comment("a", "bob", THREAT).await;
        let decision = app.moderator("binta").decide(&comment, "hide").await.expect(201);
        let decision = id(&decision["decision"]);
        let foreign = app.bearer(Role::Moderator, "luc", &[OTHER_SITE]);
        foreign.get(&format!("/v1/comments/{}", id(&comment))).await.problem(404, "comment-not-found");
        foreign.get(&format!("/v1/threads/a?site={SITE}")).await.problem(404, "site-not-found");
        foreign.get("/v1/threads/a/comments").await.problem(404, "thread-not-found");
        foreign.decide(&comment, "approve").await.problem(404, "comment-not-found");
        foreign.post(&format!("/v1/decisions/{decision}/undo"), json!({})).await.problem(404, "decision-not-found");
        foreign.get(&format!("/v1/queue?site={SITE}")).await.problem(404, "site-not-found");
        for list in ["/v1/queue", "/v1/decisions"] {
            assert_eq!(foreign.get(list).await.expect(200)["items"], json!([]), "{list}");
        }
        assert_eq!(foreign.get("/v1/queue/counts").await.expect(200)["waiting"], 0);
        // A reply to a foreign comment does not tell that it exists.
        app.other_site()
            .post("/v1/threads/a/comments", json!({
                "body": CALM, "author": {"id": "u", "name": "U"}, "parent_id": comment["id"],
            }))
            .await
            .problem(404, "parent-not-found");
    }
}

on_each_database! {
    async fn a_token_for_several_sites_names_one_where_it_matters(app: App) {
        app.site().comment("a", "awa", CALM).await;
        let both = app.bearer(Role::Moderator, "binta", &[SITE, OTHER_SITE]);
        for client in [both, app.admin()] {
            assert_eq!(client.get("/v1/threads/a").await.invalid_fields(), ["site"]);
            client.get(&format!("/v1/threads/a?site={SITE}")).await.expect(200);
            client.get("/v1/threads/a?site=nowhere").await.problem(404, "site-not-found");
            assert_eq!(client.get("/v1/threads/a?site=N%20O").await.invalid_fields(), ["site"]);
        }
    }
}

/// A token signed with one of our keys, whatever it says.
fn forged(app: &App, header: &Value, claims: &Value, secret: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
    let _ = app;
    let head = B64.encode(header.to_string());
    let body = B64.encode(claims.to_string());
    let signature = jsonwebtoken::crypto::sign(
        format!("{head}.{body}").as_bytes(),
        &jsonwebtoken::EncodingKey::from_secret(secret),
        jsonwebtoken::Algorithm::HS256,
    )
    .unwrap();
    format!("{head}.{body}.{signature}")
}

/// The key that signs: its id and its secret.
async fn signing_key(app: &App) -> (String, Vec<u8>) {
    let store = palabre::store::Store::open(&app.database_url)
        .await
        .unwrap();
    let mut conn = store.read().await.unwrap();
    let key = conn.db().signing_keys().await.unwrap().remove(0);
    (key.kid, key.secret)
}

on_each_database! {
    async fn every_way_a_token_can_be_wrong(app: App) {
        let (kid, secret) = signing_key(&app).await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let header = json!({"alg": "HS256", "typ": "JWT", "kid": kid});
        let claims = json!({
            "iss": "palabre", "aud": "palabre", "sub": "binta", "exp": now + 60, "iat": now, "jti": "1",
            "role": "moderator", "sites": [SITE],
        });
        let changed = |from: &Value, change: Value| {
            let mut changed = from.clone();
            for (name, value) in change.as_object().unwrap() {
                if value.is_null() {
                    changed.as_object_mut().unwrap().remove(name);
                } else {
                    changed[name] = value.clone();
                }
            }
            changed
        };
        let ask = |token: String| {
            let client = app.with_token(&token);
            async move { client.get("/v1/queue").await }
        };
        ask(forged(&app, &header, &claims, &secret)).await.expect(200);

        for change in [
            json!({"exp": now - 1}),
            json!({"exp": null}),
            json!({"aud": "coral"}),
            json!({"aud": null}),
            json!({"iss": "somebody"}),
            json!({"sub": null}),
            json!({"sub": ""}),
            json!({"role": "owner"}),
            json!({"role": null}),
            json!({"sites": []}),
            json!({"sites": null}),
            json!({"sites": ["Not A Slug"]}),
        ] {
            let token = forged(&app, &header, &changed(&claims, change.clone()), &secret);
            let answer = ask(token).await;
            assert_eq!(answer.status, 401, "{change}");
            answer.problem(401, "unauthorized");
        }
        for change in [
            json!({"alg": "none"}),
            json!({"alg": "HS512"}),
            json!({"alg": "RS256"}),
            json!({"kid": null}),
            json!({"kid": "another"}),
        ] {
            let token = forged(&app, &changed(&header, change.clone()), &claims, &secret);
            assert_eq!(ask(token).await.status, 401, "{change}");
        }
        let good = forged(&app, &header, &claims, &secret);
        let (signed, _) = good.rsplit_once('.').unwrap();
        for token in [
            forged(&app, &header, &claims, b"another secret of some length...."),
            format!("{signed}."),
            signed.to_owned(),
            format!("{good}x"),
            "not-a-token".into(),
        ] {
            assert_eq!(ask(token.clone()).await.status, 401, "{token}");
        }
        let basic = app.anonymous();
        let request = basic.request(Method::GET, "/v1/queue").header("authorization", "Basic YTpi");
        basic.send(request).await.problem(401, "unauthorized");
    }
}

on_each_database! {
    async fn the_callers_request_id_comes_back_if_it_is_sane(app: App) {
        let client = app.anonymous();
        for (sent, kept) in [("trace-42", true), ("two words", false), ("a\"b", false)] {
            let request = client.request(Method::GET, "/healthz").header("x-request-id", sent);
            let answer = client.send(request).await;
            assert_eq!(answer.headers["x-request-id"] == sent, kept, "{sent}");
            assert!(!answer.headers["x-request-id"].is_empty());
        }
    }
}
