//! A moderator's decision, what it may do to a comment, and how it is taken back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CommentId, DecisionId, Label, QueueName, SiteId, Status, ThreadId, Timestamp};

/// What a moderator asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Readers may see it.
    Approve,
    /// Readers may not see it.
    Hide,
    /// Another moderator should look.
    Escalate,
}

impl From<Verb> for Action {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Approve => Self::Approve,
            Verb::Hide => Self::Hide,
            Verb::Escalate => Self::Escalate,
        }
    }
}

/// What the audit log says was done: what was asked for, or an undo of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Approve,
    Hide,
    Escalate,
    /// The comment's latest decision is taken back.
    Undo,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 4] = [Self::Approve, Self::Hide, Self::Escalate, Self::Undo];

    /// The name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Hide => "hide",
            Self::Escalate => "escalate",
            Self::Undo => "undo",
        }
    }

    /// The action of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

/// How far a decision goes beyond the comment it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DecisionScope)]
pub enum Scope {
    /// That comment alone.
    #[default]
    Comment,
    /// And everything below it.
    Subtree,
    /// And its copies, in all threads of the site.
    Duplicates,
    /// And everything its author wrote on the site in the last day.
    AuthorRecent,
}

impl Scope {
    /// How long ago something is recent, in milliseconds.
    pub const RECENT: i64 = 24 * 60 * 60 * 1000;
}

/// Why a moderator decided so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionReason {
    Offensive,
    Abusive,
    Hate,
    Threat,
    Spam,
    OffTopic,
    Illegal,
    PersonalData,
    Duplicate,
    Other,
}

impl DecisionReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Offensive,
        Self::Abusive,
        Self::Hate,
        Self::Threat,
        Self::Spam,
        Self::OffTopic,
        Self::Illegal,
        Self::PersonalData,
        Self::Duplicate,
        Self::Other,
    ];

    /// The name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offensive => "offensive",
            Self::Abusive => "abusive",
            Self::Hate => "hate",
            Self::Threat => "threat",
            Self::Spam => "spam",
            Self::OffTopic => "off_topic",
            Self::Illegal => "illegal",
            Self::PersonalData => "personal_data",
            Self::Duplicate => "duplicate",
            Self::Other => "other",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// Labels a moderator set by hand; they override what the reason would teach the model.
pub type LabelOverrides = BTreeMap<Label, bool>;

/// One entry of the audit log. Entries are added, never changed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Decision {
    pub id: DecisionId,
    pub comment_id: CommentId,
    #[serde(skip)]
    pub site: SiteId,
    #[serde(skip)]
    pub thread: ThreadId,
    pub action: Action,
    #[schema(required)]
    pub reason: Option<DecisionReason>,
    #[schema(required)]
    pub note: Option<String>,
    #[schema(value_type = BTreeMap<Label, bool>)]
    pub labels: LabelOverrides,
    /// The subject of the moderator's token.
    pub moderator: String,
    pub at: Timestamp,
    pub from_status: Status,
    pub to_status: Status,
    #[schema(required)]
    pub from_queue: Option<QueueName>,
    #[schema(required)]
    pub to_queue: Option<QueueName>,
    /// The comment's version after this decision.
    pub version: i64,
    /// The decision that stood before, if any.
    #[serde(skip)]
    pub replaces: Option<DecisionId>,
    /// The decision that this one takes back.
    #[schema(required)]
    pub undoes: Option<DecisionId>,
    /// What was decided together is undone together.
    #[schema(required)]
    pub group_id: Option<uuid::Uuid>,
}

/// Why an action cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the comment was deleted by its author")]
    Deleted,
    #[error("only a pending comment can be escalated")]
    NotPending,
    #[error("the comment is already escalated")]
    AlreadyEscalated,
    #[error("whoever escalated a comment cannot give the second opinion")]
    OwnEscalation,
}

/// Why a decision cannot be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UndoRefusal {
    #[error("a later decision was made on this comment")]
    NotLatest,
    #[error("the comment changed after this decision")]
    Changed,
    #[error("an undo can be undone only once")]
    UndoneTwice,
}

