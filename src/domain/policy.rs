//! A site's rules, as an admin sets them.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Invalid, PerLabel, PolicyThresholds, Share, Thresholds, Timestamp, object};

/// Shorter texts ("merci", "courage à tous") repeat by nature and are never duplicates.
pub const MIN_DUPLICATE_CHARS: usize = 25;

/// When comments of a thread appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// At once, unless something holds them.
    #[default]
    Post,
    /// When a moderator approved them.
    Pre,
}

impl Mode {
    /// The name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Pre => "pre",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Post, Self::Pre]
            .into_iter()
            .find(|mode| mode.as_str() == name)
    }
}

/// A site's rules. The default holds for a human and never hides: hiding by machine is for a site to switch on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, in any combination"
)]
pub struct Policy {
    /// Scores from which a comment waits; null follows the model's own thresholds.
    #[serde(deserialize_with = "object")]
    pub hold: PolicyThresholds,
    /// Scores from which a comment is hidden at once; null never hides.
    #[serde(deserialize_with = "object")]
    pub hide: PolicyThresholds,
    /// Whether a copy of an earlier comment waits.
    pub hold_duplicates: bool,
    /// Whether a copy of a comment that a moderator hid is hidden at once, unless a moderator approved another copy.
    pub hide_hidden_copies: bool,
    /// The most links a comment may have without waiting.
    pub max_links: u32,
    /// Whether an author's first comment waits.
    pub hold_first_comment: bool,
    /// Words and phrases with which a comment waits.
    #[schema(max_items = 5_000)]
    pub banned_words: Vec<WordEntry>,
    /// Whether a comment with a banned word is hidden at once instead.
    pub hide_banned_words: bool,
    /// Words and phrases that a moderator should look at, further down the queue.
    #[schema(max_items = 5_000)]
    pub suspect_words: Vec<WordEntry>,
    /// How many reports of one version make a published comment wait; null never does.
    #[schema(value_type = Option<u32>, minimum = 1)]
    pub hold_at_reports: Option<NonZeroU32>,
    /// What waits longer than so many hours, and is nobody's just now, is escalated; null leaves it where it is.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 8_760)]
    pub escalate_after_hours: Option<NonZeroU32>,
    /// Threads take no new comments this many days after they were made; null leaves them open.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 36_500)]
    pub close_after_days: Option<NonZeroU32>,
    /// After this many days the texts of deleted comments, and the mail and network addresses of authors not seen
    /// since, are erased; null keeps them.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 36_500)]
    pub retention_days: Option<NonZeroU32>,
    /// For threads without a mode of their own.
    pub mode: Mode,
    /// Which share of what is published enters the queue `sampled`, for a moderator to look at; 0 is none.
    pub sample_share: Share,
}

/// A word or phrase of a list. One that ends with `*` stands for all words that begin so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 100, pattern = r"^[^*\x00-\x1f\x7f-\x9f]+\*?$", examples("sot*"))]
pub struct WordEntry(String);

impl WordEntry {
    /// The most characters an entry has.
    const MAX_CHARS: usize = 100;

    /// The entry as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for WordEntry {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let text = text.trim();
        let stem = text.strip_suffix('*').unwrap_or(text);
        if stem.contains('*') || !stem.chars().any(char::is_alphanumeric) {
            return Err(Invalid(
                "a word of a list must have a letter or digit, and a * only at its end".into(),
            ));
        }
        if text.chars().count() > Self::MAX_CHARS || text.chars().any(char::is_control) {
            return Err(Invalid(format!(
                "a word of a list must have at most {} characters, on one line",
                Self::MAX_CHARS
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl From<WordEntry> for String {
    fn from(entry: WordEntry) -> Self {
        entry.0
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            hold: PerLabel::default(),
            hide: PerLabel::default(),
            hold_duplicates: true,
            hide_hidden_copies: false,
            max_links: 3,
            hold_first_comment: false,
            banned_words: Vec::new(),
            hide_banned_words: false,
            suspect_words: Vec::new(),
            hold_at_reports: None,
            escalate_after_hours: None,
            close_after_days: None,
            retention_days: None,
            mode: Mode::Post,
            sample_share: Share::SAMPLED,
        }
    }
}

impl Policy {
    /// Whether a thread made then takes no new comments any more.
    #[must_use]
    pub fn closes_by_age(&self, created_at: Timestamp, now: Timestamp) -> bool {
        self.close_after_days
            .is_some_and(|days| now.days_since(created_at) >= i64::from(days.get()))
    }

    /// The scores from which a comment waits, the model's own where the policy follows it.
    #[must_use]
    pub fn hold_thresholds(&self, model: &Thresholds) -> Thresholds {
        PerLabel::from_fn(|label| self.hold.get(label).unwrap_or(*model.get(label)))
    }
}
