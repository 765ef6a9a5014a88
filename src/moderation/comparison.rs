//! What the shadow would have done with what was written since it was set, beside the live model.
//!
//! The newest comments that the shadow scored are read once, page after page, and counted: of each no more is kept than which copies
//! it is one of. What was scored by an earlier live model says nothing of this one, and is left out until `rescore` has given it scores of the live one.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Administration, Error, LiveModel, Moderation, registry, sites::require_all_sites, stats,
};
use crate::{
    domain::{
        Both, Caller, CommentId, Compared, ComparedLabel, Differing, Disagreement, Judged, Label,
        ModelVersion, PerLabel, Scores, SiteSlug, Tally, ThreadKey, Thresholds, Timestamp, Would,
    },
    store::{Shadow, ShadowedComment},
};

/// Comments read at a time.
const PAGE: i64 = 500;
/// The newest comments of the shadow that are looked at, at most.
const MOST: usize = 100_000;

/// What to compare.
#[derive(Debug, Clone)]
pub struct ComparisonRequest {
    /// Only what was written on this site.
    pub site: Option<SiteSlug>,
    /// Only what was written at this moment or later.
    pub since: Option<Timestamp>,
    /// How many comments to name, at most.
    pub limit: usize,
}

/// The live model and the shadow on the same comments.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ModelComparison)]
pub struct Comparison {
    /// The live model.
    pub live: String,
    pub shadow: String,
    /// Who made it the shadow.
    pub set_by: String,
    pub set_at: Timestamp,
    /// Comments that both scored, of the newest 100,000 of the shadow, on whatever site. Those that were deleted are left out.
    pub compared: u64,
    /// Comments that are left out since another model than the live one gave them the scores that are stored.
    pub scored_by_another: u64,
    /// What was written since then is compared; what was written before and edited since the shadow was set, too, unless what
    /// was asked for excludes it.
    pub since: Timestamp,
    /// What each would have held, by its own thresholds and those of the sites' policies. Links, copies and words are not
    /// looked at.
    pub would: Would,
    /// How moderators judged what only one of them would have held.
    pub judged: Differing,
    /// Copies count once in each AUC. It favours the shadow: mostly what the live model held was decided, so that what is
    /// easy for the live model is missing.
    pub labels: Vec<ComparedLabel>,
    /// What only one of them would have held: where they differ most in log-odds first.
    pub items: Vec<ComparedItem>,
}

/// A comment that only one of two models would have held.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ComparedItem {
    #[schema(value_type = CommentId)]
    pub comment: CommentId,
    pub site: SiteSlug,
    pub thread: ThreadKey,
    pub live: Scores,
    pub shadow: Scores,
    #[schema(pattern = "^held_by_(shadow|live)_only$")]
    pub verdict: &'static str,
    /// The label for which it would have been held, that they differ most on.
    pub label: Label,
    /// What a moderator said of it; null where none did, or said that it is off topic or the like.
    #[schema(required, pattern = "^(fine|wrong)$")]
    pub judged: Option<&'static str>,
}

/// The comments that differ most, in the making.
struct Farthest {
    limit: usize,
    found: Vec<(Disagreement, ShadowedComment)>,
}

impl Farthest {
    fn add(&mut self, disagreement: Disagreement, comment: ShadowedComment) {
        self.found.push((disagreement, comment));
        if self.found.len() >= self.limit.saturating_mul(2).max(PAGE as usize) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.found.sort_by(|(a, one), (b, other)| {
            let order = b.distance.total_cmp(&a.distance);
            order.then(one.id.cmp(&other.id))
        });
        self.found.truncate(self.limit);
    }
}

fn item(disagreement: Disagreement, comment: ShadowedComment, site: &SiteSlug) -> ComparedItem {
    ComparedItem {
        comment: comment.id,
        site: site.clone(),
        thread: comment.thread,
        live: comment.scores,
        shadow: comment.shadow,
        verdict: if disagreement.held_by_shadow {
            "held_by_shadow_only"
        } else {
            "held_by_live_only"
        },
        label: disagreement.label,
        judged: match comment.judged {
            Judged::Fine => Some("fine"),
            Judged::Wrong => Some("wrong"),
            Judged::NotSaid => None,
        },
    }
}

/// What a decision on a comment says of each label, unless one on another copy of it said so before.
fn once(comment: &ShadowedComment, told: &mut HashSet<Uuid>) -> PerLabel<Option<bool>> {
    let says = comment.taught.iter().any(|(_, present)| present.is_some());
    match comment.cluster {
        Some(cluster) if says && !told.insert(cluster) => PerLabel::default(),
        _ => comment.taught,
    }
}

