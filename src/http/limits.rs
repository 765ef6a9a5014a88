//! How often somebody may ask: each token (and each address without a good one) so many times a second, each author ten
//! comments at once and then ten a minute. In memory, and so for each server by itself.

use std::{
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};

use xxhash_rust::xxh3::xxh3_128;

use crate::domain::{AuthorId, SiteId};

/// How many requests a second a token may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// As many as it likes, and its authors too: for load tests.
    Off,
    PerSecond(NonZeroU32),
}

impl RateLimit {
    const DEFAULT: NonZeroU32 = NonZeroU32::new(500).unwrap();
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::PerSecond(Self::DEFAULT)
    }
}

impl FromStr for RateLimit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            "" => Ok(Self::default()),
            number => number
                .parse()
                .map(Self::PerSecond)
                .map_err(|_| "must be a number of requests a second from 1 on, or \"off\""),
        }
    }
}

/// An author's burst, and then so many a minute.
const AUTHOR_BURST: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// After so many questions, keys that have their whole allowance again are forgotten.
const TIDY_EVERY: u32 = 10_000;

/// Who asked too often, and when to ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften(pub Duration);

/// The limits of one server.
pub struct Limits(Option<Allowances>);

struct Allowances {
    asking: Limiter<Asker>,
    posting: Limiter<(SiteId, AuthorId)>,
    signing_in: Limiter<Asker>,
    signing_in_as: Limiter<u128>,
}

/// Attempts to sign in from one address, and then so many a minute.
const SIGN_IN_BURST: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// The same by one name from anywhere: more, so that no single address keeps its owner out.
const NAME_BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Who asks: a good token or session by its digest, or an address without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asker {
    Token(u128),
    Address(IpAddr),
}

struct Limiter<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    asked: AtomicU32,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(quota: Quota) -> Self {
        Self {
            limiter: RateLimiter::keyed(quota),
            asked: AtomicU32::new(0),
        }
    }

    fn check(&self, key: &K) -> Result<(), TooOften> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter
            .check_key(key)
            .map_err(|early| TooOften(early.wait_time_from(DefaultClock::default().now())))
    }
}

impl Limits {
    /// Limits in force from now on.
    #[must_use]
    pub fn new(limit: RateLimit) -> Self {
        Self(match limit {
            RateLimit::Off => None,
            RateLimit::PerSecond(rate) => Some(Allowances {
                asking: Limiter::new(Quota::per_second(rate)),
                posting: Limiter::new(Quota::per_minute(AUTHOR_BURST)),
                signing_in: Limiter::new(Quota::per_minute(SIGN_IN_BURST)),
                signing_in_as: Limiter::new(Quota::per_minute(NAME_BURST)),
            }),
        })
    }

    /// Counts a request.
    ///
    /// # Errors
    /// When it comes too early.
    pub fn ask(&self, asker: Asker) -> Result<(), TooOften> {
        match &self.0 {
            Some(allowances) => allowances.asking.check(&asker),
            None => Ok(()),
        }
    }

    /// Counts an attempt to prove who one is, by a name where one is given.
    ///
    /// # Errors
    /// When it comes too early.
    pub fn try_to_sign_in(&self, asker: Asker, name: Option<&str>) -> Result<(), TooOften> {
        let Some(allowances) = &self.0 else {
            return Ok(());
        };
        allowances.signing_in.check(&asker)?;
        match name {
            Some(name) => allowances.signing_in_as.check(&xxh3_128(name.as_bytes())),
            None => Ok(()),
        }
    }

    /// Counts a comment of an author.
    ///
    /// # Errors
    /// When it comes too early.
    pub fn post(&self, site: SiteId, author: &AuthorId) -> Result<(), TooOften> {
        match &self.0 {
            Some(allowances) => allowances.posting.check(&(site, author.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_has_a_burst_of_ten_and_others_have_their_own() {
        let limits = Limits::new(RateLimit::default());
        let site = SiteId::generate();
        let author = |name| AuthorId::parse(name).unwrap();
        for _ in 0..10 {
            limits.post(site, &author("awa")).unwrap();
        }
        let TooOften(wait) = limits.post(site, &author("awa")).unwrap_err();
        assert!(wait > Duration::from_secs(4) && wait <= Duration::from_secs(6));
        limits.post(site, &author("sira")).unwrap();
        limits.post(SiteId::generate(), &author("awa")).unwrap();
    }

    #[test]
    fn a_limit_is_a_number_or_off() {
        assert_eq!("off".parse(), Ok(RateLimit::Off));
        assert_eq!("500".parse(), Ok(RateLimit::default()));
        for bad in ["0", "-1", "many"] {
            assert!(bad.parse::<RateLimit>().is_err(), "{bad:?}");
        }
    }
}
