//! `palabre simulate`

use anyhow::{Context as _, anyhow};
use clap::Args;

use crate::{
    config::Config,
    domain::{Label, Outcome, PolicyThresholds, Score, SiteSlug},
    moderation::SimulationRequest,
};

/// Say what other thresholds would have done with what a site received: cards a day, misses, false alarms.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  palabre simulate le-soir --hold insult=0.6 --hold toxicity=0.5\n  palabre simulate le-soir --max-cards 40 --min-found threat=0.95"
)]
pub struct SimulateArgs {
    site: SiteSlug,
    /// A score from which a comment waits; may be given several times. The policy's own where absent
    #[arg(long, value_name = "LABEL=SCORE", value_parser = threshold)]
    hold: Vec<(Label, Score)>,
    /// Move the thresholds, all alike, so that no more cards a day come of them
    #[arg(long, value_name = "CARDS")]
    max_cards: Option<u32>,
    /// Find at least such a share of what moderators hid for a label, such as threat=0.95; may be given several times.
    /// --max-cards then moves the others
    #[arg(long, value_name = "LABEL=SHARE", value_parser = threshold)]
    min_found: Vec<(Label, Score)>,
    /// Of so many days back from now
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn threshold(text: &str) -> anyhow::Result<(Label, Score)> {
    let (label, score) = text
        .split_once('=')
        .ok_or_else(|| anyhow!("must be LABEL=NUMBER, such as insult=0.6"))?;
    Ok((
        super::label(label)?,
        Score::try_from(score.parse::<f32>()?)?,
    ))
}

pub async fn run(config: &Config, args: &SimulateArgs) -> anyhow::Result<()> {
    let administration = super::open_administration(config).await?;
    let sites = administration.sites().await?.into_iter();
    let site = sites
        .into_iter()
        .find(|site| site.slug == args.site)
        .with_context(|| format!("there is no site {}", args.site))?;
    let per_label = |given: &[(Label, Score)]| {
        let mut values = PolicyThresholds::default();
        for (label, value) in given {
            *values.get_mut(*label) = Some(*value);
        }
        values
    };
    let request = SimulationRequest {
        hold: per_label(&args.hold),
        max_cards_a_day: args.max_cards.map(f64::from),
        min_found: per_label(&args.min_found),
        curves: false,
        days: args.days,
    };
    let simulation = administration.simulate(&site, &request).await?;
    administration.close().await;
    if args.json {
        println!("{}", serde_json::to_string(&simulation)?);
        return Ok(());
    }
    println!(
        "{} comments in {:.1} days; moderators hid {} for what they say, and approved {}",
        simulation.received, simulation.days, simulation.hidden, simulation.approved
    );
    show("now", &simulation.now);
    show("tried", &simulation.tried);
    Ok(())
}

fn show(name: &str, outcome: &Outcome) {
    println!(
        "{name:<6} {:.1} cards a day, {} misses, {} false alarms",
        outcome.cards_a_day, outcome.misses, outcome.false_alarms
    );
    let hold = outcome.hold.iter();
    let hold: Vec<String> = hold
        .map(|(label, score)| format!("{label} {:.3}", score.value()))
        .collect();
    println!("       held from {}", hold.join(", "));
    let hidden = outcome.labels.iter().filter(|found| found.hidden > 0);
    let found: Vec<String> = hidden
        .map(|found| format!("{} {} of {}", found.label, found.found, found.hidden))
        .collect();
    if !found.is_empty() {
        println!("       found {}", found.join(", "));
    }
}
