//! The keys that tokens are signed with: ours, rotated; and those of a site's single sign-on, each within its bounds.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use palabre::{
    domain::{Caller, Role, SiteScope, SiteSlug, Subject},
    moderation::SsoKeys,
    worker::Worker,
};
use serde_json::{Value, json};

use crate::harness::{App, CALM, OTHER_SITE, SITE, by, eventually, on_each_database, open_doors};

on_each_database! {
    async fn two_keys_are_good_and_a_second_rotation_ends_the_first(app: App) {
        let keys = || async { app.moderation.administration().key_ids().await.unwrap() };
        let first = app.site();
        let first_key = keys().await;
        assert_eq!(first_key.len(), 1);
        let rotation = app.moderation.administration().rotate_key().await.unwrap();
        assert_eq!((rotation.stays.as_ref(), rotation.gone.len()), (Some(&first_key[0]), 0));
        let second = app.site();
        for site in [&first, &second] {
            site.get("/v1/threads").await.expect(200);
        }
        assert_eq!(keys().await, [rotation.signs.clone(), first_key[0].clone()]);
        let again = app.moderation.administration().rotate_key().await.unwrap();
        assert_eq!((again.stays, again.gone), (Some(rotation.signs), first_key));
        first.get("/v1/threads").await.problem(401, "unauthorized");
        for site in [&second, &app.site()] {
            site.get("/v1/threads").await.expect(200);
        }
    }
}

on_each_database! {
    async fn a_running_server_follows_a_rotation(app: App) {
        let worker = Worker::start(Arc::clone(&app.moderation));
        let elsewhere = app.beside(open_doors()).await;
        let old = app.site();
        old.get("/v1/threads").await.expect(200);
        for _ in 0..2 {
            elsewhere.moderation.administration().rotate_key().await.unwrap();
            // What the new key signs is good here at once.
            let caller = Caller {
                subject: Subject::parse("site").unwrap(),
                role: Role::Site,
                sites: SiteScope::Only(vec![SiteSlug::parse(SITE).unwrap()]),
            };
            let minute = std::time::Duration::from_mins(1);
            let token = elsewhere.moderation.administration().sign_token(&caller, minute).unwrap();
            app.with_token(&token).get("/v1/threads").await.expect(200);
        }
        eventually("what the first key signed is refused", || async {
            old.get("/v1/threads").await.status == 401
        })
        .await;
        drop(worker);
    }
}

/// A key of single sign-on, made for these tests and used nowhere else.
#[derive(Clone, Copy)]
struct SsoKey {
    kid: &'static str,
    algorithm: Algorithm,
    private: &'static [u8],
}

const RS256: SsoKey = SsoKey {
    kid: "rsa",
    algorithm: Algorithm::RS256,
    private: include_bytes!("keys/rs256.der"),
};
const ES256: SsoKey = SsoKey {
    kid: "ec",
    algorithm: Algorithm::ES256,
    private: include_bytes!("keys/es256.der"),
};
const EDDSA: SsoKey = SsoKey {
    kid: "ed",
    algorithm: Algorithm::EdDSA,
    private: include_bytes!("keys/eddsa.der"),
};

const ISSUER: &str = "https://login.le-soir.example";

impl SsoKey {
    fn signer(self) -> EncodingKey {
        match self.algorithm {
            Algorithm::RS256 => EncodingKey::from_rsa_der(self.private),
            Algorithm::ES256 => EncodingKey::from_ec_der(self.private),
            _ => EncodingKey::from_ed_der(self.private),
        }
    }

    /// As the file of keys has it, with these bounds.
    fn published(self, role: &str, sites: &[&str]) -> Value {
        let mut jwk =
            serde_json::to_value(Jwk::from_encoding_key(&self.signer(), self.algorithm).unwrap())
                .unwrap();
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk["palabre"] = json!({"iss": ISSUER, "role": role, "sites": sites});
        jwk
    }

    fn sign(self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.into());
        jsonwebtoken::encode(&header, claims, &self.signer()).unwrap()
    }
}

fn parsed(keys: &[Value]) -> SsoKeys {
    SsoKeys::parse(&json!({"keys": keys}).to_string()).unwrap()
}

