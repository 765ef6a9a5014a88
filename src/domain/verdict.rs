//! The verdict on a new comment: pure, so that a table of cases can test it and an admin can try a policy before using it.
//!
//! All signals are computed before and stored whatever happens here; no rule stops the others from being named. Raising
//! a score never makes the verdict milder. To add a signal: give [`Signals`] a field, name its reasons in [`decide`],
//! and weigh it in [`Priority::of`].

use super::{
    Credibility, DuplicateKind, DuplicateOf, Label, Mode, Policy, Priority, Reason, ReasonCode,
    SanctionKind, Scores, Status, Thresholds,
};

/// What is known of a text.
#[derive(Debug, Clone)]
pub struct Signals {
    pub scores: Scores,
    /// The model's own thresholds.
    pub thresholds: Thresholds,
    pub duplicate_of: Option<DuplicateOf>,
    /// A human approved one of the copies: later ones are not held for being copies.
    pub copy_approved: bool,
    /// A human hid one of the copies, which says more of later ones than that there are any.
    pub copy_hidden: bool,
    pub links: usize,
    /// The banned words that were found, as the list has them.
    pub banned: Vec<String>,
    /// The suspect words that were found.
    pub suspect: Vec<String>,
}

/// What is known of the author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, in any combination"
)]
pub struct AuthorStanding {
    /// Whether readers can see an earlier comment of theirs.
    pub has_published: bool,
    /// They cannot post.
    pub banned: bool,
    /// Everything they write waits.
    pub premoderated: bool,
    /// What they write is held only as a threat.
    pub trusted: bool,
}

impl AuthorStanding {
    /// Adds a measure in force.
    pub const fn add(&mut self, sanction: SanctionKind) {
        match sanction {
            SanctionKind::Ban => self.banned = true,
            SanctionKind::Premoderate | SanctionKind::Shadow => self.premoderated = true,
            SanctionKind::Trust => self.trusted = true,
        }
    }
}

/// What is known of the thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadStanding {
    /// Its own mode; `None` follows the policy.
    pub mode: Option<Mode>,
}

/// What becomes of a comment, why, and how soon a moderator should look.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub status: Status,
    pub reasons: Vec<Reason>,
    pub priority: Priority,
}

/// Decides on a new or changed comment.
#[must_use]
pub fn decide(
    signals: &Signals,
    policy: &Policy,
    author: AuthorStanding,
    thread: ThreadStanding,
) -> Verdict {
    let hold = policy.hold_thresholds(&signals.thresholds);
    // Trust is for who gave no cause for a measure.
    let trusted = author.trusted && !author.premoderated;
    let mut reasons: Vec<Reason> = Label::ALL
        .into_iter()
        .filter_map(|label| {
            let score = *signals.scores.get(label);
            let waits = Some(*hold.get(label)).filter(|from| score >= *from);
            let hidden = policy.hide.get(label).filter(|from| score >= *from);
            let (from, becomes) = match (hidden, waits) {
                (Some(from), _) => (from, "is hidden"),
                (None, Some(from)) => (from, "waits"),
                (None, None) => return None,
            };
            Some(Reason {
                code: label.into(),
                score: Some(score),
                detail: format!(
                    "{:.2}; from {:.2} it {becomes}",
                    score.value(),
                    from.value()
                ),
            })
        })
        .collect();
    let hides_for = |label: Label| {
        policy
            .hide
            .get(label)
            .is_some_and(|threshold| *signals.scores.get(label) >= threshold)
    };

    let hides_copy = policy.hide_hidden_copies && signals.copy_hidden && !signals.copy_approved;
    if hides_copy || (policy.hold_duplicates && !signals.copy_approved) {
        reasons.extend(copied(signals));
    }
    let mut plain = |code, detail: String| {
        reasons.push(Reason {
            code,
            score: None,
            detail,
        });
    };
    for (code, found) in [
        (ReasonCode::BannedWord, &signals.banned),
        (ReasonCode::SuspectWord, &signals.suspect),
    ] {
        if !found.is_empty() {
            plain(code, found.join(", "));
        }
    }
    if signals.links > policy.max_links as usize {
        plain(
            ReasonCode::Links,
            format!("{} links, {} allowed", signals.links, policy.max_links),
        );
    }
    if author.premoderated {
        plain(
            ReasonCode::AuthorSanction,
            "everything this author writes waits".into(),
        );
    }
    if policy.hold_first_comment && !author.has_published {
        plain(
            ReasonCode::FirstComment,
            "the author's first comment".into(),
        );
    }
    if thread.mode.unwrap_or(policy.mode) == Mode::Pre {
        plain(
            ReasonCode::Premoderation,
            "every comment of this thread waits".into(),
        );
    }

    if trusted {
        reasons.retain(|reason| reason.code == ReasonCode::Threat);
    }
    let hides = if trusted {
        hides_for(Label::Threat)
    } else {
        Label::ALL.into_iter().any(hides_for)
            || (policy.hide_banned_words && !signals.banned.is_empty())
            || hides_copy
    };
    let status = match (hides, reasons.is_empty()) {
        (true, _) => Status::Hidden,
        (false, false) => Status::Pending,
        (false, true) => Status::Published,
    };
    let priority = Priority::of(&signals.scores, &reasons, Credibility::default());
    Verdict {
        status,
        reasons,
        priority,
    }
}

