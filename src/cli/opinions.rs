//! `palabre models recall`, `disagreements` and `agreement`

use clap::Args;
use serde::Serialize;

use crate::{
    domain::{Agreement, Interval, Label, SiteSlug},
    moderation::{
        Administration, Day, Disagreement, DisagreementRequest, Recall, StatsRequest, Zone,
    },
};

/// The most disagreements that are listed.
const MOST: i64 = 200;

#[derive(Debug, Args)]
pub struct PeriodArgs {
    /// Of this site; of all if absent
    #[arg(long)]
    site: Option<SiteSlug>,
    /// The first day, such as 2026-11-22; thirty days in all if absent
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<Day>,
    /// The last day; today if absent
    #[arg(long, value_name = "DAY", value_parser = day)]
    to: Option<Day>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct DisagreementArgs {
    /// Of this site; of all if absent
    #[arg(long)]
    site: Option<SiteSlug>,
    /// Only about this label
    #[arg(long, value_parser = super::label)]
    label: Option<Label>,
    /// How many at most
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=MOST))]
    limit: u8,
    /// One JSON object a line, with the text
    #[arg(long)]
    json: bool,
}

fn day(text: &str) -> anyhow::Result<Day> {
    Day::parse(text).map_err(|refusal| anyhow::anyhow!("{text:?} {}", refusal.0))
}

impl PeriodArgs {
    fn request(&self) -> StatsRequest {
        StatsRequest {
            site: self.site.clone(),
            from: self.from,
            to: self.to,
            zone: Zone::default(),
        }
    }

    fn print<T: Serialize>(&self, figures: &T, show: impl FnOnce(&T)) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string(figures)?);
        } else {
            show(figures);
        }
        Ok(())
    }
}

pub async fn recall(administration: &Administration, args: &PeriodArgs) -> anyhow::Result<()> {
    let recall = administration.recall(&args.request()).await?;
    args.print(&recall, show_recall)
}

fn show_recall(figures: &Recall) {
    let Some(since) = figures.since.filter(|_| figures.sampled > 0) else {
        println!("nothing was drawn in these days: is a policy's sample_share 0?");
        return;
    };
    println!(
        "{} published comments drawn since {since}, {} of them for being close to a threshold; {} are judged",
        figures.sampled, figures.uncertain, figures.judged
    );
    println!(
        "wrong: {} held by the policy; {} known to be published",
        figures.held_wrong, figures.missed_known
    );
    match (figures.missed_estimate, figures.recall) {
        (None, _) => println!(
            "unknown: fewer than {} are judged, or some of a site wait of which fewer than {} were decided from the queue",
            figures.least_judged, figures.least_of_site
        ),
        (Some(_), None) => println!("nothing was wrong"),
        (Some(missed), Some(Interval { value, low, high })) => {
            println!("published and wrong, as the samples tell: {missed:.0}");
            println!("recall {value:.3}, 95 % interval {low:.3} to {high:.3}");
        }
    }
}

pub async fn agreement(administration: &Administration, args: &PeriodArgs) -> anyhow::Result<()> {
    let agreement = administration.agreement(&args.request()).await?;
    args.print(&agreement, show_agreement)
}

fn show_agreement(figures: &Agreement) {
    let Some(share) = figures.share else {
        println!("no text was decided by two moderators in these days");
        return;
    };
    let kappa = figures.kappa;
    let kappa = kappa.map_or_else(|| "none".to_owned(), |kappa| format!("{kappa:.2}"));
    println!(
        "{} texts decided by one moderator and then another; they agreed on {} ({:.0} %); kappa {kappa}",
        figures.pairs,
        figures.agreed,
        share * 100.0
    );
    for one in &figures.by_reason {
        println!(
            "  hidden by one {}: {}; by both {}, for the same reason {}",
            one.reason
                .map_or("without a reason", |reason| reason.as_str()),
            one.pairs,
            one.agreed,
            one.same_reason
        );
    }
}

pub async fn disagreements(
    administration: &Administration,
    args: &DisagreementArgs,
) -> anyhow::Result<()> {
    let request = DisagreementRequest {
        site: args.site.clone(),
        label: args.label,
        limit: usize::from(args.limit),
    };
    for one in administration.disagreements(&request).await?.items {
        if args.json {
            println!("{}", serde_json::to_string(&one)?);
        } else {
            println!("{}", line(&one));
        }
    }
    Ok(())
}

/// A line for a terminal: where to find it, and not the text, which may be of several lines.
fn line(one: &Disagreement) -> String {
    format!(
        "{:.2}  {} {:.4}, decided {}: {} by {}  {} {} {}",
        one.surprise,
        one.label,
        one.score.value(),
        if one.decided { "yes" } else { "no" },
        one.decision.action.as_str(),
        one.decision.moderator,
        one.site,
        one.comment.thread.as_str(),
        one.comment.id
    )
}
