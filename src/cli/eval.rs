use clap::Args;
#[derive(Debug, Args)]
pub struct EvalArgs {}
pub fn run(_: EvalArgs) -> anyhow::Result<()> { anyhow::bail!("not yet") }