/// That the text repeats another, if it does. A hidden one that its author then deleted is no comment to name, but the text
/// is still known.
fn copied(signals: &Signals) -> Option<Reason> {
    let repeats = signals.duplicate_of.map(|copy| match copy.kind {
        DuplicateKind::Exact => "the same text was posted before".to_owned(),
        DuplicateKind::Near => format!(
            "{:.0} % like an earlier comment",
            copy.similarity.value() * 100.0
        ),
    });
    let hidden = (signals.copy_hidden).then(|| "a moderator hid such a text".to_owned());
    let detail: Vec<String> = repeats.into_iter().chain(hidden).collect();
    (!detail.is_empty()).then(|| Reason {
        code: ReasonCode::Duplicate,
        score: signals.duplicate_of.map(|copy| copy.similarity),
        detail: detail.join("; "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CommentId, DuplicateKind, PerLabel, Score};
    use proptest::prelude::*;

    fn calm() -> Signals {
        Signals {
            scores: Scores::default(),
            thresholds: PerLabel::from_fn(|_| Score::clamped(0.5)),
            duplicate_of: None,
            copy_approved: false,
            copy_hidden: false,
            links: 0,
            banned: Vec::new(),
            suspect: Vec::new(),
        }
    }

    fn scored(label: Label, score: f32) -> Signals {
        let mut signals = calm();
        *signals.scores.get_mut(label) = Score::clamped(score);
        signals
    }

    fn copy(kind: DuplicateKind) -> Signals {
        Signals {
            duplicate_of: Some(DuplicateOf {
                id: CommentId::generate(),
                kind,
                similarity: Score::clamped(0.9),
            }),
            ..calm()
        }
    }

    const NEWCOMER: AuthorStanding = AuthorStanding {
        has_published: false,
        banned: false,
        premoderated: false,
        trusted: false,
    };
    const REGULAR: AuthorStanding = AuthorStanding {
        has_published: true,
        ..NEWCOMER
    };
    const OPEN: ThreadStanding = ThreadStanding { mode: None };

    #[test]
    fn the_default_policy_case_by_case() {
        use ReasonCode as R;
        let policy = Policy::default();
        let approved_copy = Signals {
            copy_approved: true,
            ..copy(DuplicateKind::Exact)
        };
        let links = |links| Signals { links, ..calm() };
        let pre = ThreadStanding {
            mode: Some(Mode::Pre),
        };
        let cases: [(&str, Signals, ThreadStanding, Status, &[R]); 10] = [
            ("calm", calm(), OPEN, Status::Published, &[]),
            (
                "below",
                scored(Label::Threat, 0.49),
                OPEN,
                Status::Published,
                &[],
            ),
            (
                "at the threshold",
                scored(Label::Threat, 0.5),
                OPEN,
                Status::Pending,
                &[R::Threat],
            ),
            (
                "certain",
                scored(Label::Spam, 1.0),
                OPEN,
                Status::Pending,
                &[R::Spam],
            ),
            (
                "exact copy",
                copy(DuplicateKind::Exact),
                OPEN,
                Status::Pending,
                &[R::Duplicate],
            ),
            (
                "near copy",
                copy(DuplicateKind::Near),
                OPEN,
                Status::Pending,
                &[R::Duplicate],
            ),
            ("approved copy", approved_copy, OPEN, Status::Published, &[]),
            ("three links", links(3), OPEN, Status::Published, &[]),
            ("four links", links(4), OPEN, Status::Pending, &[R::Links]),
            (
                "premoderated thread",
                calm(),
                pre,
                Status::Pending,
                &[R::Premoderation],
            ),
        ];
        for (name, signals, thread, status, codes) in cases {
            let verdict = decide(&signals, &policy, NEWCOMER, thread);
            let named: Vec<_> = verdict.reasons.iter().map(|reason| reason.code).collect();
            assert_eq!(
                (verdict.status, named.as_slice()),
                (status, codes),
                "{name}"
            );
        }
    }

    #[test]
    fn no_rule_stops_another() {
        let signals = Signals {
            links: 9,
            scores: PerLabel::from_fn(|_| Score::clamped(0.9)),
            ..copy(DuplicateKind::Near)
        };
        let verdict = decide(&signals, &Policy::default(), REGULAR, OPEN);
        assert_eq!(verdict.reasons.len(), 8);
    }

    #[test]
    fn a_sites_own_threshold_overrides_the_models() {
        let mut policy = Policy::default();
        policy.hold.threat = Some(Score::clamped(0.9));
        let status = |score| decide(&scored(Label::Threat, score), &policy, REGULAR, OPEN).status;
        assert_eq!(status(0.8), Status::Published);
        assert_eq!(status(0.9), Status::Pending);
    }

    #[test]
    fn hiding_by_machine_is_the_sites_choice_and_says_why() {
        let mut policy = Policy::default();
        policy.hide.threat = Some(Score::clamped(0.3));
        let verdict = decide(&scored(Label::Threat, 0.4), &policy, REGULAR, OPEN);
        assert_eq!(verdict.status, Status::Hidden);
        assert_eq!(verdict.reasons[0].code, ReasonCode::Threat);
    }

    #[test]
    fn first_comments_wait_where_the_site_says_so() {
        let policy = Policy {
            hold_first_comment: true,
            ..Policy::default()
        };
        assert_eq!(
            decide(&calm(), &policy, NEWCOMER, OPEN).status,
            Status::Pending
        );
        assert_eq!(
            decide(&calm(), &policy, REGULAR, OPEN).status,
            Status::Published
        );
    }

    #[test]
    fn a_policy_written_before_a_field_existed_still_reads() {
        let policy: Policy = serde_json::from_str(r#"{"max_links": 7}"#).unwrap();
        assert_eq!(
            policy,
            Policy {
                max_links: 7,
                ..Policy::default()
            }
        );
        assert!(serde_json::from_str::<Policy>(r#"{"max_link": 7}"#).is_err());
    }

    fn severity(status: Status) -> u8 {
        match status {
            Status::Published => 0,
            Status::Pending => 1,
            Status::Hidden | Status::Deleted => 2,
        }
    }

    proptest! {
        #[test]
        fn a_higher_score_is_never_judged_milder(
            scores in prop::array::uniform6(0f32..=1.0),
            hold in prop::array::uniform6(prop::option::of(0f32..=1.0)),
            hide in prop::array::uniform6(prop::option::of(0f32..=1.0)),
            raised in 0usize..6,
            by in 0f32..=1.0,
        ) {
            let policy = Policy {
                hold: PerLabel::from_fn(|label| hold[label.index()].map(Score::clamped)),
                hide: PerLabel::from_fn(|label| hide[label.index()].map(Score::clamped)),
                ..Policy::default()
            };
            let low = Signals {
                scores: PerLabel::from_fn(|label| Score::clamped(scores[label.index()])),
                ..calm()
            };
            let mut high = low.clone();
            *high.scores.get_mut(Label::ALL[raised]) = Score::clamped(scores[raised] + by);
            let (before, after) = (decide(&low, &policy, REGULAR, OPEN), decide(&high, &policy, REGULAR, OPEN));
            prop_assert!(severity(after.status) >= severity(before.status));
            prop_assert!(after.priority.value >= before.priority.value);
            prop_assert!(before.reasons.iter().all(|r| after.reasons.iter().any(|a| a.code == r.code)));
        }
    }

    #[test]
    fn what_a_human_said_of_a_copy_counts_for_the_next() {
        let hidden = Signals {
            copy_hidden: true,
            ..copy(DuplicateKind::Near)
        };
        let both = Signals {
            copy_approved: true,
            ..hidden.clone()
        };
        let gone = Signals {
            duplicate_of: None,
            ..hidden.clone()
        };
        let holds = Policy::default();
        let hides = Policy {
            hide_hidden_copies: true,
            hold_duplicates: false,
            ..Policy::default()
        };
        for (signals, by_default, if_it_hides) in [
            (&hidden, Status::Pending, Status::Hidden),
            (&gone, Status::Pending, Status::Hidden),
            (&both, Status::Published, Status::Published),
        ] {
            let status = |policy| decide(signals, policy, REGULAR, OPEN).status;
            assert_eq!((status(&holds), status(&hides)), (by_default, if_it_hides));
        }
    }
}
