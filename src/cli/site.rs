//! `palabre site`

use clap::{Args, Subcommand};

use crate::{
    config::Config,
    domain::{SiteSlug, Title},
};

/// Add or list sites.
#[derive(Debug, Args)]
#[command(after_help = "Example: palabre site add le-soir")]
pub struct SiteArgs {
    #[command(subcommand)]
    command: SiteCommand,
}

#[derive(Debug, Subcommand)]
enum SiteCommand {
    /// Add a site with the default policy
    #[command(after_help = "Example: palabre site add le-soir")]
    Add {
        /// Its short name in tokens and addresses: a-z, 0-9 and -
        slug: SiteSlug,
        /// The name people see
        #[arg(long, value_parser = Title::parse)]
        name: Option<Title>,
    },
    /// List the sites, one a line
    #[command(after_help = "Example: palabre site list")]
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(config: &Config, args: &SiteArgs) -> anyhow::Result<()> {
    let administration = super::open_administration(config).await?;
    match &args.command {
        SiteCommand::Add { slug, name } => {
            administration.add_site(slug.clone(), name.clone()).await?;
            println!("{slug}");
        }
        SiteCommand::List { json } => {
            for site in administration.sites().await? {
                if *json {
                    println!(
                        "{}",
                        serde_json::json!({"slug": site.slug, "name": site.name, "created_at": site.created_at})
                    );
                } else {
                    println!("{}", site.slug);
                }
            }
        }
    }
    administration.close().await;
    Ok(())
}
