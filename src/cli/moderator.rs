//! `palabre moderator`

use clap::{Args, Subcommand, ValueEnum};

use crate::{
    config::Config,
    domain::{Account, Role, SiteScope, SiteSlug, Subject},
};

/// Add moderators, let them sign in, and shut them out.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: palabre moderator add awa --site le-soir --url https://comments.le-soir.example"
)]
pub struct ModeratorArgs {
    #[command(subcommand)]
    command: ModeratorCommand,
}

#[derive(Debug, Subcommand)]
enum ModeratorCommand {
    /// Add an account, and print a link by which its owner signs in once and chooses a password
    #[command(after_help = "Example: palabre moderator add awa --site le-soir")]
    Add {
        /// The name to sign in by, which the audit log shows
        #[arg(value_parser = Subject::parse)]
        name: Subject,
        /// A site to moderate; may be given several times. All sites if absent
        #[arg(long = "site", value_name = "SLUG")]
        sites: Vec<SiteSlug>,
        #[arg(long, value_enum, default_value = "moderator")]
        role: RoleArg,
        #[command(flatten)]
        page: Page,
    },
    /// Print a new link for who forgot the password; earlier ones end
    #[command(after_help = "Example: palabre moderator link awa")]
    Link {
        name: String,
        #[command(flatten)]
        page: Page,
    },
    /// Shut an account out at once
    #[command(after_help = "Example: palabre moderator disable awa")]
    Disable { name: String },
    /// Let an account in again
    #[command(after_help = "Example: palabre moderator enable awa")]
    Enable { name: String },
    /// List the accounts, one a line
    #[command(after_help = "Example: palabre moderator list")]
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct Page {
    /// Where the server is reached, for the link
    #[arg(long, env = "PALABRE_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
}

impl Page {
    fn link(&self, secret: &str) -> String {
        sign_in_link(&self.url, secret)
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleArg {
    Moderator,
    Admin,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Moderator => Self::Moderator,
            RoleArg::Admin => Self::Admin,
        }
    }
}

/// The address of a one-time link. What is behind `#` no browser sends, and no log has.
pub(super) fn sign_in_link(url: &str, secret: &str) -> String {
    format!("{}/moderation#link={secret}", url.trim_end_matches('/'))
}

pub async fn run(config: &Config, args: &ModeratorArgs) -> anyhow::Result<()> {
    let administration = super::open_administration(config).await?;
    match &args.command {
        ModeratorCommand::Add {
            name,
            sites,
            role,
            page,
        } => {
            let scope = match sites.as_slice() {
                [] => SiteScope::All,
                sites => SiteScope::Only(sites.to_vec()),
            };
            let (_, link) = administration
                .add_moderator(name, (*role).into(), &scope)
                .await?;
            println!("{}", page.link(&link));
        }
        ModeratorCommand::Link { name, page } => {
            println!("{}", page.link(&administration.new_link(name).await?));
        }
        ModeratorCommand::Disable { name } => show(&administration.set_disabled(name, true).await?),
        ModeratorCommand::Enable { name } => show(&administration.set_disabled(name, false).await?),
        ModeratorCommand::List { json } => {
            for account in administration.moderators().await? {
                if *json {
                    println!("{}", serde_json::to_string(&account)?);
                } else {
                    show(&account);
                }
            }
        }
    }
    administration.close().await;
    Ok(())
}

fn show(account: &Account) {
    let disabled = if account.disabled { ", disabled" } else { "" };
    println!(
        "{}  {} of {}{disabled}",
        account.name,
        account.role,
        account.sites.join(", ")
    );
}
