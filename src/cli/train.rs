use clap::Args;
#[derive(Debug, Args)]
pub struct TrainArgs {}
pub fn run(_: TrainArgs) -> anyhow::Result<()> { anyhow::bail!("not yet") }
