//! Trying thresholds on what a site received before using them.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Administration, Error, LiveModel, Moderation};
use crate::{
    domain::{
        Curve, Judged, Label, Outcome, Policy, PolicyThresholds, Site, Thresholds, Timestamp,
    },
    store::Store,
};

/// The newest comments that are looked at, at most.
const MOST: i64 = 100_000;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// What to try.
#[derive(Debug, Clone, Copy)]
pub struct SimulationRequest {
    /// Scores from which a comment waits; the policy's own where there is none.
    pub hold: PolicyThresholds,
    /// Move these thresholds so that no more cards a day come of them.
    pub max_cards_a_day: Option<f64>,
    /// Set the thresholds of these labels so that at least such a share of what was hidden for them is found.
    pub min_found: PolicyThresholds,
    /// Whether to say what each threshold does when it is moved alone.
    pub curves: bool,
    /// Of so many days back from now.
    pub days: u32,
}

/// What thresholds would have done with what a site received. Duplicates, links, words and measures are not looked at.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Simulation {
    /// Days looked at: fewer than were asked for where the site is younger, or had more than 100,000 comments.
    pub days: f64,
    /// Comments received in these days: the newest 100,000.
    pub received: usize,
    /// Of these, hidden by a moderator for what they say, and approved.
    pub hidden: usize,
    pub approved: usize,
    /// The policy as it is.
    pub now: Outcome,
    /// What was asked for.
    pub tried: Outcome,
    /// What the live model holds by itself.
    pub model: Thresholds,
    /// Where they were asked for: for each label what its threshold would have done, all others as they were tried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<Curve>,
}

async fn simulate(
    store: &Store,
    site: &Site,
    model: &Thresholds,
    request: &SimulationRequest,
) -> Result<Simulation, Error> {
    let now = Timestamp::now();
    let since = now.days_before(request.days);
    let mut conn = store.read().await?;
    let (received, oldest) = conn.db().judged_comments(site.id, since, MOST).await?;
    // As many days as were looked at: a young site has fewer, and so has one of which not all was read.
    let begun = match oldest {
        Some(oldest) if received.len() as i64 >= MOST => oldest,
        _ => since.max(site.created_at),
    };
    let days = ((now.millis() - begun.millis()) as f64 / DAY as f64).max(1.0);
    let now = site.policy.hold_thresholds(model);
    let asked = Policy {
        hold: request.hold,
        ..Policy::default()
    };
    let asked = asked.hold_thresholds(&now);
    let (asked, set) = Outcome::finding(&received, &asked, &request.min_found);
    let tried = match request.max_cards_a_day {
        Some(cards) => Outcome::keeping_to(&received, &asked, days, cards, &set),
        None => Outcome::of(&received, asked, days),
    };
    let labels = Label::ALL.into_iter().filter(|_| request.curves);
    let curves = labels.map(|label| Curve::of(&received, &tried.hold, days, label));
    let curves = curves.collect();
    let judged = |judged| received.iter().filter(|one| one.judged == judged).count();
    Ok(Simulation {
        days,
        received: received.len(),
        hidden: judged(Judged::Wrong),
        approved: judged(Judged::Fine),
        now: Outcome::of(&received, now, days),
        tried,
        model: *model,
        curves,
    })
}

impl Moderation {
    /// Tries thresholds on what a site received, under the live model's own where the policy follows it.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(skip_all, fields(site = %site.slug))]
    pub async fn simulate(
        &self,
        site: &Site,
        request: &SimulationRequest,
    ) -> Result<Simulation, Error> {
        simulate(&self.store, site, self.model().thresholds(), request).await
    }
}

impl Administration {
    /// The same, without a server.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn simulate(
        &self,
        site: &Site,
        request: &SimulationRequest,
    ) -> Result<Simulation, Error> {
        let model = LiveModel::of(&self.store).await?;
        simulate(&self.store, site, model.thresholds(), request).await
    }
}
