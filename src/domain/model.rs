//! The name of a model.

use serde::Serialize;
use utoipa::ToSchema;

use super::Invalid;

/// A model's name, as in `2026.11-3`. It stands in addresses, in files' names and beside every stored score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$", examples("2026.11-3"))]
pub struct ModelVersion(String);

impl ModelVersion {
    /// The most characters a name has.
    const MAX_CHARS: usize = 64;

    /// Parses a name.
    ///
    /// # Errors
    /// When it is not 1 to 64 of `A-Z a-z 0-9 . _ -`, the first of them a letter or a digit.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let may = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins && text.len() <= Self::MAX_CHARS && text.chars().all(may) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid(format!(
                "the name of a model must be 1 to {} letters, digits, dots, hyphens and underscores",
                Self::MAX_CHARS
            )))
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ModelVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for ModelVersion {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_into_an_address_and_a_file() {
        for good in ["2026.11-3", "le-soir_7", "a"] {
            assert_eq!(ModelVersion::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", ".", "-1", "a b", "a/b", "é", "a\0", &"a".repeat(65)] {
            assert!(ModelVersion::parse(bad).is_err(), "{bad:?}");
        }
    }
}
