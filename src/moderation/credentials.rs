//! What somebody proves themselves by: secrets of links and cookies, and passwords.
//!
//! Of a secret the database has the digest only, of a password an argon2id hash.

use argon2::{Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::Error;
use crate::domain::Password;

/// Random bytes of a link and of a cookie.
const SECRET_BYTES: usize = 32;
/// Passwords hashed at the same time: each takes a core for a while, and 19 MiB.
static HASHING: Semaphore = Semaphore::const_new(2);

/// A fresh secret, and the digest that is kept of it.
pub(super) fn secret() -> Result<(String, Vec<u8>), Error> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| Error::Keys)?;
    let text = BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let digest = digest(&text);
    Ok((text, digest))
}

pub(super) fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Hashes or verifies on a thread of its own, few at a time, even if nobody waits for it any longer.
async fn hashing<T: Send + 'static>(
    work: impl FnOnce() -> Option<T> + Send + 'static,
) -> Result<T, Error> {
    let turn = HASHING.acquire().await.map_err(|_| Error::Broken)?;
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    done.await.ok().flatten().ok_or(Error::NotSignedIn)
}

pub(super) async fn hash(password: Password) -> Result<String, Error> {
    hashing(move || {
        let hashed = Argon2::default().hash_password(password.as_bytes());
        hashed.ok().map(|hash| hash.to_string())
    })
    .await
}

/// Whether a password is the one of this hash. Without a hash it takes as long, and is not.
pub(super) async fn verify(password: String, hash: Option<String>) -> Result<(), Error> {
    hashing(move || {
        let Some(hash) = hash else {
            let _ = Argon2::default().hash_password(password.as_bytes());
            return None;
        };
        let hash = PasswordHash::new(&hash).ok()?;
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .ok()
    })
    .await
}
