//! A moderator's account.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Invalid, Role, Timestamp};

/// Who signs in to the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Moderator)]
pub struct Account {
    /// The name they sign in by, and which the audit log shows.
    pub name: String,
    #[schema(value_type = String, pattern = "^(moderator|admin)$")]
    pub role: Role,
    /// Slugs of sites; `*` is all.
    pub sites: Vec<String>,
    pub disabled: bool,
    pub created_at: Timestamp,
}

/// A password as somebody chose it. It is never shown.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Fewer characters are guessed.
    pub const LEAST: usize = 10;
    /// More bytes are hashed for nothing.
    pub const MOST: usize = 512;

    /// A password that may be chosen.
    ///
    /// # Errors
    /// When it is too short or too long.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.chars().count() < Self::LEAST || text.len() > Self::MOST {
            return Err(Invalid(format!(
                "must have at least {} characters, and at most {} bytes",
                Self::LEAST,
                Self::MOST
            )));
        }
        Ok(Self(text.to_owned()))
    }

    /// What is hashed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_neither_short_nor_endless_nor_shown() {
        assert!(Password::parse("kourouma1").is_err());
        assert!(Password::parse(&"é".repeat(300)).is_err());
        let good = Password::parse("le fleuve est haut").unwrap();
        assert!(!format!("{good:?}").contains("fleuve"));
    }
}