impl Verb {
    /// Where it takes a comment of this status that waits in `queue`: its new status, and the queue it then waits in.
    ///
    /// `own_escalation` says that the one who decides is the one who escalated it.
    ///
    /// # Errors
    /// When the action does not apply.
    pub fn transition(
        self,
        status: Status,
        queue: Option<QueueName>,
        own_escalation: bool,
    ) -> Result<(Status, Option<QueueName>), Refusal> {
        let escalated = queue == Some(QueueName::Escalated);
        match self {
            _ if status == Status::Deleted => Err(Refusal::Deleted),
            Self::Escalate if status != Status::Pending => Err(Refusal::NotPending),
            Self::Escalate if escalated => Err(Refusal::AlreadyEscalated),
            Self::Approve | Self::Hide if escalated && own_escalation => {
                Err(Refusal::OwnEscalation)
            }
            Self::Approve => Ok((Status::Published, None)),
            Self::Hide => Ok((Status::Hidden, None)),
            Self::Escalate => Ok((Status::Pending, Some(QueueName::Escalated))),
        }
    }
}

impl Decision {
    /// Whether this decision may be taken back, given the comment's version, its latest decision, and what this one
    /// itself takes back.
    ///
    /// # Errors
    /// When something happened since, or this is already the second turn of an undo.
    pub fn may_be_undone(
        &self,
        version: i64,
        latest: DecisionId,
        undone: Option<&Self>,
    ) -> Result<(), UndoRefusal> {
        if latest != self.id {
            Err(UndoRefusal::NotLatest)
        } else if version != self.version {
            Err(UndoRefusal::Changed)
        } else if undone.is_some_and(|undone| undone.action == Action::Undo) {
            Err(UndoRefusal::UndoneTwice)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_on_every_status() {
        use {QueueName as Q, Status as S, Verb as A};
        let waiting = Some(Q::Waiting);
        for (action, status, queue, expected) in [
            (A::Approve, S::Pending, waiting, Ok((S::Published, None))),
            (A::Approve, S::Hidden, None, Ok((S::Published, None))),
            (
                A::Approve,
                S::Published,
                Some(Q::Reported),
                Ok((S::Published, None)),
            ),
            (A::Hide, S::Pending, waiting, Ok((S::Hidden, None))),
            (A::Hide, S::Published, None, Ok((S::Hidden, None))),
            (
                A::Escalate,
                S::Pending,
                waiting,
                Ok((S::Pending, Some(Q::Escalated))),
            ),
            (A::Escalate, S::Published, None, Err(Refusal::NotPending)),
            (A::Escalate, S::Hidden, None, Err(Refusal::NotPending)),
            (
                A::Escalate,
                S::Pending,
                Some(Q::Escalated),
                Err(Refusal::AlreadyEscalated),
            ),
            (A::Approve, S::Deleted, None, Err(Refusal::Deleted)),
            (A::Hide, S::Deleted, None, Err(Refusal::Deleted)),
        ] {
            assert_eq!(
                action.transition(status, queue, false),
                expected,
                "{action:?} {status:?} {queue:?}"
            );
        }
    }

    #[test]
    fn the_second_opinion_is_somebody_elses() {
        let escalated = Some(QueueName::Escalated);
        for action in [Verb::Approve, Verb::Hide] {
            assert_eq!(
                action.transition(Status::Pending, escalated, true),
                Err(Refusal::OwnEscalation)
            );
            assert!(action.transition(Status::Pending, escalated, false).is_ok());
        }
    }

    #[test]
    fn names_read_back() {
        for action in Action::ALL {
            assert_eq!(Action::from_name(action.as_str()), Some(action));
        }
        for reason in DecisionReason::ALL {
            assert_eq!(DecisionReason::from_name(reason.as_str()), Some(reason));
            assert_eq!(
                serde_json::to_value(reason).unwrap(),
                serde_json::json!(reason.as_str())
            );
        }
    }
}
