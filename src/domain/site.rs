//! A site: whose comments these are.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Invalid, Policy, SiteId, Timestamp, Title};

/// A site's short name in tokens and addresses: 1 to 63 of `a-z`, `0-9` and `-`, as in a host name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(
    min_length = 1,
    max_length = 63,
    pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
    examples("le-soir")
)]
pub struct SiteSlug(String);

impl SiteSlug {
    /// Checks a text as a site's slug.
    ///
    /// # Errors
    /// When it is empty, too long or has other characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let ok = (1..=63).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if ok {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid(
                "must be 1 to 63 of a-z, 0-9 and -, and neither begin nor end with -".into(),
            ))
        }
    }

    /// A slug that the store held: it was checked when it came in.
    pub(crate) const fn stored(text: String) -> Self {
        Self(text)
    }

    /// The slug.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SiteSlug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for SiteSlug {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

/// A site and its rules.
#[derive(Debug, Clone)]
pub struct Site {
    pub id: SiteId,
    pub slug: SiteSlug,
    /// The name people see.
    pub name: Option<Title>,
    pub policy: Policy,
    /// Goes up whenever the policy is changed.
    pub policy_version: i64,
    pub created_at: Timestamp,
}

/// What an admin changes of a site; an absent field stays, null clears it.
#[derive(Debug, Clone, Default)]
pub struct SiteChange {
    pub name: Option<Option<Title>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_like_a_host_name() {
        for good in ["demo", "le-soir-2", "7"] {
            assert!(SiteSlug::parse(good).is_ok(), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["", "*", "Le Soir", "-a", "a-", "é", long.as_str()] {
            assert!(SiteSlug::parse(bad).is_err(), "{bad}");
        }
    }
}
