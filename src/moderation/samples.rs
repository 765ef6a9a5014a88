//! Which new comments a moderator looks at by chance; and how much of what is wrong the policy found, which they tell.

use serde::Serialize;
use utoipa::ToSchema;
use xxhash_rust::xxh3::xxh3_64;

use super::{Administration, Error, Moderation, StatsRequest, stats};
use crate::{
    domain::{
        Answer, Answered, Caller, Comment, Interval, Missed, Policy, Sample, SampleKind, Site,
        Status, Thresholds, Timestamp,
    },
    store::{SampledComment, Store, WrongCount},
};

/// Draws a new comment, or does not: of what the policy publishes, whatever its text was not seen before. A copy is not
/// drawn, so that a text counts once.
pub(super) fn draw(
    comment: &Comment,
    policy: &Policy,
    model: &Thresholds,
) -> Option<SampledComment> {
    if comment.status != Status::Published || comment.duplicate_of.is_some() {
        return None;
    }
    let hold = policy.hold_thresholds(model);
    // The id is made anew for each attempt, and nobody knows it before.
    let bits = xxh3_64(comment.id.0.as_bytes()) >> 11;
    let number = bits as f64 / (1u64 << 53) as f64;
    let sample = Sample::draw(policy.sample_share, &comment.scores, &hold, number)?;
    Some(SampledComment {
        comment: comment.id,
        site: comment.site,
        sample,
        at: comment.created_at,
    })
}

/// How much of what was wrong among what was received the policy held. What is wrong is what a moderator hid for what it
/// says. Copies of earlier comments are left out, and what was edited or deleted since.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Recall {
    /// The first day asked for, or the first sample that the sites ever drew, if that is later; null where none was drawn.
    #[schema(required)]
    pub since: Option<Timestamp>,
    pub until: Timestamp,
    /// Published comments that were drawn.
    pub sampled: u64,
    /// Of these, how many for being close to a threshold.
    pub uncertain: u64,
    /// Of those drawn, how many a moderator has decided.
    pub judged: u64,
    /// With fewer judged there is no estimate.
    pub least_judged: usize,
    /// Nor is there where samples of a site are not judged and fewer than this were decided as samples.
    pub least_of_site: usize,
    /// Held or hidden by the policy, and hidden by a moderator for what they say.
    pub held_wrong: u64,
    /// Published by the policy, and hidden by a moderator for what they say, however they came upon them.
    pub missed_known: u64,
    /// How many there are of these, with those that nobody came upon, as samples tell, and never fewer than are known; null
    /// where too few samples are judged, in all or of a site.
    #[schema(required)]
    pub missed_estimate: Option<f64>,
    /// The share of `held_wrong` in all that is wrong, with its 95 % interval; null where there is no estimate, or nothing was
    /// wrong.
    #[schema(required, value_type = Option<Interval>)]
    pub recall: Option<Interval>,
}

async fn recall(
    store: &Store,
    sites: &[Site],
    from: Timestamp,
    until: Timestamp,
) -> Result<Recall, Error> {
    let mut by_site: Vec<Vec<Answer>> = Vec::new();
    let (mut since, mut uncertain, mut wrong) = (None, 0, WrongCount::default());
    let mut conn = store.read().await?;
    let mut db = conn.db();
    for site in sites {
        // Before the first sample nothing was drawn, and nothing is known of what was published.
        let Some(first) = db
            .first_sample(site.id)
            .await?
            .filter(|first| *first < until)
        else {
            continue;
        };
        let begin = from.max(first);
        since = Some(since.map_or(begin, |since: Timestamp| since.min(begin)));
        let answers = db.answers(site.id, begin, until).await?;
        let drawn_close = answers
            .iter()
            .filter(|(kind, _)| *kind == SampleKind::Uncertain);
        uncertain += drawn_close.count() as u64;
        by_site.push(answers.into_iter().map(|(_, answer)| answer).collect());
        let here = db.wrong_by_policy(site.id, begin, until).await?;
        wrong.held += here.held;
        wrong.published += here.published;
    }
    let answers = by_site.iter().flatten();
    let judged = (answers.clone()).filter(|answer| answer.answered != Answered::NotYet);
    let missed = Missed::estimate(&by_site);
    Ok(Recall {
        since,
        until,
        sampled: answers.count() as u64,
        uncertain,
        judged: judged.count() as u64,
        least_judged: Missed::LEAST_ANSWERS,
        least_of_site: Missed::LEAST_OF_CLASS,
        held_wrong: wrong.held,
        missed_known: wrong.published,
        missed_estimate: missed.map(|missed| missed.0.value.max(wrong.published as f64)),
        recall: missed.and_then(|missed| missed.recall(wrong.held, wrong.published)),
    })
}

impl Moderation {
    /// How much of what was wrong the policies of the caller's sites held.
    ///
    /// # Errors
    /// When the site named is foreign, or there are too many days.
    #[tracing::instrument(skip_all)]
    pub async fn recall(&self, caller: &Caller, request: &StatsRequest) -> Result<Recall, Error> {
        let sites = self.sites_of(caller, request.site.as_ref(), false).await?;
        let period = request.period(self.clock.now())?;
        let _turn = stats::turn().await?;
        recall(&self.store, &sites, period.from, period.to).await
    }

    /// Takes samples out of the queue that nobody looked at in time. How many.
    pub(super) async fn forget_old_samples(&self, at_once: i64) -> Result<u64, Error> {
        let now = self.clock.now();
        let before = now.days_before(Sample::DAYS);
        let mut forgotten = 0;
        for site in self.administration.sites().await? {
            loop {
                let mut tx = self.store.begin().await?;
                let count = tx
                    .db()
                    .forget_samples(site.id, before, now, at_once)
                    .await?;
                tx.commit().await?;
                forgotten += count;
                if count < at_once.cast_unsigned() {
                    break;
                }
            }
        }
        Ok(forgotten)
    }
}

impl Administration {
    /// How much of what was wrong the policies held, without a server.
    ///
    /// # Errors
    /// When there is no such site, or there are too many days.
    pub async fn recall(&self, request: &StatsRequest) -> Result<Recall, Error> {
        let sites = self.sites_named(request.site.as_ref()).await?;
        let period = request.period(Timestamp::now())?;
        recall(&self.store, &sites, period.from, period.to).await
    }
}
