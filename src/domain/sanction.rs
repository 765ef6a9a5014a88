//! Measures against an author, each in force until it is lifted or its end comes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Note, SanctionId, Timestamp};

/// What is done about an author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SanctionKind {
    /// They cannot post or edit.
    Ban,
    /// Everything they write waits.
    Premoderate,
    /// What they write is held only as a threat.
    Trust,
    /// Everything they write waits, and a page may go on showing it to them alone.
    Shadow,
}

impl SanctionKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Ban, Self::Premoderate, Self::Trust, Self::Shadow];

    /// The name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::Premoderate => "premoderate",
            Self::Trust => "trust",
            Self::Shadow => "shadow",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A measure that a moderator took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sanction {
    pub id: SanctionId,
    pub kind: SanctionKind,
    /// When it ends by itself; null means not before it is lifted.
    #[schema(required)]
    pub until: Option<Timestamp>,
    #[schema(required)]
    pub note: Option<Note>,
    /// The subject of the moderator's token.
    pub moderator: String,
    pub at: Timestamp,
    #[schema(required)]
    pub lifted_at: Option<Timestamp>,
    #[schema(required)]
    pub lifted_by: Option<String>,
}

impl Sanction {
    /// Whether it is in force at that moment.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.lifted_at.is_none() && self.until.is_none_or(|until| until > now)
    }
}

/// What moderators tell one another about an author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuthorNote {
    pub id: super::NoteId,
    pub text: Note,
    pub moderator: String,
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sanction_ends_by_itself_or_by_hand() {
        let at = Timestamp::from_millis;
        let sanction = Sanction {
            id: SanctionId::generate(),
            kind: SanctionKind::Ban,
            until: Some(at(100)),
            note: None,
            moderator: "binta".into(),
            at: at(0),
            lifted_at: None,
            lifted_by: None,
        };
        assert!(sanction.in_force(at(99)));
        assert!(!sanction.in_force(at(100)));
        let endless = Sanction {
            until: None,
            ..sanction.clone()
        };
        assert!(endless.in_force(at(i64::MAX)));
        let lifted = Sanction {
            lifted_at: Some(at(50)),
            ..endless
        };
        assert!(!lifted.in_force(at(60)));
    }

    #[test]
    fn names_read_back() {
        for kind in SanctionKind::ALL {
            assert_eq!(SanctionKind::from_name(kind.as_str()), Some(kind));
        }
    }
}
