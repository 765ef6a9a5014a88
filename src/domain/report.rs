//! Readers' reports of comments, and authors' appeals.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AppealId, AuthorId, Body, CommentId, Note, ReportId, Timestamp};

/// Why a reader reports a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportReason {
    Offensive,
    Abusive,
    Spam,
    Other,
}

impl ReportReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Offensive, Self::Abusive, Self::Spam, Self::Other];

    /// The name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offensive => "offensive",
            Self::Abusive => "abusive",
            Self::Spam => "spam",
            Self::Other => "other",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// Who reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reporter {
    pub id: AuthorId,
}

/// A reader's report. A reader reports a comment once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    pub id: ReportId,
    pub comment_id: CommentId,
    pub reporter: Reporter,
    pub reason: ReportReason,
    #[schema(required)]
    pub note: Option<Note>,
    /// The comment's version that was reported.
    pub version: i64,
    /// Its text then.
    pub body: Body,
    pub at: Timestamp,
}

/// An author asks for another look at a comment of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Appeal {
    pub id: AppealId,
    pub comment_id: CommentId,
    pub text: Note,
    /// The comment's version it is about; there is one appeal for each.
    pub version: i64,
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for reason in ReportReason::ALL {
            assert_eq!(ReportReason::from_name(reason.as_str()), Some(reason));
        }
    }
}
