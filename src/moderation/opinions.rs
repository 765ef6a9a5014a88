//! Where moderators and the model differ most, so that somebody looks again; and how far moderators agree.

use std::collections::HashSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::{Administration, CommentView, Error, Moderation, Page, StatsRequest, stats};
use crate::{
    domain::{Agreement, Caller, Decision, Label, Score, Site, SiteId, SiteSlug, Surprise, taught},
    store::{ScoredDecision, Store},
};

/// The newest decisions that are looked at, at most.
const MOST: usize = 10_000;

/// Which disagreements to show.
#[derive(Debug, Clone, Default)]
pub struct DisagreementRequest {
    pub site: Option<SiteSlug>,
    /// Only about this label.
    pub label: Option<Label>,
    /// How many at most.
    pub limit: usize,
}

/// A comment of which a moderator decided what the model held for unlikely.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Disagreement {
    pub comment: CommentView,
    pub site: SiteSlug,
    /// The label about which they differ most.
    pub label: Label,
    pub score: Score,
    /// Whether the comment has the label, by the decision.
    pub decided: bool,
    /// Minus the natural logarithm of the probability that the model gave to what was decided: 0.7 is as good as guessing.
    pub surprise: f64,
    pub decision: Decision,
}

/// The decisions that surprise the model most, each text once.
fn most_surprising(
    decided: Vec<ScoredDecision>,
    request: &DisagreementRequest,
) -> Vec<(ScoredDecision, Surprise)> {
    let mut surprising: Vec<(ScoredDecision, Surprise)> = decided
        .into_iter()
        .filter_map(|one| {
            let taught = taught(one.action, one.reason, &one.labels, &one.reasons);
            let surprise = Surprise::greatest(&one.scores, &taught, request.label)?;
            Some((one, surprise))
        })
        .collect();
    // Those that surprise alike stay the newest first.
    surprising.sort_by(|(_, a), (_, b)| b.value.total_cmp(&a.value));
    let mut seen = HashSet::new();
    surprising.retain(|(one, _)| one.cluster.is_none_or(|cluster| seen.insert(cluster)));
    surprising.truncate(request.limit);
    surprising
}

async fn disagreements(
    store: &Store,
    sites: &[Site],
    request: &DisagreementRequest,
) -> Result<Page<Disagreement>, Error> {
    let ids: Vec<SiteId> = sites.iter().map(|site| site.id).collect();
    let mut conn = store.read().await?;
    let mut db = conn.db();
    let surprising = most_surprising(db.scored_decisions(&ids, MOST).await?, request);
    let comments = db
        .comments(surprising.iter().map(|(one, _)| one.comment))
        .await?;
    let mut items = Vec::with_capacity(surprising.len());
    for (one, surprise) in surprising {
        let comment = comments.iter().find(|comment| comment.id == one.comment);
        let decision = db.decision(one.decision).await?;
        // A comment that was erased between two reads is left out.
        let Some((comment, decision)) = comment.zip(decision) else {
            continue;
        };
        let Some(site) = sites.iter().find(|site| site.id == comment.site) else {
            continue;
        };
        items.push(Disagreement {
            comment: comment.clone().into(),
            site: site.slug.clone(),
            label: surprise.label,
            score: surprise.score,
            decided: surprise.decided,
            surprise: (surprise.value * 1e3).round() / 1e3,
            decision,
        });
    }
    Ok(Page {
        items,
        next_cursor: None,
    })
}

async fn agreement(
    store: &Store,
    sites: &[Site],
    period: stats::Period,
) -> Result<Agreement, Error> {
    let ids: Vec<SiteId> = sites.iter().map(|site| site.id).collect();
    let mut conn = store.read().await?;
    let pairs = conn
        .db()
        .opinion_pairs(&ids, period.from, period.to)
        .await?;
    Ok(Agreement::of(&pairs))
}

impl Moderation {
    /// Where moderators of the caller's sites and the model differ most.
    ///
    /// # Errors
    /// When the site named is foreign.
    #[tracing::instrument(skip_all)]
    pub async fn disagreements(
        &self,
        caller: &Caller,
        request: &DisagreementRequest,
    ) -> Result<Page<Disagreement>, Error> {
        let sites = self.sites_of(caller, request.site.as_ref(), false).await?;
        let _turn = stats::turn().await?;
        disagreements(&self.store, &sites, request).await
    }

    /// How far moderators of the caller's sites agree.
    ///
    /// # Errors
    /// When the site named is foreign, or there are too many days.
    #[tracing::instrument(skip_all)]
    pub async fn agreement(
        &self,
        caller: &Caller,
        request: &StatsRequest,
    ) -> Result<Agreement, Error> {
        let sites = self.sites_of(caller, request.site.as_ref(), false).await?;
        let period = request.period(self.clock.now())?;
        let _turn = stats::turn().await?;
        agreement(&self.store, &sites, period).await
    }
}

impl Administration {
    /// Where moderators and the model differ most, without a server.
    ///
    /// # Errors
    /// When there is no such site.
    pub async fn disagreements(
        &self,
        request: &DisagreementRequest,
    ) -> Result<Page<Disagreement>, Error> {
        let sites = self.sites_named(request.site.as_ref()).await?;
        disagreements(&self.store, &sites, request).await
    }

    /// How far moderators agree, without a server.
    ///
    /// # Errors
    /// When there is no such site, or there are too many days.
    pub async fn agreement(&self, request: &StatsRequest) -> Result<Agreement, Error> {
        let sites = self.sites_named(request.site.as_ref()).await?;
        let period = request.period(crate::domain::Timestamp::now())?;
        agreement(&self.store, &sites, period).await
    }
}