impl Administration {
    /// Compares the shadow with the live model: that of this version, or whichever it is.
    ///
    /// # Errors
    /// When there is no such model or site, [`Error::NotTheShadow`] when it is not the shadow, or the database fails.
    pub async fn compare_models(
        &self,
        version: Option<&ModelVersion>,
        request: &ComparisonRequest,
    ) -> Result<Comparison, Error> {
        if let Some(version) = version {
            registry::view(&mut self.store.read().await?.db(), version.as_str()).await?;
        }
        let shadow = self.store.read().await?.db().shadow().await?;
        let is_meant = |shadow: &Shadow| version.is_none_or(|v| v.as_str() == shadow.version);
        let shadow = shadow.filter(is_meant).ok_or(Error::NotTheShadow)?;
        let (live, hold) = self.thresholds(&shadow).await?;
        let sites = self.sites_named(request.site.as_ref()).await?;
        let sites: HashMap<_, _> = (sites.into_iter())
            .map(|site| {
                let hold: Both<Thresholds> = Both {
                    live: site.policy.hold_thresholds(&hold.live),
                    shadow: site.policy.hold_thresholds(&hold.shadow),
                };
                (site.id, (site.slug, hold))
            })
            .collect();
        let mut tally = Tally::default();
        let mut scored_by_another = 0;
        let mut farthest = Farthest {
            limit: request.limit,
            found: Vec::new(),
        };
        let only = request.site.as_ref().and(sites.keys().next().copied());
        let (mut before, mut looked_at) = (None, 0);
        let mut told: HashSet<Uuid> = HashSet::new();
        while looked_at < MOST {
            // A connection for each page: nobody is kept waiting in between.
            let page = {
                let mut conn = self.store.read().await?;
                let mut db = conn.db();
                let ids = db.shadowed(shadow.id, request.since, before, PAGE).await?;
                let Some(last) = ids.last() else {
                    break;
                };
                before = Some(*last);
                looked_at += ids.len();
                db.shadowed_comments(shadow.id, only, &ids).await?
            };
            for comment in page {
                let is_asked = request
                    .since
                    .is_none_or(|since| comment.created_at >= since);
                let Some((_, hold)) = sites.get(&comment.site).filter(|_| is_asked) else {
                    continue;
                };
                if !comment.is_current {
                    continue;
                }
                if comment.model != live {
                    scored_by_another += 1;
                    continue;
                }
                let compared = Compared {
                    scores: Both {
                        live: comment.scores,
                        shadow: comment.shadow,
                    },
                    judged: comment.judged,
                    taught: once(&comment, &mut told),
                };
                if let Some(disagreement) = tally.add(&compared, hold) {
                    farthest.add(disagreement, comment);
                }
            }
        }
        farthest.cut();
        let items = farthest.found.into_iter();
        Ok(Comparison {
            live,
            shadow: shadow.version,
            set_by: shadow.set_by,
            set_at: shadow.set_at,
            compared: tally.compared(),
            scored_by_another,
            since: (request.since).map_or(shadow.set_at, |since| since.max(shadow.set_at)),
            would: tally.would(),
            judged: tally.judged(),
            labels: tally.labels(),
            items: items
                .filter_map(|(disagreement, comment)| {
                    let (slug, _) = sites.get(&comment.site)?;
                    Some(item(disagreement, comment, slug))
                })
                .collect(),
        })
    }

    /// The version of the live model, and from which scores it and the shadow hold.
    async fn thresholds(&self, shadow: &Shadow) -> Result<(String, Both<Thresholds>), Error> {
        let (version, live) = {
            let live = LiveModel::of(&self.store).await?;
            (live.version().to_owned(), *live.thresholds())
        };
        let mut conn = self.store.read().await?;
        let model = registry::usable(&mut conn.db(), &shadow.version).await?;
        let hold = Both {
            live,
            shadow: *model.thresholds(),
        };
        Ok((version, hold))
    }

    /// The texts of comments that are still there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn texts(
        &self,
        comments: impl IntoIterator<Item = CommentId>,
    ) -> Result<HashMap<CommentId, String>, Error> {
        let mut conn = self.store.read().await?;
        let texts = conn.db().texts_to_score(comments).await?.into_iter();
        Ok(texts.map(|text| (text.id, text.text)).collect())
    }
}

impl Moderation {
    /// Compares the shadow with the live model.
    ///
    /// # Errors
    /// When the caller is no admin of all sites, the model is not the shadow, or there is no such site.
    #[tracing::instrument(skip_all)]
    pub async fn compare_models(
        &self,
        caller: &Caller,
        version: &ModelVersion,
        request: &ComparisonRequest,
    ) -> Result<Comparison, Error> {
        require_all_sites(caller)?;
        let _turn = stats::turn().await?;
        let administration = &self.administration;
        administration.compare_models(Some(version), request).await
    }
}
