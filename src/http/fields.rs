//! What is wrong with the fields of a request, all of it said at once.

use super::problem::{FieldError, Problem};
use crate::domain::Invalid;

/// What is wrong with the fields of a request, collected so that all of it is said at once.
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// Notes what is wrong with a field.
    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError {
            field: field.to_owned(),
            message: message.into(),
        });
    }

    /// The value of a field that parsed; notes what is wrong with one that did not.
    pub fn check<T>(&mut self, field: &str, parsed: Result<T, Invalid>) -> Option<T> {
        parsed.map_err(|refusal| self.refuse(field, refusal.0)).ok()
    }

    /// The same for a field that may be absent or null.
    pub fn check_optional<T>(
        &mut self,
        field: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        text.and_then(|text| self.check(field, parse(text)))
    }

    /// Goes on only if nothing was wrong.
    ///
    /// # Errors
    /// When something was.
    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.into())
        }
    }
}

impl From<Fields> for Problem {
    fn from(fields: Fields) -> Self {
        Self::validation(fields.0)
    }
}
