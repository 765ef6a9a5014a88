//! `palabre rescore`

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    config::Config,
    domain::{SiteSlug, ThreadKey, Timestamp},
    moderation::{RescoringProgress, RescoringRequest},
};

/// Give stored comments scores of the live model.
///
/// Status and decisions stay as they are. It can be stopped and started again at any time, beside running servers.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: palabre rescore --since 2026-11-01T00:00:00.000Z\n         palabre rescore --site le-soir --thread delestage-2026"
)]
pub struct RescoreArgs {
    /// Only comments written at this moment or later
    #[arg(long, value_name = "TIME", value_parser = super::moment)]
    since: Option<Timestamp>,
    /// Only comments of this thread
    #[arg(long, value_name = "KEY", requires = "site", value_parser = ThreadKey::parse)]
    thread: Option<ThreadKey>,
    /// The site of the thread
    #[arg(long, value_name = "SLUG", requires = "thread")]
    site: Option<SiteSlug>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A bar with the rate and the time left; draws nothing unless stderr is a terminal.
struct Bar(ProgressBar);

impl RescoringProgress for Bar {
    fn begin(&mut self, comments: u64) {
        self.0.set_length(comments);
    }

    fn advance(&mut self, comments: u64) {
        self.0.inc(comments);
    }
}

pub async fn run(config: &Config, args: &RescoreArgs) -> anyhow::Result<()> {
    let administration = super::open_administration(config).await?;
    let style = ProgressStyle::with_template(
        "{wide_bar} {human_pos} of {human_len}, {per_sec}, {eta} left",
    )?;
    let mut bar = Bar(ProgressBar::new(0).with_style(style));
    let request = RescoringRequest {
        since: args.since,
        thread: args.site.clone().zip(args.thread.clone()),
    };
    let rescored = administration.rescore(&request, &mut bar).await;
    bar.0.finish_and_clear();
    administration.close().await;
    let rescored = rescored?;
    if args.json {
        println!("{}", serde_json::json!({"rescored": rescored}));
    } else {
        println!("{rescored} comments have scores of the live model now");
    }
    Ok(())
}
