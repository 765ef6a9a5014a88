//! What goes on beside the requests.

use std::{sync::Arc, time::Duration};

use crate::moderation::{Moderation, ShadowStep};

/// How often a server looks whether another model went live.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// How often a server looks for what is past its time.
const TIDY_EVERY: Duration = Duration::from_hours(1);

/// How often a server looks for texts that the shadow has not scored.
const SHADOW_EVERY: Duration = Duration::from_millis(500);

/// Between two steps of that: what arrives comes first.
const SHADOW_PAUSE: Duration = Duration::from_millis(20);

/// How often a server looks for what has waited too long.
const ESCALATE_EVERY: Duration = Duration::from_mins(1);

/// Keeps the live model and the signing keys up to date, scores for the shadow, escalates what waits too long, and erases what is
/// past its time, until dropped.
pub struct Worker([tokio::task::JoinHandle<()>; 4]);

impl Worker {
    /// Starts the background work of a server.
    #[must_use]
    pub fn start(moderation: Arc<Moderation>) -> Self {
        let follow = {
            let moderation = Arc::clone(&moderation);
            every(FOLLOW_EVERY, move || {
                let moderation = Arc::clone(&moderation);
                async move {
                    if let Err(error) = moderation.follow().await {
                        tracing::warn!(error = %error, "the live model and the keys could not be looked up; those in use stay");
                    }
                }
            })
        };
        let escalate = {
            let moderation = Arc::clone(&moderation);
            every(ESCALATE_EVERY, move || {
                let moderation = Arc::clone(&moderation);
                async move {
                    match moderation.escalate_overdue().await {
                        Ok(0) => {}
                        Ok(escalated) => {
                            tracing::info!(escalated, "what waited too long is escalated");
                        }
                        Err(error) => {
                            tracing::warn!(error = %error, "what waits too long goes on waiting for now");
                        }
                    }
                }
            })
        };
        let shadow = {
            let moderation = Arc::clone(&moderation);
            every(SHADOW_EVERY, move || {
                let moderation = Arc::clone(&moderation);
                async move {
                    loop {
                        match moderation.score_for_shadow().await {
                            Ok(ShadowStep::Scored) => tokio::time::sleep(SHADOW_PAUSE).await,
                            Ok(ShadowStep::Idle) => break,
                            Err(error) => {
                                tracing::warn!(error = %error, "the shadow does not score for now");
                                break;
                            }
                        }
                    }
                }
            })
        };
        let tidy = every(TIDY_EVERY, move || {
            let moderation = Arc::clone(&moderation);
            async move {
                match moderation.tidy().await {
                    Ok(0) => {}
                    Ok(erased) => tracing::info!(erased, "what was past its time is erased"),
                    Err(error) => {
                        tracing::warn!(error = %error, "what is past its time stays for now");
                    }
                }
            }
        });
        Self([follow, shadow, escalate, tidy])
    }
}

/// Does something now and then.
fn every<F: Future<Output = ()> + Send>(
    period: Duration,
    work: impl Fn() -> F + Send + 'static,
) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(period);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            work().await;
        }
    })
}

impl Drop for Worker {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}
