//! `palabre key`

use clap::{Args, Subcommand};

use crate::config::Config;

/// Rotate or list the keys that sign tokens.
#[derive(Debug, Args)]
#[command(after_help = "Example: palabre key rotate")]
pub struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a new key. Tokens of the one before stay good; those of older ones do not, so rotate twice to end all
    #[command(after_help = "Example: palabre key rotate")]
    Rotate {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the ids of the keys whose tokens are good, one a line, the one that signs first
    #[command(after_help = "Example: palabre key list")]
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(config: &Config, args: &KeyArgs) -> anyhow::Result<()> {
    let administration = super::open_administration(config).await?;
    match &args.command {
        KeyCommand::Rotate { json } => {
            let rotation = administration.rotate_key().await?;
            if *json {
                println!("{}", serde_json::to_string(&rotation)?);
            } else {
                println!("{}", rotation.signs);
                for kid in &rotation.gone {
                    eprintln!("tokens of the key {kid} are no longer good");
                }
            }
        }
        KeyCommand::List { json } => {
            for (at, kid) in administration.key_ids().await?.into_iter().enumerate() {
                if *json {
                    println!("{}", serde_json::json!({"kid": kid, "signs": at == 0}));
                } else {
                    println!("{kid}");
                }
            }
        }
    }
    administration.close().await;
    Ok(())
}
