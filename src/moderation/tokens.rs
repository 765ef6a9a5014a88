//! Tokens: who is asking, signed with keys that live in the database.
//!
//! The algorithm belongs to the key, never to the token: a token names a key by `kid`, and is verified by that key's
//! algorithm alone.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind::ExpiredSignature,
};
use serde::{Deserialize, Serialize};

use super::{
    Error, Moderation,
    sso::{Bound, SsoKeys},
};
use crate::{
    domain::{Caller, Role, SiteScope, Subject, Timestamp},
    store::{Store, StoredKey},
};

const AUDIENCE: &str = "palabre";
const ISSUER: &str = "palabre";
const SECRET_BYTES: usize = 32;
/// The one algorithm that keys are made for so far.
const HS256: &str = "HS256";

/// What a token of ours says.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'static str,
    aud: &'static str,
    sub: &'a str,
    /// Unix seconds.
    exp: i64,
    iat: i64,
    jti: uuid::Uuid,
    role: Role,
    /// Slugs, or `["*"]` for all.
    sites: Vec<String>,
}

/// What is read of a token once its signature, issuer, audience and times are found good.
#[derive(Deserialize)]
struct Presented {
    sub: String,
    role: Role,
    sites: Vec<String>,
}

/// Why a token is not accepted. What exactly is wrong with an invalid one is not told.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("the token is expired")]
    Expired,
    #[error("the token is not valid")]
    Invalid,
    /// It could not be looked at.
    #[error(transparent)]
    Internal(#[from] Error),
}

/// A key, for its one algorithm.
#[derive(Clone)]
pub(super) struct Key {
    pub algorithm: Algorithm,
    pub verify: DecodingKey,
    /// Ours sign; a site's own only verify.
    pub sign: Option<EncodingKey>,
    /// What a token of a site's own key may be at most.
    pub bound: Option<Bound>,
}

/// The keys in the database, as last read.
pub(super) struct Keyring {
    keys: RwLock<Arc<Keys>>,
    /// The keys of single sign-on, beside those of the database.
    foreign: SsoKeys,
    /// When the last reading of an unknown key id began; held while one goes on.
    reading: tokio::sync::Mutex<Instant>,
}

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
    pub(super) async fn open(store: &Store, foreign: SsoKeys) -> Result<Self, Error> {
        let begun = Instant::now();
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
        Ok(Self {
            keys: RwLock::new(Arc::new(Keys::new(&keys, &foreign)?)),
            foreign,
            reading: tokio::sync::Mutex::new(begun),
        })
    }

    fn get(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The keys, read again if `kid` is not among them: another process may have made it since. However many unknown
    /// ids arrive, one reading goes on at a time, and serves all that waited for it.
    async fn knowing(&self, kid: &str, store: &Store) -> Result<Arc<Keys>, Error> {
        let keys = self.get();
        if keys.by_kid.contains_key(kid) {
            return Ok(keys);
        }
        let asked = Instant::now();
        let mut last_reading = self.reading.lock().await;
        if *last_reading > asked {
            return Ok(self.get());
        }
        let begun = Instant::now();
        let keys = self.read(store).await?;
        *last_reading = begun;
        Ok(keys)
    }

    async fn read(&self, store: &Store) -> Result<Arc<Keys>, Error> {
        let stored = store.read().await?.db().signing_keys().await?;
        let keys = Arc::new(Keys::new(&stored, &self.foreign)?);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&keys);
        Ok(keys)
    }

    /// Reads the keys again: what a key signed is not believed any longer once it is taken away.
    pub(super) async fn follow(&self, store: &Store) -> Result<(), Error> {
        self.read(store).await.map(|_| ())
    }

    /// Makes a new key, which signs from now on, and takes away all but the one that signed before.
    pub(super) async fn rotate(&self, store: &Store) -> Result<Rotation, Error> {
        let mut tx = store.begin().await?;
        let mut db = tx.db();
        db.lock_keys().await?;
        let before = db.signing_keys().await?;
        let key = new_key()?;
        db.insert_signing_key(&key, Timestamp::now()).await?;
        let gone: Vec<&str> = before.iter().skip(1).map(|key| key.kid.as_str()).collect();
        db.delete_signing_keys(&gone).await?;
        let rotation = Rotation {
            signs: key.kid,
            stays: before.first().map(|key| key.kid.clone()),
            gone: gone.into_iter().map(str::to_owned).collect(),
        };
        tx.commit().await?;
        self.read(store).await?;
        Ok(rotation)
    }

    /// A token for a caller that expires after `ttl`.
    pub(super) fn sign(&self, caller: &Caller, ttl: Duration) -> Result<String, Error> {
        let keys = self.get();
        let key = keys.by_kid.get(&keys.signer).ok_or(Error::Keys)?;
        let sign = key.sign.as_ref().ok_or(Error::Keys)?;
        let now = Timestamp::now().millis() / 1000;
        let claims = Claims {
            iss: ISSUER,
            aud: AUDIENCE,
            sub: caller.subject.as_str(),
            exp: now.saturating_add(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX)),
            iat: now,
            jti: uuid::Uuid::now_v7(),
            role: caller.role,
            sites: caller.sites.names(),
        };
        let mut header = Header::new(key.algorithm);
        header.kid = Some(keys.signer.clone());
        jsonwebtoken::encode(&header, &claims, sign).map_err(|_| Error::Keys)
    }

    async fn verify(&self, token: &str, store: &Store) -> Result<Caller, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        let kid = header.kid.ok_or(TokenError::Invalid)?;
        let keys = self.knowing(&kid, store).await?;
        let key = keys.by_kid.get(&kid).ok_or(TokenError::Invalid)?;
        let mut validation = Validation::new(key.algorithm);
        validation.set_audience(&[AUDIENCE]);
        match &key.bound {
            None => validation.set_issuer(&[ISSUER]),
            Some(bound) => validation.set_issuer(std::slice::from_ref(&bound.issuer)),
        }
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = 0;
        let presented = jsonwebtoken::decode::<Presented>(token, &key.verify, &validation)
            .map_err(|error| match error.kind() {
                ExpiredSignature => TokenError::Expired,
                _ => TokenError::Invalid,
            })?
            .claims;
        let caller = caller(&presented).ok_or(TokenError::Invalid)?;
        match &key.bound {
            None => Ok(caller),
            Some(bound) => bound.restrict(caller).ok_or(TokenError::Invalid),
        }
    }
}

