//! For snapshots: what differs from run to run, hidden only where it is what it should be.

use insta::internals::Content;

/// Hides a value behind `name` if `is_one` knows it, and leaves it to be seen if not.
fn redacted(name: &'static str, is_one: fn(&Content) -> bool) -> insta::internals::Redaction {
    insta::dynamic_redaction(move |value, _| {
        if is_one(&value) {
            Content::from(name)
        } else {
            value
        }
    })
}

/// An id of ours.
pub fn redacted_id() -> insta::internals::Redaction {
    redacted("[id]", |value| {
        let id = value
            .as_str()
            .and_then(|text| text.parse::<uuid::Uuid>().ok());
        id.is_some_and(|id| id.get_version_num() == 7)
    })
}

/// A time in UTC with milliseconds.
pub fn redacted_time() -> insta::internals::Redaction {
    redacted("[time]", |value| {
        let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
        value.as_str().map(shape).as_deref() == Some("0000-00-00T00:00:00.000Z")
    })
}

fn is_score(value: &Content) -> bool {
    match value {
        Content::F64(score) => (0.0..=1.0).contains(score),
        Content::U64(score) => *score <= 1,
        _ => false,
    }
}

/// A probability.
pub fn redacted_score() -> insta::internals::Redaction {
    redacted("[score]", is_score)
}

/// The six probabilities of a text.
pub fn redacted_scores() -> insta::internals::Redaction {
    redacted("[six scores]", |value| match value {
        Content::Map(scores) => {
            scores.len() == 6 && scores.iter().all(|(_, score)| is_score(score))
        }
        _ => false,
    })
}
