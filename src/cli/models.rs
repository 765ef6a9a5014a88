//! `palabre models`

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::opinions::{self, DisagreementArgs, PeriodArgs};
use crate::{
    config::Config,
    domain::ModelVersion,
    moderation::{Administration, ModelView},
};

use super::compare::CompareArgs;

/// List the models, switch between them, and carry them from one installation to another.
///
/// A running server follows within two seconds, and drops no request for it.
#[derive(Debug, Args)]
#[command(
    disable_version_flag = true,
    after_help = "Example: palabre models activate 2026.11-3"
)]
pub struct ModelsArgs {
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
enum ModelsCommand {
    /// List the models, the newest first; the live one is marked
    #[command(after_help = "Example: palabre models list --json")]
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show a model and what was measured when it was made
    #[command(after_help = "Example: palabre models show 2026.11-3")]
    Show {
        version: ModelVersion,
        #[command(flatten)]
        output: Output,
    },
    /// Score what arrives with this model from now on
    #[command(after_help = "Example: palabre models activate 2026.11-3")]
    Activate {
        version: ModelVersion,
        #[command(flatten)]
        output: Output,
    },
    /// Go back to the model that was live before; once more, to the one before that
    #[command(after_help = "Example: palabre models rollback")]
    Rollback {
        #[command(flatten)]
        output: Output,
    },
    /// Score beside the live model what is written from now on, and change nothing
    #[command(
        after_help = "Examples:\n  palabre models shadow 2026.11-4.site-1\n  palabre models shadow --off"
    )]
    Shadow {
        #[arg(required_unless_present = "off", conflicts_with = "off")]
        version: Option<ModelVersion>,
        /// Let none do so any more
        #[arg(long)]
        off: bool,
        #[command(flatten)]
        output: Output,
    },
    Compare(CompareArgs),
    /// Say how much of what was wrong the policies held, by samples of what they published
    #[command(after_help = "Example: palabre models recall --site le-soir --from 2026-11-01")]
    Recall(PeriodArgs),
    /// List the decisions that the model held for most unlikely, to look at again
    #[command(after_help = "Example: palabre models disagreements --label threat --limit 10")]
    Disagreements(DisagreementArgs),
    /// Say how far moderators agree, where one decided what another had
    #[command(after_help = "Example: palabre models agreement --from 2026-11-01")]
    Agreement(PeriodArgs),
    /// Write a model to a file
    #[command(after_help = "Example: palabre models export 2026.11-3 ours.model")]
    Export {
        version: ModelVersion,
        /// Must not be there yet
        file: PathBuf,
    },
    /// Take in the file of a model, without making it live
    #[command(after_help = "Example: palabre models import ours.model")]
    Import {
        file: PathBuf,
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Debug, Args)]
struct Output {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(config: &Config, args: &ModelsArgs) -> anyhow::Result<()> {
    let administration = super::open_administration(config).await?;
    administration.register_shipped_model().await?;
    let outcome = carry_out(&administration, &args.command).await;
    administration.close().await;
    outcome
}

async fn carry_out(administration: &Administration, command: &ModelsCommand) -> anyhow::Result<()> {
    let unknown = |version: &ModelVersion| format!("model {version}");
    match command {
        ModelsCommand::List { json } => {
            for model in administration.models().await? {
                if *json {
                    println!("{}", serde_json::to_string(&model)?);
                } else {
                    println!("{}", line(&model));
                }
            }
        }
        ModelsCommand::Show { version, output } => {
            let shown = administration.model(version).await;
            let shown = shown.with_context(|| unknown(version))?;
            if output.json {
                println!("{}", serde_json::to_string(&shown)?);
            } else {
                println!("{}", line(&shown.model));
                println!("checksum {}", shown.model.checksum);
                if let Some(counts) = &shown.model.counts {
                    println!("learned from {counts}");
                }
                println!("{}", serde_json::to_string_pretty(&shown.figures)?);
            }
        }
        ModelsCommand::Activate { version, output } => {
            let by = super::operator();
            let live = administration.activate_model(version, &by).await;
            print(&live.with_context(|| unknown(version))?, output)?;
        }
        ModelsCommand::Rollback { output } => {
            print(
                &administration.roll_back_model(&super::operator()).await?,
                output,
            )?;
        }
        ModelsCommand::Shadow {
            version, output, ..
        } => match version {
            Some(version) => {
                let shadow = administration.set_shadow(version, &super::operator()).await;
                print(&shadow.with_context(|| unknown(version))?, output)?;
            }
            None => administration.end_shadow().await?,
        },
        ModelsCommand::Compare(args) => super::compare::run(administration, args).await?,
        ModelsCommand::Recall(args) => opinions::recall(administration, args).await?,
        ModelsCommand::Disagreements(args) => opinions::disagreements(administration, args).await?,
        ModelsCommand::Agreement(args) => opinions::agreement(administration, args).await?,
        ModelsCommand::Export { version, file } => {
            let artefact = administration.export_model(version).await;
            let artefact = artefact.with_context(|| unknown(version))?;
            anyhow::ensure!(
                !file.exists(),
                "{} is there already: name another file",
                file.display()
            );
            super::train::write(file, &artefact)?;
            println!("{}", file.display());
        }
        ModelsCommand::Import { file, output } => {
            let artefact = std::fs::read(file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            let taken = administration
                .import_model(&artefact, &super::operator())
                .await;
            print(&taken.with_context(|| file.display().to_string())?, output)?;
        }
    }
    Ok(())
}

fn print(model: &ModelView, output: &Output) -> anyhow::Result<()> {
    if output.json {
        println!("{}", serde_json::to_string(model)?);
    } else {
        println!("{}", line(model));
    }
    Ok(())
}

fn line(model: &ModelView) -> String {
    let mark = match (model.live, model.shadow) {
        (true, _) => "live  ",
        (_, true) => "shadow",
        _ => "      ",
    };
    let parent = model.parent.as_ref();
    let parent = parent.map_or_else(String::new, |parent| format!(", from {parent}"));
    let by = model.made_by.as_ref();
    let by = by.map_or_else(String::new, |by| format!(", by {by}"));
    format!(
        "{mark}  {}  {}{parent}, {}{by}",
        model.version, model.origin, model.created_at
    )
}
