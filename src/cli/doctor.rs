//! `palabre doctor`

use std::path::Path;

use clap::Args;

use crate::{
    config::Config,
    moderation::{Finding, Health, examine},
    store::Store,
};

/// Check database, migrations, keys, model, clock and disk, and say what to do. Changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Example: palabre doctor --data-dir /var/lib/palabre")]
pub struct DoctorArgs {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Less free space than this, in bytes, is a failure; less than ten times it, a warning.
const LITTLE: u64 = 100 * 1024 * 1024;

pub async fn run(config: &Config, args: &DoctorArgs) -> anyhow::Result<()> {
    let mut findings = Vec::new();
    if config.database_url().is_none() {
        findings.push(directory(&config.data_dir));
        findings.push(disk(&config.data_dir));
    }
    if findings
        .iter()
        .all(|finding| finding.health != Health::Failure)
    {
        match open(config).await {
            Ok(store) => {
                findings.extend(examine(&store).await);
                store.close().await;
            }
            Err(error) => findings.push(Finding::failure("database", format!("{error:#}"))),
        }
    }
    for finding in &findings {
        if args.json {
            println!("{}", serde_json::to_string(finding)?);
        } else {
            let mark = match finding.health {
                Health::Ok => "ok     ",
                Health::Warning => "warning",
                Health::Failure => "FAILURE",
            };
            println!("{mark}  {:<10}  {}", finding.about, finding.detail);
        }
    }
    let failures = findings
        .iter()
        .filter(|finding| finding.health == Health::Failure)
        .count();
    anyhow::ensure!(
        failures == 0,
        "{failures} of these keep Palabre from working"
    );
    Ok(())
}

async fn open(config: &Config) -> anyhow::Result<Store> {
    // Opening makes what is missing; a doctor must not.
    let file = config.database_file();
    anyhow::ensure!(
        config.database_url().is_some() || file.exists(),
        "there is no {} yet: the first palabre serve makes it",
        file.display()
    );
    super::open_store(config).await
}

fn directory(path: &Path) -> Finding {
    use std::os::unix::fs::MetadataExt as _;
    const ABOUT: &str = "directory";
    match std::fs::metadata(path) {
        Ok(found) if !found.is_dir() => {
            Finding::failure(ABOUT, format!("{} is no directory", path.display()))
        }
        Ok(found) if found.mode() & 0o077 != 0 => Finding::warning(
            ABOUT,
            format!("others may look into {0}: chmod 700 {0}", path.display()),
        ),
        Ok(_) => Finding::ok(ABOUT, path.display().to_string()),
        Err(error) => Finding::failure(
            ABOUT,
            format!(
                "{}: {error}; name another with --data-dir, or start palabre serve, which makes it",
                path.display()
            ),
        ),
    }
}

fn disk(path: &Path) -> Finding {
    const ABOUT: &str = "disk";
    let free = match rustix::fs::statvfs(path) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => return Finding::warning(ABOUT, format!("not known how full: {error}")),
    };
    let said = format!("{} MiB are free", free / 1024 / 1024);
    if free < LITTLE {
        Finding::failure(ABOUT, format!("{said}: make room before posts are refused"))
    } else if free < LITTLE * 10 {
        Finding::warning(ABOUT, format!("{said}: make room soon"))
    } else {
        Finding::ok(ABOUT, said)
    }
}
