//! Who may do what: the one place where roles are checked.

use serde::{Deserialize, Serialize};

use super::{SiteSlug, Subject};

/// What a token's bearer is, the lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The site's own server, which posts readers' comments and shows them.
    Site,
    /// Works the queue; reads what the site reads, and does not post as readers.
    Moderator,
    /// May do what a moderator may, and change the rules.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Site, Self::Moderator, Self::Admin];

    /// The name in tokens and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
        }
    }

    /// Whether this role may do that.
    #[must_use]
    pub const fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Read | Permission::Score => true,
            Permission::Post => matches!(self, Self::Site),
            Permission::Moderate => matches!(self, Self::Moderator | Self::Admin),
            Permission::Administer => matches!(self, Self::Admin),
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a request needs; each route names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// See threads and comments.
    Read,
    /// Score a text without storing it.
    Score,
    /// Set up threads and post readers' comments.
    Post,
    /// See the queue and every status, decide, read the audit log, take measures against authors.
    Moderate,
    /// Change sites and their policies.
    Administer,
}

/// The sites a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteScope {
    /// `["*"]`: all there are and will be.
    All,
    /// These.
    Only(Vec<SiteSlug>),
}

impl SiteScope {
    /// The sites of a list of slugs, or all of them by `*`; nothing of an empty list, or of one with what is no slug.
    #[must_use]
    pub fn from_names(names: &[String]) -> Option<Self> {
        if names.iter().any(|name| name == "*") {
            return Some(Self::All);
        }
        let slugs = names.iter().map(|slug| SiteSlug::parse(slug).ok());
        let mut slugs = slugs.collect::<Option<Vec<_>>>()?;
        slugs.sort_unstable();
        slugs.dedup();
        Some(Self::Only(Some(slugs).filter(|slugs| !slugs.is_empty())?))
    }

    /// As [`Self::from_names`] reads it.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::All => vec!["*".to_owned()],
            Self::Only(slugs) => slugs.iter().map(|slug| slug.as_str().to_owned()).collect(),
        }
    }

    /// Whether a site is one of them.
    #[must_use]
    pub fn covers(&self, slug: &SiteSlug) -> bool {
        match self {
            Self::All => true,
            Self::Only(slugs) => slugs.contains(slug),
        }
    }
}

/// Who is asking: a verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's subject: the name in the audit log.
    pub subject: Subject,
    pub role: Role,
    pub sites: SiteScope,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_against_every_permission() {
        use {Permission as P, Role as R};
        for (permission, allowed) in [
            (P::Read, &[R::Site, R::Moderator, R::Admin][..]),
            (P::Score, &[R::Site, R::Moderator, R::Admin]),
            (P::Post, &[R::Site]),
            (P::Moderate, &[R::Moderator, R::Admin]),
            (P::Administer, &[R::Admin]),
        ] {
            for role in R::ALL {
                assert_eq!(
                    role.may(permission),
                    allowed.contains(&role),
                    "{role} {permission:?}"
                );
            }
        }
    }

    #[test]
    fn a_list_of_sites_covers_only_those() {
        let slug = |text| SiteSlug::parse(text).unwrap();
        let scope = SiteScope::Only(vec![slug("bamako")]);
        assert!(scope.covers(&slug("bamako")));
        assert!(!scope.covers(&slug("lyon")));
        assert!(SiteScope::All.covers(&slug("lyon")));
    }
}
