//! Tokens: who is asking, signed with keys that live in the database.
//!
//! The algorithm belongs to the key, never to the token: a token names a key by `kid`, and is verified by that key's
//! algorithm alone.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::{Error, Moderation};
use crate::{
    domain::{Caller, Role, SiteScope, SiteSlug, Timestamp},
    store::{Store, StoredKey},
};

const AUDIENCE: &str = "palabre";
const ISSUER: &str = "palabre";
const SECRET_BYTES: usize = 32;

/// What a token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: String,
    /// Unix seconds.
    pub exp: i64,
    pub iat: i64,
    pub jti: String,
    pub role: Role,
    /// Slugs, or `["*"]` for all.
    pub sites: Vec<String>,
}

/// A token that proves nothing. What is wrong with it is nobody's business but the log's.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("the token is expired")]
    Expired,
    #[error("the token is not valid")]
    Invalid,
    #[error(transparent)]
    Store(#[from] Error),
}

/// A key that was made for one algorithm.
struct Key {
    algorithm: Algorithm,
    verify: DecodingKey,
    sign: EncodingKey,
}

/// The keys in the database, as last read; the first signs.
pub(super) struct Keyring(RwLock<Arc<Keys>>);

struct Keys {
    signer: String,
    by_kid: HashMap<String, Key>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring")
    }
}

impl Keyring {
    /// Reads the keys; makes the first one, under a lock, where there is none.
    pub(super) async fn open(store: &Store) -> Result<Self, Error> {
        let mut keys = store.read().await?.db().signing_keys().await?;
        if keys.is_empty() {
            let mut tx = store.begin().await?;
            let mut db = tx.db();
            db.lock_keys().await?;
            keys = db.signing_keys().await?;
            if keys.is_empty() {
                let key = new_key()?;
                db.insert_signing_key(&key, Timestamp::now()).await?;
                keys.push(key);
            }
            tx.commit().await?;
        }
        Ok(Self(RwLock::new(Arc::new(Keys::new(&keys)?))))
    }

    fn get(&self) -> Arc<Keys> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn reload(&self, store: &Store) -> Result<Arc<Keys>, Error> {
        let keys = store.read().await?.db().signing_keys().await?;
        let keys = Arc::new(Keys::new(&keys)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&keys);
        Ok(keys)
    }
}

impl Keys {
    fn new(stored: &[StoredKey]) -> Result<Self, Error> {
        let signer = stored.first().ok_or(Error::Keys)?.kid.clone();
        let by_kid = stored
            .iter()
            .map(|key| {
                let algorithm = match key.algorithm.as_str() {
                    "HS256" => Algorithm::HS256,
                    _ => return Err(Error::Keys),
                };
                let key_pair = Key {
                    algorithm,
                    verify: DecodingKey::from_secret(&key.secret),
                    sign: EncodingKey::from_secret(&key.secret),
                };
                Ok((key.kid.clone(), key_pair))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { signer, by_kid })
    }
}

fn new_key() -> Result<StoredKey, Error> {
    let mut secret = vec![0; SECRET_BYTES];
    getrandom::fill(&mut secret).map_err(|_| Error::Keys)?;
    Ok(StoredKey {
        kid: uuid::Uuid::now_v7().to_string(),
        algorithm: "HS256".into(),
        secret,
    })
}

impl Moderation {
    /// A token for a caller that expires after `ttl`.
    ///
    /// # Errors
    /// When the keys cannot be used.
    pub fn sign_token(&self, caller: &Caller, ttl: std::time::Duration) -> Result<String, Error> {
        let keys = self.keyring.get();
        let key = keys.by_kid.get(&keys.signer).ok_or(Error::Keys)?;
        let now = Timestamp::now().millis() / 1000;
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: caller.subject.clone(),
            exp: now.saturating_add(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX)),
            iat: now,
            jti: uuid::Uuid::now_v7().to_string(),
            role: caller.role,
            sites: match &caller.sites {
                SiteScope::All => vec!["*".into()],
                SiteScope::Only(slugs) => slugs.iter().map(ToString::to_string).collect(),
            },
        };
        let mut header = Header::new(key.algorithm);
        header.kid = Some(keys.signer.clone());
        jsonwebtoken::encode(&header, &claims, &key.sign).map_err(|_| Error::Keys)
    }

    /// Who bears this token.
    ///
    /// # Errors
    /// When it is not signed by one of our keys for us, or is expired.
    pub async fn verify_token(&self, token: &str) -> Result<Caller, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        let kid = header.kid.ok_or(TokenError::Invalid)?;
        let mut keys = self.keyring.get();
        if !keys.by_kid.contains_key(&kid) {
            // Another process may have made it since.
            keys = self.keyring.reload(&self.store).await?;
        }
        let key = keys.by_kid.get(&kid).ok_or(TokenError::Invalid)?;
        let mut validation = Validation::new(key.algorithm);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        validation.leeway = 0;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.verify, &validation)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Invalid,
            })?
            .claims;
        caller(claims).ok_or(TokenError::Invalid)
    }
}

fn caller(claims: Claims) -> Option<Caller> {
    let sites = if claims.sites.iter().any(|site| site == "*") {
        SiteScope::All
    } else {
        let slugs: Option<Vec<SiteSlug>> = claims
            .sites
            .iter()
            .map(|slug| SiteSlug::parse(slug).ok())
            .collect();
        SiteScope::Only(slugs.filter(|slugs| !slugs.is_empty())?)
    };
    (!claims.sub.is_empty()).then_some(Caller {
        subject: claims.sub,
        role: claims.role,
        sites,
    })
}
