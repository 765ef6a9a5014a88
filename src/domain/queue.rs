//! The moderators' queue: which part of it an item waits in, and in what order.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Timestamp;

/// The part of the queue an item waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueName {
    /// Held before readers saw it.
    #[default]
    Waiting,
    /// Published, and reported by readers.
    Reported,
    /// A moderator asked for a second opinion.
    Escalated,
    /// Its author asked for another look.
    Appeals,
    /// Picked to see what the policy would never have shown.
    Sampled,
}

impl QueueName {
    /// Every queue.
    pub const ALL: [Self; 5] = [
        Self::Waiting,
        Self::Reported,
        Self::Escalated,
        Self::Appeals,
        Self::Sampled,
    ];

    /// The name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Reported => "reported",
            Self::Escalated => "escalated",
            Self::Appeals => "appeals",
            Self::Sampled => "sampled",
        }
    }

    /// The queue of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.as_str() == name)
    }
}

/// A moderator's lease of an item: nobody else is to decide on it until it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Claim {
    /// The subject of the moderator's token.
    pub by: String,
    pub until: Timestamp,
}

impl Claim {
    /// How long a lease lasts, in milliseconds, unless its holder does something meanwhile.
    pub const LASTS: i64 = 10 * 60 * 1000;
    /// How long a lease goes without being made longer, in milliseconds, while its holder works.
    pub const RENEWED_EVERY: i64 = 60 * 1000;
    /// The most items one moderator has at a time.
    pub const MOST: usize = 50;

    /// A lease that begins now.
    #[must_use]
    pub fn new(by: &str, now: Timestamp) -> Self {
        Self {
            by: by.to_owned(),
            until: Timestamp::from_millis(now.millis() + Self::LASTS),
        }
    }

    /// A stored lease, if it has not ended.
    #[must_use]
    pub fn standing(by: Option<String>, until: Option<i64>, now: Timestamp) -> Option<Self> {
        let until = Timestamp::from_millis(until.filter(|until| *until > now.millis())?);
        Some(Self { by: by?, until })
    }
}

/// A moderator who looks at an item just now, whether it is theirs to decide or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Viewer {
    /// The subject of the moderator's token.
    pub by: String,
    /// Until when that is believed, unless they say so again.
    pub until: Timestamp,
}

impl Viewer {
    /// How long it is believed that somebody looks, in milliseconds.
    pub const LASTS: i64 = 60 * 1000;
    /// How long it goes without being believed anew, in milliseconds, while they say it again and again.
    pub const RENEWED_EVERY: i64 = 20 * 1000;
}

/// The order of a page of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueSort {
    /// Threats first, then the most harm.
    #[default]
    Priority,
    /// The most harm to be expected first, threats among all else.
    Harm,
    Oldest,
    Newest,
}
