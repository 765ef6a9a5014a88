//! Readers' reports of comments, and authors' appeals.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Action, AppealId, AuthorId, Body, CommentId, Decision, DecisionId, Note, ReportId, Timestamp,
};

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
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
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
    /// How much it counts for the order of the queue, from 0 to 1, by how often its reporter was right before.
    pub weight: f64,
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
    /// Null until a moderator decided.
    #[schema(required)]
    pub answer: Option<AppealAnswer>,
}

/// What became of the decision that was appealed against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppealOutcome {
    /// The comment stays hidden.
    Upheld,
    /// Readers see it.
    Overturned,
}

impl AppealOutcome {
    /// What an action makes of the decision appealed against, if it settles it.
    #[must_use]
    pub const fn of(action: Action) -> Option<Self> {
        match action {
            Action::Approve => Some(Self::Overturned),
            Action::Hide => Some(Self::Upheld),
            Action::Escalate | Action::Undo => None,
        }
    }
}

/// A moderator's answer to an appeal: a decision, and the reasons given for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AppealAnswer {
    #[serde(skip)]
    pub decision: DecisionId,
    pub outcome: AppealOutcome,
    /// The reasons. Null only where nobody asked for them yet.
    #[schema(required)]
    pub note: Option<Note>,
    pub at: Timestamp,
}

impl AppealAnswer {
    /// The answer that a decision gives, if it settles what was appealed against.
    #[must_use]
    pub fn by(decision: &Decision) -> Option<Self> {
        Some(Self {
            decision: decision.id,
            outcome: AppealOutcome::of(decision.action)?,
            note: decision.note.clone().map(Note::stored),
            at: decision.at,
        })
    }
}

/// The latest appeal about a comment, as the comment shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CommentAppeal)]
pub struct StandingAppeal {
    #[serde(skip)]
    pub id: AppealId,
    pub at: Timestamp,
    pub text: Note,
    /// Null until a moderator decided.
    #[schema(required)]
    pub answer: Option<AppealAnswer>,
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