impl Keys {
    /// The keys that this version can use; the newest signs.
    fn new(stored: &[StoredKey], foreign: &SsoKeys) -> Result<Self, Error> {
        let (usable, unknown): (Vec<_>, Vec<_>) =
            stored.iter().partition(|key| key.algorithm == HS256);
        for key in unknown {
            tracing::warn!(
                kid = key.kid,
                algorithm = key.algorithm,
                "a signing key of a newer version is left out"
            );
        }
        let ours: Vec<String> = usable.iter().map(|key| key.kid.clone()).collect();
        let signer = usable.first().ok_or(Error::Keys)?.kid.clone();
        let by_kid = usable
            .into_iter()
            .map(|stored| {
                let key = Key {
                    algorithm: Algorithm::HS256,
                    verify: DecodingKey::from_secret(&stored.secret),
                    sign: Some(EncodingKey::from_secret(&stored.secret)),
                    bound: None,
                };
                (stored.kid.clone(), key)
            })
            // A key of ours is never hidden by one of the file.
            .chain(foreign.keys().filter(|(kid, _)| !ours.contains(kid)))
            .collect();
        Ok(Self { signer, by_kid })
    }
}

/// What a rotation did.
#[derive(Debug, Clone, Serialize)]
pub struct Rotation {
    /// The id of the key that signs from now on.
    pub signs: String,
    /// The one that signed before; what it signed is still believed.
    pub stays: Option<String>,
    /// Keys that are believed no longer.
    pub gone: Vec<String>,
}

/// How many keys of the database can be used.
pub(super) async fn count_keys(store: &Store) -> Result<usize, Error> {
    let stored = store.read().await?.db().signing_keys().await?;
    if stored.is_empty() {
        return Ok(0);
    }
    Ok(Keys::new(&stored, &SsoKeys::default())?.by_kid.len())
}

fn new_key() -> Result<StoredKey, Error> {
    let mut secret = vec![0; SECRET_BYTES];
    getrandom::fill(&mut secret).map_err(|_| Error::Keys)?;
    Ok(StoredKey {
        kid: uuid::Uuid::now_v7().to_string(),
        algorithm: HS256.into(),
        secret,
    })
}

fn caller(presented: &Presented) -> Option<Caller> {
    Some(Caller {
        subject: Subject::parse(&presented.sub).ok()?,
        role: presented.role,
        sites: SiteScope::from_names(&presented.sites)?,
    })
}

impl Moderation {
    /// Who bears this token.
    ///
    /// # Errors
    /// When it is not signed by one of our keys for us, or its time is not now.
    pub async fn verify_token(&self, token: &str) -> Result<Caller, TokenError> {
        self.administration.keyring.verify(token, &self.store).await
    }
}
