//! Single sign-on: public keys of a site, whose tokens are believed within what is said of each.

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{Jwk, KeyAlgorithm},
};
use serde::Deserialize;

use super::tokens::Key;
use crate::domain::{Caller, Role, SiteScope};

/// What tokens of a site's own key may be at most.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub issuer: String,
    role: Role,
    sites: SiteScope,
}

impl Bound {
    /// A caller within these bounds: with the sites that are left, or nobody.
    pub fn restrict(&self, caller: Caller) -> Option<Caller> {
        // Whoever may sign moderators in may not therefore post in readers' names.
        let allowed = match self.role {
            Role::Site => caller.role == Role::Site,
            Role::Moderator => caller.role == Role::Moderator,
            Role::Admin => caller.role != Role::Site,
        };
        if !allowed {
            return None;
        }
        let sites = match (&self.sites, caller.sites) {
            (SiteScope::All, sites) => sites,
            (bound, SiteScope::All) => bound.clone(),
            (bound, SiteScope::Only(mut slugs)) => {
                slugs.retain(|slug| bound.covers(slug));
                SiteScope::Only(Some(slugs).filter(|slugs| !slugs.is_empty())?)
            }
        };
        Some(Caller { sites, ..caller })
    }
}

/// Public keys of a site's single sign-on: a JSON Web Key Set (RFC 7517) of which each key says in `palabre` what its
/// tokens may be at most: `{"iss": "https://login.le-soir.example", "role": "moderator", "sites": ["le-soir"]}`.
#[derive(Clone, Default)]
pub struct SsoKeys(Vec<(String, Key)>);

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<BoundKey>,
}

#[derive(Deserialize)]
struct BoundKey {
    palabre: BoundClaim,
    #[serde(flatten)]
    key: Jwk,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundClaim {
    iss: String,
    role: Role,
    sites: Vec<String>,
}

/// Why a key set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SsoError {
    #[error(
        "it is not a JSON Web Key Set whose keys each have a member \"palabre\" with iss, role and sites: {0}"
    )]
    Unreadable(#[from] serde_json::Error),
    #[error("key {0} of it needs a \"kid\", and an \"alg\" of RS256, ES256 or EdDSA")]
    Unusable(usize),
    #[error("two keys of it have the \"kid\" {0}")]
    Twice(String),
    #[error("the sites of key {0} of it must be slugs, or \"*\" alone")]
    Sites(usize),
}

impl SsoKeys {
    /// Reads a key set.
    ///
    /// # Errors
    /// When one of its keys cannot be used, or does not say what its tokens may be.
    pub fn parse(json: &str) -> Result<Self, SsoError> {
        let set: KeySet = serde_json::from_str(json)?;
        let keys = set.keys.into_iter().enumerate().map(|(at, bound)| {
            let BoundKey { palabre, key } = bound;
            let unusable = || SsoError::Unusable(at);
            let algorithm = match key.common.key_algorithm {
                Some(KeyAlgorithm::RS256) => Algorithm::RS256,
                Some(KeyAlgorithm::ES256) => Algorithm::ES256,
                Some(KeyAlgorithm::EdDSA) => Algorithm::EdDSA,
                _ => return Err(unusable()),
            };
            let kid = key.common.key_id.clone().ok_or_else(unusable)?;
            let verify = DecodingKey::from_jwk(&key).map_err(|_| unusable())?;
            let sites = SiteScope::from_names(&palabre.sites).ok_or(SsoError::Sites(at))?;
            let bound = Bound {
                issuer: palabre.iss,
                role: palabre.role,
                sites,
            };
            let key = Key {
                algorithm,
                verify,
                sign: None,
                bound: Some(bound),
            };
            Ok((kid, key))
        });
        let keys: Vec<(String, Key)> = keys.collect::<Result<_, _>>()?;
        let twice = (keys.iter().enumerate())
            .find(|(at, (kid, _))| keys[..*at].iter().any(|(before, _)| before == kid));
        match twice {
            Some((_, (kid, _))) => Err(SsoError::Twice(kid.clone())),
            None => Ok(Self(keys)),
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = (String, Key)> {
        self.0.iter().cloned()
    }
}

impl std::fmt::Debug for SsoKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SsoKeys({})", self.0.len())
    }
}
