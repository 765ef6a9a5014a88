//! Signing in to the moderators' page, accounts, and what a session may not do.

use reqwest::{Method, header::SET_COOKIE};
use serde_json::{Value, json};

use crate::harness::{Answer, App, CALM, Client, id, on_each_database};

const PASSWORD: &str = "le fleuve est haut";

/// Somebody at the page: their cookie goes with each request.
#[derive(Clone)]
struct Browser {
    client: Client,
    cookie: String,
}

impl Browser {
    async fn sign_in(app: &App, proof: Value) -> Result<(Self, Value), Answer> {
        let client = app.anonymous();
        let answer = client.post("/moderation/session", proof).await;
        if answer.status != 200 {
            return Err(answer);
        }
        let cookie = answer.headers[SET_COOKIE].to_str().unwrap().to_owned();
        for part in ["palabre_session=", "HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(part), "{part} in the cookie");
        }
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Ok((Self { client, cookie }, answer.body))
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.ask_as(method, path, body, &[("x-palabre-page", "1")])
            .await
    }

    async fn ask_as(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self
            .client
            .request(method, path)
            .header("cookie", &self.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.client.send(request).await
    }
}

async fn invite(app: &App, name: &str) -> String {
    let body = json!({"name": name, "sites": ["bamako"]});
    let invited = app.admin().post("/v1/moderators", body).await.expect(201);
    assert_eq!(invited["moderator"]["role"], "moderator");
    invited["link"].as_str().unwrap().to_owned()
}

on_each_database! {
    async fn a_link_is_spent_once_and_a_password_chosen(app: App) {
        let link = invite(&app, "awa").await;
        let (browser, session) = Browser::sign_in(&app, json!({"link": link})).await.ok().unwrap();
        assert_eq!((&session["name"], &session["role"], &session["sites"]), (&json!("awa"), &json!("moderator"), &json!(["bamako"])));
        assert_eq!(browser.ask(Method::GET, "/moderation/session", None).await.expect(200)["name"], "awa");
        let again = Browser::sign_in(&app, json!({"link": link})).await.err().unwrap();
        again.problem(401, "unauthorized");
        let password = |old: Option<&str>, new: &str| Some(json!({"old": old, "new": new}));
        let short = browser.ask(Method::POST, "/moderation/password", password(None, "court")).await;
        assert_eq!(short.invalid_fields(), ["new"]);
        browser.ask(Method::POST, "/moderation/password", password(None, PASSWORD)).await.expect(204);
        let by_password = |text: &str| json!({"name": "awa", "password": text});
        let (other, _) = Browser::sign_in(&app, by_password(PASSWORD)).await.ok().unwrap();
        for wrong in [by_password("le fleuve est bas"), json!({"name": "nobody", "password": PASSWORD})] {
            Browser::sign_in(&app, wrong).await.err().unwrap().problem(401, "unauthorized");
        }
        let open = browser.ask(Method::GET, "/moderation/sessions", None).await.expect(200);
        assert_eq!(open["items"].as_array().unwrap().len(), 2);
        // Another password needs the one before, and signs out everywhere else.
        let no = browser.ask(Method::POST, "/moderation/password", password(Some("un autre"), "la pluie est tombée")).await;
        assert_eq!(no.invalid_fields(), ["old"]);
        browser.ask(Method::POST, "/moderation/password", password(Some(PASSWORD), "la pluie est tombée")).await.expect(204);
        other.ask(Method::GET, "/moderation/session", None).await.problem(401, "unauthorized");
        // Who comes by a link is alone, and chooses a password anew.
        let link = app.admin().post("/v1/moderators/awa/links", json!({})).await.expect(201)["link"].clone();
        let (by_link, _) = Browser::sign_in(&app, json!({"link": link})).await.ok().unwrap();
        browser.ask(Method::GET, "/moderation/session", None).await.problem(401, "unauthorized");
        let forgotten = Browser::sign_in(&app, by_password("la pluie est tombée")).await.err().unwrap();
        forgotten.problem(401, "unauthorized");
        by_link.ask(Method::POST, "/moderation/password", password(None, PASSWORD)).await.expect(204);
        let browser = by_link;
        browser.ask(Method::DELETE, "/moderation/session", None).await.expect(204);
        browser.ask(Method::GET, "/moderation/session", None).await.problem(401, "unauthorized");
        for strange in [json!({}), json!({"name": "awa"}), json!({"link": "x", "name": "awa", "password": "y"})] {
            Browser::sign_in(&app, strange).await.err().unwrap().problem(422, "validation");
        }
    }
}

on_each_database! {
    async fn a_session_works_the_queue_from_its_own_page_alone(app: App) {
        let (browser, _) = Browser::sign_in(&app, json!({"link": invite(&app, "awa").await})).await.ok().unwrap();
        let comment = app.site().comment("a", "bob", CALM).await;
        let path = format!("/v1/comments/{}/decisions", id(&comment));
        let hide = Some(json!({"action": "hide", "version": 1}));
        browser.ask_as(Method::POST, &path, hide.clone(), &[]).await.problem(403, "forbidden");
        let cross = [("x-palabre-page", "1"), ("sec-fetch-site", "cross-site")];
        browser.ask_as(Method::POST, &path, hide.clone(), &cross).await.problem(403, "forbidden");
        browser.ask_as(Method::GET, "/v1/queue", None, &[("sec-fetch-site", "cross-site")]).await.problem(403, "forbidden");
        let decided = browser.ask(Method::POST, &path, hide).await.expect(201);
        assert_eq!(decided["decision"]["moderator"], "awa");
        assert_eq!(browser.ask(Method::GET, "/v1/queue", None).await.status, 200);
        // A moderator is no admin, and of one site.
        browser.ask(Method::GET, "/v1/moderators", None).await.problem(403, "forbidden");
        browser.ask(Method::GET, "/v1/queue?site=lyon", None).await.problem(404, "site-not-found");
        let forged = Browser { cookie: format!("{}x", browser.cookie), ..browser.clone() };
        forged.ask(Method::GET, "/v1/queue", None).await.problem(401, "unauthorized");
    }
}

on_each_database! {
    async fn who_is_disabled_is_out_at_once(app: App) {
        let (browser, _) = Browser::sign_in(&app, json!({"link": invite(&app, "awa").await})).await.ok().unwrap();
        let admin = app.admin();
        let disabled = admin.patch("/v1/moderators/awa", json!({"disabled": true})).await.expect(200);
        assert_eq!(disabled["disabled"], true);
        browser.ask(Method::GET, "/v1/queue", None).await.problem(401, "unauthorized");
        let link = admin.post("/v1/moderators/awa/links", json!({})).await.expect(201)["link"].clone();
        Browser::sign_in(&app, json!({"link": link})).await.err().unwrap().problem(401, "unauthorized");
        admin.patch("/v1/moderators/awa", json!({"disabled": false})).await.expect(200);
        let link = admin.post("/v1/moderators/awa/links", json!({})).await.expect(201)["link"].clone();
        assert!(Browser::sign_in(&app, json!({"link": link})).await.is_ok());
        admin.post("/v1/moderators", json!({"name": "awa", "sites": ["*"]})).await.problem(409, "moderator-exists");
        admin.patch("/v1/moderators/nobody", json!({"disabled": true})).await.problem(404, "moderator-not-found");
        admin.post("/v1/moderators/nobody/links", json!({})).await.problem(404, "moderator-not-found");
        assert_eq!(admin.post("/v1/moderators", json!({"name": "x", "sites": []})).await.invalid_fields(), ["sites"]);
        let of_one = app.bearer(palabre::domain::Role::Admin, "petit", &["bamako"]);
        of_one.get("/v1/moderators").await.problem(403, "forbidden");
        let names = admin.get("/v1/moderators").await.expect(200);
        assert_eq!(names["items"][0]["name"], "awa");
        assert!(names["items"][0].get("password").is_none());
        // No secret is stored as it is.
        let stored = app.texts("SELECT CAST(COUNT(*) AS TEXT) FROM sessions").await;
        assert_eq!(stored, ["1"]);
    }
}

on_each_database! {
    async fn guessing_passwords_is_slow(app: App) {
        let slow = app.beside(palabre::http::Settings::default()).await;
        let guess = |n: usize| json!({"name": "awa", "password": format!("mot de passe {n}")});
        let mut refused = 0;
        for n in 0..14 {
            let answer = Browser::sign_in(&slow, guess(n)).await.err().unwrap();
            if answer.status == 429 {
                assert!(answer.headers.contains_key("retry-after"));
                refused += 1;
            } else {
                answer.problem(401, "unauthorized");
            }
        }
        assert!(refused >= 3, "{refused}");
    }
}

/// A file of the page, as it travels to who takes it compressed.
async fn unpacked(client: &Client, name: &str) -> String {
    let file = |taken: &str| {
        let path = format!("/moderation/{name}");
        let request = client.request(Method::GET, &path);
        request.header("accept-encoding", taken).send()
    };
    let (packed, plain) = (
        file("gzip, br").await.unwrap(),
        file("gzip;q=0").await.unwrap(),
    );
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert!(!plain.headers().contains_key("content-encoding"));
    assert_ne!(packed.headers()["etag"], plain.headers()["etag"]);
    assert_eq!(packed.headers()["vary"], "accept-encoding");
    let packed = packed.bytes().await.unwrap();
    std::io::read_to_string(flate2::read::GzDecoder::new(&*packed)).unwrap()
}

on_each_database! {
    async fn the_page_is_served_whole(app: App) {
        let client = app.anonymous();
        let page = client.request(Method::GET, "/moderation").send().await.unwrap();
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        let html = page.text().await.unwrap();
        let mut size = html.len();
        let mut todo: Vec<String> = html.split('"').filter_map(|part| part.strip_prefix("moderation/")).map(str::to_owned).collect();
        assert!(todo.len() >= 2, "a style and a script");
        todo.extend(["words-en.js", "words-fr.js", "later.css"].map(str::to_owned));
        let mut seen = Vec::new();
        while let Some(name) = todo.pop() {
            if seen.contains(&name) {
                continue;
            }
            let file = client.request(Method::GET, &format!("/moderation/{name}")).send().await.unwrap();
            assert_eq!(file.status(), 200, "{name}");
            let tag = file.headers()["etag"].clone();
            let known = client.request(Method::GET, &format!("/moderation/{name}")).header("if-none-match", tag);
            assert_eq!(known.send().await.unwrap().status(), 304);
            let text = file.text().await.unwrap();
            assert_eq!(unpacked(&client, &name).await, text);
            size += text.len();
            assert!(!text.contains("innerHTML"), "{name}");
            let elsewhere = text.replace("http://www.w3.org/", "");
            assert!(!elsewhere.contains("http://") && !elsewhere.contains("https://"), "{name} needs nothing from elsewhere");
            todo.extend(text.split("from './").skip(1).filter_map(|rest| rest.split('\'').next()).map(str::to_owned));
            todo.extend(text.split("part('").skip(1).filter_map(|rest| rest.split('\'').next()).map(|name| format!("{name}.js")));
            seen.push(name);
        }
        assert!(seen.len() > 5, "{seen:?}");
        assert!(size < 100_000, "{size} bytes");
        client.get("/moderation/nothing.js").await.problem(404, "unknown-path");
    }
}