/// What a token says, with this difference; null takes a claim away.
fn claims(change: Value) -> Value {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let mut claims = json!({
        "iss": ISSUER, "aud": "palabre", "sub": "binta@le-soir.example", "exp": now + 300, "role": "moderator",
        "sites": [SITE], "email": "binta@le-soir.example",
    });
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

on_each_database! {
    async fn single_sign_on_signs_moderators_in(app: App) {
        let held = app.site().comment("a", "bob", crate::harness::THREAT).await;
        let keys = [RS256, ES256, EDDSA];
        let sso = parsed(&keys.map(|key| key.published("moderator", &[SITE])));
        let trusting = app.trusting(open_doors(), sso).await;
        for key in keys {
            let token = key.sign(&claims(json!({})));
            let queue = trusting.with_token(&token).get("/v1/queue").await.expect(200);
            assert_eq!(queue["items"][0]["comment"]["id"], held["id"], "{:?}", key.algorithm);
            app.with_token(&token).get("/v1/queue").await.problem(401, "unauthorized");
        }
        let moderator = trusting.with_token(&RS256.sign(&claims(json!({}))));
        let decided = moderator.decide(&held, "hide").await.expect(201);
        assert_eq!(decided["decision"]["moderator"], "binta@le-soir.example");
        moderator.post("/v1/threads/a/comments", by("awa", CALM)).await.problem(403, "forbidden");
        // Our own tokens are as good as before.
        trusting.moderator("luc").get("/v1/queue").await.expect(200);
    }
}

on_each_database! {
    async fn every_bound_of_a_key_is_enforced(app: App) {
        let there = app.other_site().comment("a", "bob", crate::harness::THREAT).await;
        let trusting = app.trusting(open_doors(), parsed(&[
            RS256.published("moderator", &[SITE]),
            ES256.published("admin", &["*"]),
            EDDSA.published("site", &[SITE, OTHER_SITE]),
        ])).await;
        let bearer = |key: SsoKey, change: Value| trusting.with_token(&key.sign(&claims(change)));
        // A role above the highest.
        for (key, role) in [(RS256, "admin"), (EDDSA, "moderator"), (EDDSA, "admin")] {
            bearer(key, json!({"role": role})).get("/v1/threads").await.problem(401, "unauthorized");
        }
        for role in ["moderator", "admin"] {
            bearer(ES256, json!({"role": role})).get("/v1/queue").await.expect(200);
        }
        // Of the sites it names, those that are the key's; of all, those as well.
        for sites in [json!(["*"]), json!([SITE, OTHER_SITE])] {
            let moderator = bearer(RS256, json!({"sites": sites}));
            moderator.get("/v1/threads").await.expect(200);
            assert_eq!(moderator.all("/v1/queue").await, [json!(null); 0]);
            moderator.get(&format!("/v1/queue?site={OTHER_SITE}")).await.problem(404, "site-not-found");
            moderator.decide(&there, "hide").await.problem(404, "comment-not-found");
        }
        bearer(RS256, json!({"sites": [OTHER_SITE]})).get("/v1/threads").await.problem(401, "unauthorized");
        let both = bearer(EDDSA, json!({"role": "site", "sites": ["*"]}));
        assert_eq!(both.get("/v1/threads/a").await.invalid_fields(), ["site"]);
        both.get(&format!("/v1/threads/a?site={OTHER_SITE}")).await.expect(200);
        let admin = bearer(ES256, json!({"role": "admin", "sites": ["*"]}));
        admin.post("/v1/sites", json!({"slug": "le-soir"})).await.expect(201);

        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        for change in [
            json!({"iss": "https://login.evil.example"}),
            json!({"iss": "palabre"}),
            json!({"iss": format!("{ISSUER}/")}),
            json!({"iss": null}),
            json!({"aud": "le-soir"}),
            json!({"aud": null}),
            json!({"exp": now - 1}),
            json!({"exp": null}),
            json!({"nbf": now + 300}),
            json!({"sub": null}),
            json!({"role": null}),
            json!({"role": "owner"}),
            json!({"sites": null}),
            json!({"sites": []}),
        ] {
            let answer = bearer(RS256, change.clone()).get("/v1/threads").await;
            assert_eq!(answer.status, 401, "{change}");
            answer.problem(401, "unauthorized");
        }
    }
}

on_each_database! {
    async fn the_algorithm_belongs_to_the_key(app: App) {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
        let ours = app.moderation.administration().key_ids().await.unwrap().remove(0);
        let rsa = RS256.published("moderator", &[SITE]);
        let trusting = app.trusting(open_doors(), parsed(&[
            rsa.clone(),
            ES256.published("moderator", &[SITE]),
            // One that calls itself by the name of ours does not take its place.
            { let mut named = EDDSA.published("admin", &["*"]); named["kid"] = json!(ours); named },
        ])).await;
        let signed = |kid: Option<&str>, algorithm: Algorithm, signer: &EncodingKey| {
            let mut header = Header::new(algorithm);
            header.kid = kid.map(str::to_owned);
            jsonwebtoken::encode(&header, &claims(json!({})), signer).unwrap()
        };
        let public = B64.decode(rsa["n"].as_str().unwrap()).unwrap();
        let none = B64.encode(r#"{"alg":"none","kid":"rsa"}"#);
        let unsigned = format!("{none}.{}.", B64.encode(claims(json!({})).to_string()));
        let good = RS256.sign(&claims(json!({})));
        let (head, signature) = good.rsplit_once('.').unwrap();
        let other_claims = B64.encode(claims(json!({"sub": "luc"})).to_string());
        for (what, token) in [
            ("the public key as a secret", signed(Some("rsa"), Algorithm::HS256, &EncodingKey::from_secret(&public))),
            ("the public key as it is written", signed(Some("rsa"), Algorithm::HS256, &EncodingKey::from_secret(rsa["n"].as_str().unwrap().as_bytes()))),
            ("another hash", signed(Some("rsa"), Algorithm::RS512, &RS256.signer())),
            ("another padding", signed(Some("rsa"), Algorithm::PS256, &RS256.signer())),
            ("another key", signed(Some("rsa"), Algorithm::ES256, &ES256.signer())),
            ("another key, the other way round", signed(Some("ec"), Algorithm::RS256, &RS256.signer())),
            ("our key", signed(Some(&ours), Algorithm::RS256, &RS256.signer())),
            ("a key that calls itself ours", signed(Some(&ours), Algorithm::EdDSA, &EDDSA.signer())),
            ("no key", signed(None, Algorithm::RS256, &RS256.signer())),
            ("an unknown key", signed(Some("rsa2"), Algorithm::RS256, &RS256.signer())),
            ("no signature", unsigned),
            ("a signature cut off", format!("{head}.")),
            ("other claims", format!("{}.{other_claims}.{signature}", head.split('.').next().unwrap())),
        ] {
            let answer = trusting.with_token(&token).get("/v1/queue").await;
            assert_eq!(answer.status, 401, "{what}");
        }
        trusting.with_token(&good).get("/v1/queue").await.expect(200);
        trusting.moderator("luc").get("/v1/queue").await.expect(200);
    }
}

#[test]
fn a_file_of_keys_that_cannot_be_used_says_why() {
    // The second of two keys, with another value at that place, or none.
    let with = |place: &str, value: Value| {
        let mut key = RS256.published("moderator", &[SITE]);
        let (object, name) = place.rsplit_once('/').unwrap();
        let object = key.pointer_mut(object).unwrap().as_object_mut().unwrap();
        match value {
            Value::Null => object.remove(name),
            value => object.insert(name.into(), value),
        };
        let keys = [ES256.published("site", &[SITE]), key];
        SsoKeys::parse(&json!({"keys": keys}).to_string())
    };
    assert!(with("/use", Value::Null).is_ok());
    for (place, value, word) in [
        ("/palabre", Value::Null, "palabre"),
        ("/palabre/iss", Value::Null, "iss"),
        ("/palabre/role", json!("owner"), "role"),
        ("/palabre/sites", json!([]), "sites"),
        ("/palabre/sites", json!(["Le Soir"]), "sites"),
        ("/palabre/until", json!("2100-01-01"), "palabre"),
        ("/kid", Value::Null, "key 1"),
        ("/alg", Value::Null, "alg"),
        ("/alg", json!("HS256"), "alg"),
        ("/alg", json!("RS512"), "alg"),
    ] {
        let refusal = with(place, value.clone()).expect_err(place).to_string();
        assert!(refusal.contains(word), "{place} {value}: {refusal}");
    }
    for text in ["", "{}", "[]", "{\"keys\": {}}"] {
        assert!(SsoKeys::parse(text).is_err(), "{text}");
    }
    let secret = json!({"keys": [{
        "kty": "oct", "kid": "a", "alg": "HS256", "k": "c2VjcmV0",
        "palabre": {"iss": ISSUER, "role": "site", "sites": [SITE]},
    }]});
    assert!(
        SsoKeys::parse(&secret.to_string()).is_err(),
        "a secret is no public key"
    );
}
