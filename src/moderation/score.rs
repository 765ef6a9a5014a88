//! Scoring a text without storing it.

use serde::Serialize;
use utoipa::ToSchema;

use super::appraisal::compile;
use crate::{
    classifier::{Comment, Model},
    domain::{
        AuthorStanding, Highlight, Policy, Reason, Scores, Signals, Span, Status, ThreadStanding,
        WordEntry, count_links, decide,
    },
};

/// A text to score.
#[derive(Debug, Clone, Copy)]
pub struct ScoreRequest<'a> {
    pub text: &'a str,
    /// The comment it answers.
    pub parent_text: Option<&'a str>,
    pub lang: Option<&'a str>,
    /// Whether to say which spans raised the scores.
    pub explain: bool,
}

/// What the model and a policy say of a text. Duplicates and the author are not looked at.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ScoredText {
    pub scores: Scores,
    pub status: Status,
    pub reasons: Vec<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<Highlight>)]
    pub highlights: Option<Vec<Highlight>>,
    /// What was cut out before scoring, as a quote of the parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<Span>)]
    pub quotes: Option<Vec<Span>>,
    pub model: String,
}

/// Scores a text and says what the policy would do with it. Any text will do.
#[must_use]
pub fn score_text(model: &Model, policy: &Policy, request: ScoreRequest<'_>) -> ScoredText {
    let above: Vec<&str> = request.parent_text.into_iter().collect();
    let comment = Comment {
        text: request.text,
        ancestors: &above,
        lang: request.lang,
    };
    let (scores, explained) = if request.explain {
        let assessment = model.assess(&comment);
        (
            assessment.scores,
            Some((assessment.highlights, assessment.quotes)),
        )
    } else {
        (model.score(&comment), None)
    };
    let signals = Signals {
        scores,
        thresholds: *model.thresholds(),
        duplicate_of: None,
        copy_approved: false,
        copy_hidden: false,
        links: count_links(request.text),
        banned: words(&policy.banned_words, request.text),
        suspect: words(&policy.suspect_words, request.text),
    };
    let verdict = decide(
        &signals,
        policy,
        AuthorStanding {
            has_published: true,
            ..AuthorStanding::default()
        },
        ThreadStanding { mode: None },
    );
    let (highlights, quotes) = explained.unzip();
    ScoredText {
        scores,
        status: verdict.status,
        reasons: verdict.reasons,
        highlights,
        quotes,
        model: model.version().to_owned(),
    }
}

/// The words of a list that occur in a text.
fn words(list: &[WordEntry], text: &str) -> Vec<String> {
    if list.is_empty() {
        return Vec::new();
    }
    compile(list).map_or_else(
        |_| Vec::new(),
        |list| list.find(text).into_iter().map(str::to_owned).collect(),
    )
}
