//! What goes on beside the requests.

use std::{sync::Arc, time::Duration};

use crate::moderation::Moderation;

/// How often a server looks whether another model went live.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// Keeps the live model up to date until dropped.
pub struct Worker(tokio::task::JoinHandle<()>);

impl Worker {
    /// Starts the background work of a server.
    #[must_use]
    pub fn start(moderation: Arc<Moderation>) -> Self {
        Self(tokio::spawn(async move {
            let mut tick = tokio::time::interval(FOLLOW_EVERY);
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                if let Err(error) = moderation.follow_model().await {
                    tracing::warn!(error = %error, "the live model could not be looked up; the one in use stays");
                }
            }
        }))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.abort();
    }
}
