//! A comment: what a reader wrote, where it hangs in the tree, and what became of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AuthorId, AuthorName, Body, CommentId, DecisionId, Email, ExternalId, Score, Scores, SiteId,
    ThreadId, ThreadKey, Timestamp,
    decision::{Action, DecisionReason},
    report::StandingAppeal,
};

/// What readers may see of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everybody sees it.
    Published,
    /// It waits for a moderator; its author may see it.
    Pending,
    /// A moderator, or a policy that says so, took it away.
    Hidden,
    /// Its author took it away.
    Deleted,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Published, Self::Pending, Self::Hidden, Self::Deleted];

    /// The name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Pending => "pending",
            Self::Hidden => "hidden",
            Self::Deleted => "deleted",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether a reader may answer such a comment. A site may have shown a pending one to its author's friends, so it
    /// takes replies; what was taken away does not.
    #[must_use]
    pub const fn takes_replies(self) -> bool {
        matches!(self, Self::Published | Self::Pending)
    }
}

/// A reader as a comment names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Author {
    /// The site's own id of the reader.
    pub id: AuthorId,
    pub name: AuthorName,
}

/// A reader as the site introduces them with a comment. Mail and address are kept for moderation, never shown to readers.
#[derive(Clone)]
pub struct NewAuthor {
    pub author: Author,
    pub email: Option<Email>,
    pub ip: Option<std::net::IpAddr>,
}

impl NewAuthor {
    /// Takes over what a later introduction says; what it leaves out stays.
    pub fn update(&mut self, later: &Self) {
        self.author.clone_from(&later.author);
        if later.email.is_some() {
            self.email.clone_from(&later.email);
        }
        self.ip = later.ip.or(self.ip);
    }
}

/// Without mail and address, which must not reach a log.
impl std::fmt::Debug for NewAuthor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewAuthor({:?})", self.author)
    }
}

/// A comment that a site wants to post.
#[derive(Debug, Clone)]
pub struct NewComment {
    pub body: Body,
    pub author: NewAuthor,
    pub parent: Option<CommentId>,
    pub external_id: Option<ExternalId>,
}

/// Why the machine wants a human to look.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    Toxicity,
    Insult,
    Threat,
    IdentityAttack,
    Profanity,
    Spam,
    Duplicate,
    BannedWord,
    SuspectWord,
    Links,
    FirstComment,
    Premoderation,
    Report,
    AuthorSanction,
    Appeal,
    Sample,
}

impl ReasonCode {
    /// Every code. The position of one is its bit in the database: only append.
    pub const ALL: [Self; 16] = [
        Self::Toxicity,
        Self::Insult,
        Self::Threat,
        Self::IdentityAttack,
        Self::Profanity,
        Self::Spam,
        Self::Duplicate,
        Self::BannedWord,
        Self::SuspectWord,
        Self::Links,
        Self::FirstComment,
        Self::Premoderation,
        Self::Report,
        Self::AuthorSanction,
        Self::Appeal,
        Self::Sample,
    ];

    /// The bit of this code in a set of codes.
    #[must_use]
    pub const fn bit(self) -> i64 {
        1 << self as u32
    }
}

impl From<super::Label> for ReasonCode {
    fn from(label: super::Label) -> Self {
        match label {
            super::Label::Toxicity => Self::Toxicity,
            super::Label::Insult => Self::Insult,
            super::Label::Threat => Self::Threat,
            super::Label::IdentityAttack => Self::IdentityAttack,
            super::Label::Profanity => Self::Profanity,
            super::Label::Spam => Self::Spam,
        }
    }
}

/// One reason, with the score behind it where there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    pub code: ReasonCode,
    #[schema(required)]
    pub score: Option<Score>,
    /// Short, for a human.
    pub detail: String,
}

/// How alike a duplicate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateKind {
    /// The same once letter case, look-alike characters, white space and quotes are set aside.
    Exact,
    /// Most of the character 4-grams are shared.
    Near,
}

/// The earlier comment that this one repeats: the oldest surviving of its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct DuplicateOf {
    pub id: CommentId,
    pub kind: DuplicateKind,
    /// Share of common character 4-grams (Jaccard), 0 to 1.
    pub similarity: Score,
}

/// The decision that stands, as a comment shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StandingDecision {
    #[serde(skip)]
    pub id: DecisionId,
    pub action: Action,
    #[schema(required)]
    pub reason: Option<DecisionReason>,
    /// Whose it is; the comment does not show it.
    #[serde(skip)]
    pub moderator: String,
    pub at: Timestamp,
}

/// A comment as stored.
#[derive(Debug, Clone)]
pub struct Comment {
    pub id: CommentId,
    pub site: SiteId,
    pub thread: ThreadId,
    pub thread_key: ThreadKey,
    pub parent: Option<CommentId>,
    /// 0 for a comment on the page itself.
    pub depth: u8,
    pub external_id: Option<ExternalId>,
    pub author: Author,
    pub body: Body,
    pub status: Status,
    pub created_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    /// Goes up on any change of body or status.
    pub version: i64,
    /// When anything of it last changed.
    pub changed_at: Timestamp,
    pub scores: Scores,
    pub reasons: Vec<Reason>,
    pub duplicate_of: Option<DuplicateOf>,
    pub decision: Option<StandingDecision>,
    /// The latest appeal about it.
    pub appeal: Option<StandingAppeal>,
    /// The version of the model that gave the scores.
    pub model: String,
}

impl Comment {
    /// Whether its author waits for an answer to an appeal, and has not got what they asked for otherwise.
    #[must_use]
    pub fn awaits_answer(&self) -> bool {
        let open = self
            .appeal
            .as_ref()
            .is_some_and(|appeal| appeal.answer.is_none());
        open && matches!(self.status, Status::Pending | Status::Hidden)
    }

    /// Whether what its author appeals against is this moderator's own decision: better that another answers.
    #[must_use]
    pub fn appeals_against(&self, moderator: &str) -> bool {
        let standing = self.decision.as_ref();
        self.awaits_answer() && standing.is_some_and(|decision| decision.moderator == moderator)
    }
}

/// What a comment said before an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Revision {
    /// The comment's version that said so.
    pub version: i64,
    pub body: Body,
    pub replaced_at: Timestamp,
}

/// How many links a text carries: `http://`, `https://`, and `www.` without a scheme.
#[must_use]
pub fn count_links(text: &str) -> usize {
    let lower = text.to_lowercase();
    let bare_www = lower
        .match_indices("www.")
        .filter(|(at, _)| !lower[..*at].ends_with("//"))
        .count();
    lower.matches("http://").count() + lower.matches("https://").count() + bare_www
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_counted_once_each() {
        assert_eq!(count_links("rien à voir"), 0);
        assert_eq!(
            count_links("https://www.a.example HTTP://b.example www.c.example"),
            3
        );
    }

    #[test]
    fn every_reason_has_its_own_bit_in_the_order_of_the_list() {
        for (position, code) in ReasonCode::ALL.into_iter().enumerate() {
            assert_eq!(code.bit(), 1 << position);
        }
    }

    #[test]
    fn status_names_read_back() {
        for status in Status::ALL {
            assert_eq!(Status::from_name(status.as_str()), Some(status));
        }
        assert_eq!(Status::from_name("gone"), None);
    }
}
