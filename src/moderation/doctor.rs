//! Whether an installation can work, and what to do where it cannot. Changes nothing.

use serde::Serialize;

use super::{LiveModel, tokens};
use crate::{domain::Timestamp, store::Store};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Ok,
    /// It works, but somebody should look.
    Warning,
    /// It does not work.
    Failure,
}

/// What was found of one thing.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub about: &'static str,
    pub health: Health,
    /// What was found, and what to do.
    pub detail: String,
}

impl Finding {
    /// All is well.
    #[must_use]
    pub fn ok(about: &'static str, detail: impl Into<String>) -> Self {
        Self::new(about, Health::Ok, detail)
    }

    /// It works, but somebody should look.
    #[must_use]
    pub fn warning(about: &'static str, detail: impl Into<String>) -> Self {
        Self::new(about, Health::Warning, detail)
    }

    /// It does not work.
    #[must_use]
    pub fn failure(about: &'static str, detail: impl Into<String>) -> Self {
        Self::new(about, Health::Failure, detail)
    }

    fn new(about: &'static str, health: Health, detail: impl Into<String>) -> Self {
        Self {
            about,
            health,
            detail: detail.into(),
        }
    }
}

/// How far two clocks may be apart, in milliseconds.
const CLOCK_TOLERANCE: i64 = 5_000;

/// Looks at the database, the migrations, the keys, the model and the clock.
pub async fn examine(store: &Store) -> Vec<Finding> {
    let mut findings = vec![engine(store).await];
    if findings[0].health == Health::Failure {
        return findings;
    }
    let schema = schema(store).await;
    let current = schema.health == Health::Ok;
    findings.push(schema);
    if current {
        findings.push(keys(store).await);
        findings.push(model(store).await);
        findings.push(clock(store).await);
    }
    findings
}

async fn engine(store: &Store) -> Finding {
    const ABOUT: &str = "database";
    match store.engine().await {
        Ok(engine) if !engine.troubles.is_empty() => Finding::failure(
            ABOUT,
            format!("{}: {}", engine.name, engine.troubles.join("; ")),
        ),
        Ok(engine) if !engine.neglects.is_empty() => Finding::warning(
            ABOUT,
            format!("{}: {}", engine.name, engine.neglects.join("; ")),
        ),
        Ok(engine) => Finding::ok(ABOUT, engine.name),
        Err(error) => Finding::failure(ABOUT, format!("{:#}", anyhow::Error::from(error))),
    }
}

async fn schema(store: &Store) -> Finding {
    const ABOUT: &str = "migrations";
    match store.schema().await {
        Ok(schema) if schema.applied == schema.known => {
            Finding::ok(ABOUT, format!("all {} were run", schema.known.len()))
        }
        Ok(schema) if schema.known.starts_with(&schema.applied) => {
            let missing = schema.known.len() - schema.applied.len();
            Finding::warning(
                ABOUT,
                format!(
                    "{missing} are still to be run: palabre migrate, or the next start, does it"
                ),
            )
        }
        Ok(_) => Finding::failure(
            ABOUT,
            "the database was migrated by a newer version: use that one, or restore a backup",
        ),
        Err(error) => Finding::failure(ABOUT, format!("{:#}", anyhow::Error::from(error))),
    }
}

async fn keys(store: &Store) -> Finding {
    const ABOUT: &str = "keys";
    match tokens::count_keys(store).await {
        Ok(0) => Finding::warning(ABOUT, "there are none; the first start makes one"),
        Ok(1) => Finding::ok(ABOUT, "one signs and verifies tokens"),
        Ok(count) => Finding::ok(ABOUT, format!("{count} verify tokens, the newest signs")),
        Err(error) => Finding::failure(ABOUT, format!("{:#}", anyhow::Error::from(error))),
    }
}

async fn model(store: &Store) -> Finding {
    const ABOUT: &str = "model";
    match LiveModel::of(store).await {
        Ok(model) => Finding::ok(ABOUT, format!("{} is live and whole", model.version())),
        Err(error) => Finding::failure(
            ABOUT,
            format!(
                "the live one cannot be used: {:#}",
                anyhow::Error::from(error)
            ),
        ),
    }
}

async fn clock(store: &Store) -> Finding {
    const ABOUT: &str = "clock";
    let now = Timestamp::now();
    let ahead = |of: Timestamp| (of.millis() - now.millis()) / 1000;
    let clock = match store.engine().await {
        Ok(engine) => engine.clock,
        Err(error) => return Finding::failure(ABOUT, format!("{:#}", anyhow::Error::from(error))),
    };
    if let Some(other) = clock
        && (other.millis() - now.millis()).abs() > CLOCK_TOLERANCE
    {
        return Finding::warning(
            ABOUT,
            format!(
                "the database's clock is {} s ahead of ours ({now}): set both by NTP",
                ahead(other)
            ),
        );
    }
    match store.latest_change().await {
        Ok(Some(latest)) if latest.millis() > now.millis() + CLOCK_TOLERANCE => Finding::warning(
            ABOUT,
            format!(
                "the latest change stored is {} s in the future ({latest}): was the clock set back? Set it by NTP",
                ahead(latest)
            ),
        ),
        Ok(_) => Finding::ok(ABOUT, format!("{now}")),
        Err(error) => Finding::failure(ABOUT, format!("{:#}", anyhow::Error::from(error))),
    }
}
