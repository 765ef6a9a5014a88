//! `palabre token`

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use crate::{
    config::Config,
    domain::{Caller, Role, SiteScope, SiteSlug, Subject},
};

/// Print a token and nothing else.
#[derive(Debug, Args)]
#[command(after_help = "Example: palabre token --role site --site le-soir --ttl 30d")]
pub struct TokenArgs {
    /// What its bearer is: site, moderator or admin
    #[arg(long, value_parser = role)]
    role: Role,
    /// A site it is for; may be given several times. Needed for role site; without it, the others are for all sites
    #[arg(long = "site")]
    sites: Vec<SiteSlug>,
    /// Whose name the audit log shows [default: the role]
    #[arg(long)]
    subject: Option<String>,
    /// How long it is valid: a number with s, m, h or d
    #[arg(long, default_value = "8h", value_parser = duration)]
    ttl: Duration,
}

fn role(text: &str) -> Result<Role, String> {
    Role::ALL
        .into_iter()
        .find(|role| role.as_str() == text)
        .ok_or_else(|| "must be site, moderator or admin".into())
}

/// A number with a unit: `90s`, `15m`, `8h`, `30d`.
fn duration(text: &str) -> Result<Duration, String> {
    let refusal = || "must be a number with s, m, h or d, such as 8h".to_owned();
    let unit = text.chars().next_back().ok_or_else(refusal)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(refusal()),
    };
    text[..text.len() - 1]
        .parse::<u32>()
        .ok()
        .filter(|number| *number > 0)
        .map(|number| Duration::from_secs(u64::from(number) * seconds))
        .ok_or_else(refusal)
}

pub async fn run(config: &Config, args: &TokenArgs) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.role != Role::Site || !args.sites.is_empty(),
        "a token of role site is for a site: add --site SLUG"
    );
    let administration = super::open_administration(config).await?;
    let known = administration.sites().await?;
    for slug in &args.sites {
        anyhow::ensure!(
            known.iter().any(|site| site.slug == *slug),
            "there is no site {slug}: add it with palabre site add {slug}"
        );
    }
    let caller = Caller {
        subject: Subject::parse(args.subject.as_deref().unwrap_or(args.role.as_str()))
            .context("--subject")?,
        role: args.role,
        sites: if args.sites.is_empty() {
            SiteScope::All
        } else {
            SiteScope::Only(args.sites.clone())
        },
    };
    println!("{}", administration.sign_token(&caller, args.ttl)?);
    administration.close().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::duration;
    use std::time::Duration;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("30d"), Ok(Duration::from_hours(30 * 24)));
        for bad in ["", "8", "h", "-1h", "0s", "8 h", "1é", "8w"] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
    }
}
