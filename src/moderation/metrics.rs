//! What the service counts and measures of itself, for Prometheus.
//!
//! A registry for each instance, not one for the process: tests run many servers beside one another. What follows from
//! the database (the queue, the event log) is read when asked for. To add a metric: a field, a line in `new`, and a row
//! in `docs/operations.md`.

use std::time::Duration;

use prometheus::{
    Encoder as _, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts,
    Registry, TextEncoder, core::Collector,
};

use super::{Error, Moderation};
use crate::domain::{QueueName, Status, Timestamp};

/// Counters and histograms of one instance.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    pub(super) scoring_seconds: Histogram,
    comments: IntCounterVec,
    pub(super) batch_size: Histogram,
    pub(super) batch_seconds: Histogram,
    pub(super) waiting: IntGauge,
    queue_items: GaugeVec,
    queue_oldest: GaugeVec,
    pool: GaugeVec,
    event_lag: GaugeVec,
    shadow_lag: GaugeVec,
    model: GaugeVec,
}

/// From a tenth of a millisecond to ten seconds.
const SECONDS: [f64; 16] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];
/// Scoring is a matter of microseconds.
const SCORING_SECONDS: [f64; 11] = [
    0.000_01, 0.000_025, 0.000_05, 0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.1,
];
const BATCH_SIZES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

impl Metrics {
    /// # Errors
    /// When a metric is declared twice, or wrongly: a mistake of this file.
    pub(super) fn new() -> Result<Self, prometheus::Error> {
        let gauges =
            |name: &str, help: &str, labels: &[&str]| GaugeVec::new(Opts::new(name, help), labels);
        let histogram = |name: &str, help: &str, buckets: &[f64]| {
            Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))
        };
        let metrics = Self {
            registry: Registry::new(),
            requests: IntCounterVec::new(
                Opts::new("palabre_http_requests_total", "Requests answered"),
                &["method", "route", "status"],
            )?,
            request_seconds: HistogramVec::new(
                HistogramOpts::new(
                    "palabre_http_request_duration_seconds",
                    "Time from a request's head to its answer's head",
                )
                .buckets(SECONDS.to_vec()),
                &["method", "route"],
            )?,
            scoring_seconds: histogram(
                "palabre_scoring_duration_seconds",
                "Time to score and fingerprint a comment",
                &SCORING_SECONDS,
            )?,
            comments: IntCounterVec::new(
                Opts::new("palabre_comments_total", "New comments by verdict"),
                &["status"],
            )?,
            batch_size: histogram(
                "palabre_intake_batch_size",
                "New comments stored by one transaction",
                &BATCH_SIZES,
            )?,
            batch_seconds: histogram(
                "palabre_intake_duration_seconds",
                "Time of one transaction of new comments, commit included",
                &SECONDS,
            )?,
            waiting: IntGauge::new(
                "palabre_intake_waiting",
                "New comments that wait for their transaction",
            )?,
            queue_items: gauges(
                "palabre_queue_items",
                "Items that wait for a moderator",
                &["queue"],
            )?,
            queue_oldest: gauges(
                "palabre_queue_oldest_seconds",
                "Age of the oldest item that waits",
                &["queue"],
            )?,
            pool: gauges(
                "palabre_pool_connections",
                "Connections to the database",
                &["pool", "state"],
            )?,
            event_lag: gauges(
                "palabre_event_lag_seconds",
                "How long a transaction that is still open holds readers of the events back",
                &[],
            )?,
            shadow_lag: gauges(
                "palabre_shadow_lag_seconds",
                "How long the oldest text that the shadow has not scored has waited for that",
                &[],
            )?,
            model: gauges("palabre_model_info", "The live model", &["version"])?,
        };
        let build = gauges("palabre_build_info", "This release", &["version"])?;
        build
            .with_label_values(&[env!("CARGO_PKG_VERSION")])
            .set(1.0);
        let all: [Box<dyn Collector>; 15] = [
            Box::new(metrics.requests.clone()),
            Box::new(metrics.request_seconds.clone()),
            Box::new(metrics.scoring_seconds.clone()),
            Box::new(metrics.comments.clone()),
            Box::new(metrics.batch_size.clone()),
            Box::new(metrics.batch_seconds.clone()),
            Box::new(metrics.waiting.clone()),
            Box::new(metrics.queue_items.clone()),
            Box::new(metrics.queue_oldest.clone()),
            Box::new(metrics.pool.clone()),
            Box::new(metrics.event_lag.clone()),
            Box::new(metrics.shadow_lag.clone()),
            Box::new(metrics.model.clone()),
            Box::new(build),
            Box::new(prometheus::process_collector::ProcessCollector::for_self()),
        ];
        for collector in all {
            metrics.registry.register(collector)?;
        }
        // Series that alerts compare with are there from the start.
        for status in [Status::Published, Status::Pending, Status::Hidden] {
            metrics.comments.with_label_values(&[status.as_str()]);
        }
        Ok(metrics)
    }

    /// Counts a request that was answered. `route` is the template, never the path.
    pub fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        self.requests
            .with_label_values(&[method, route, &status.to_string()])
            .inc();
        self.request_seconds
            .with_label_values(&[method, route])
            .observe(took.as_secs_f64());
    }

    pub(super) fn verdict(&self, status: Status) {
        self.comments.with_label_values(&[status.as_str()]).inc();
    }
}

impl Moderation {
    /// What is counted and measured.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// All metrics in Prometheus' text format, and the name of that format.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn render_metrics(&self) -> Result<(String, &'static str), Error> {
        let metrics = &*self.metrics;
        let mut conn = self.store.read().await?;
        let depths = conn.db().queue_depths().await?;
        let unsettled = conn.db().oldest_unsettled_event().await?;
        let unscored = match conn.db().shadow().await? {
            Some(shadow) => conn.db().first_text_after(shadow.reached).await?,
            None => None,
        };
        drop(conn);
        let now = Timestamp::now();
        let age = |since: Timestamp| (now.millis() - since.millis()).max(0) as f64 / 1e3;
        for queue in QueueName::ALL {
            let found = depths.iter().find(|(name, ..)| *name == queue);
            let (count, oldest) = found.map_or((0, 0.0), |(_, count, since)| (*count, age(*since)));
            let labels = [queue.as_str()];
            metrics
                .queue_items
                .with_label_values(&labels)
                .set(count as f64);
            metrics.queue_oldest.with_label_values(&labels).set(oldest);
        }
        metrics
            .event_lag
            .with_label_values::<&str>(&[])
            .set(unsettled.map_or(0.0, age));
        metrics
            .shadow_lag
            .with_label_values::<&str>(&[])
            .set(unscored.map_or(0.0, age));
        for pool in self.store.pools() {
            for (state, count) in [("idle", pool.idle), ("busy", pool.busy)] {
                metrics
                    .pool
                    .with_label_values(&[pool.name, state])
                    .set(f64::from(count));
            }
        }
        metrics.model.reset();
        metrics
            .model
            .with_label_values(&[self.model().version()])
            .set(1.0);
        let mut text = Vec::new();
        let written = TextEncoder::new().encode(&metrics.registry.gather(), &mut text);
        if let Err(error) = written {
            tracing::error!(%error, "metrics cannot be written");
        }
        Ok((
            String::from_utf8_lossy(&text).into_owned(),
            prometheus::TEXT_FORMAT,
        ))
    }
}
