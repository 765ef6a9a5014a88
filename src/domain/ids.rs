//! Identifiers: UUIDv7, made by the application, so that ids sort by the time they were made.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, greater than those this process made before.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    )+};
}

impl SiteId {
    /// A number to mix into hashes of a site's texts, so that sites do not meet in one bucket or lock.
    #[must_use]
    pub const fn salt(self) -> i64 {
        let (high, low) = self.0.as_u64_pair();
        (high ^ low.rotate_left(32)).cast_signed()
    }
}

ids! {
    /// A site: one newspaper, one community.
    SiteId,
    /// A comment thread: one page of a site.
    ThreadId,
    /// A comment.
    CommentId,
    /// One entry of the audit log.
    DecisionId,
    /// A reader's report.
    ReportId,
    /// An author's appeal.
    AppealId,
    /// A measure against an author.
    SanctionId,
    /// A note about an author.
    NoteId,
    /// A cluster of copies.
    ClusterId,
    /// A moderator's session.
    SessionId,
    /// A time that a model scores beside the live one.
    ShadowId,
}
