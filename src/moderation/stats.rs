//! What was received, held and decided, a day at a time, in the days of a time zone.

use std::collections::BTreeMap;

use jiff::{Timestamp as Moment, civil::Date, tz::TimeZone};
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::ToSchema;

use super::{Error, Moderation};
use crate::{
    domain::{Caller, Invalid, ReasonCode, SiteId, SiteSlug, Timestamp},
    store::{DecidedRow, QUARTER},
};

/// The most days that one request looks at.
pub const MOST_DAYS: i32 = 366;
/// How many requests count at the same time: each keeps a connection busy for a while.
static COUNTING: Semaphore = Semaphore::const_new(2);

/// Waits for one's turn to count.
pub(super) async fn turn() -> Result<SemaphorePermit<'static>, Error> {
    COUNTING.acquire().await.map_err(|_| Error::Broken)
}

/// How many days there are without a beginning named.
const DAYS: i64 = 30;

/// Which days to look at.
#[derive(Debug, Clone, Default)]
pub struct StatsRequest {
    pub site: Option<SiteSlug>,
    /// The first day.
    pub from: Option<Day>,
    /// The last day.
    pub to: Option<Day>,
    pub zone: Zone,
}

/// The days of a request, with the moments at which they begin and end.
pub(super) struct Period {
    days: Vec<Date>,
    pub from: Timestamp,
    pub to: Timestamp,
}

impl StatsRequest {
    /// The days that are meant, if the last is not named those until today.
    pub(super) fn period(&self, now: Timestamp) -> Result<Period, Error> {
        let zone = &self.zone;
        let today = zone.day_of(now.millis()).ok_or(Error::BadDays)?;
        let last = self.to.map_or(today, |day| day.0);
        let first = match self.from {
            Some(day) => day.0,
            None => last
                .checked_sub(jiff::Span::new().days(DAYS - 1))
                .map_err(|_| Error::BadDays)?,
        };
        let days: Vec<Date> = first
            .series(jiff::Span::new().days(1))
            .take_while(|day| *day <= last)
            .take(MOST_DAYS as usize + 1)
            .collect();
        if days.is_empty() || days.len() > MOST_DAYS as usize {
            return Err(Error::BadDays);
        }
        let after = last.tomorrow().map_err(|_| Error::BadDays)?;
        Ok(Period {
            days,
            from: zone.begin_of(first).ok_or(Error::BadDays)?,
            to: zone.begin_of(after).ok_or(Error::BadDays)?,
        })
    }
}

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

impl Day {
    /// A day as in `2026-11-22`.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let day = text.parse().map(Self);
        day.map_err(|_| Invalid("must be a day, such as 2026-11-22".into()))
    }
}

/// A time zone; UTC unless another is named.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Zone {
    /// A zone by its name in the IANA database.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        let zone = TimeZone::get(name).map(Self);
        zone.map_err(|_| Invalid("must be a time zone, such as Africa/Bamako".into()))
    }

    fn day_of(&self, at: i64) -> Option<Date> {
        let moment = Moment::from_millisecond(at).ok()?;
        Some(self.0.to_datetime(moment).date())
    }

    fn begin_of(&self, day: Date) -> Option<Timestamp> {
        let begin = day.to_zoned(self.0.clone()).ok()?;
        Some(Timestamp::from_millis(begin.timestamp().as_millisecond()))
    }
}

/// What happened, by day, reason and moderator.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stats {
    pub items: Vec<DayStats>,
    /// How many of the comments received had each reason to be held.
    pub reasons: Vec<ReasonStats>,
    pub moderators: Vec<ModeratorStats>,
}

/// What happened on one day.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct DayStats {
    #[schema(format = "date")]
    pub date: String,
    pub received: i64,
    /// Received, and held or hidden by the machine.
    pub held: i64,
    pub approved: i64,
    pub hidden: i64,
    /// How long decided comments had waited, half of them less and half of them more, in seconds; of the newest 100,000
    /// decisions of all days.
    #[schema(required)]
    pub median_seconds: Option<f64>,
}

/// How many comments had a reason to be held.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonStats {
    pub code: ReasonCode,
    pub count: i64,
}

/// What one moderator decided.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModeratorStats {
    pub name: String,
    pub decisions: i64,
    pub approved: i64,
    pub hidden: i64,
    #[schema(required)]
    pub median_seconds: Option<f64>,
}

/// Decisions of one day or of one moderator.
#[derive(Default)]
struct Tally {
    approved: i64,
    hidden: i64,
    waited: Vec<i64>,
}

impl Tally {
    const fn count(&mut self, row: &DecidedRow) {
        self.approved += row.approved;
        self.hidden += row.hidden;
    }

    /// In seconds.
    fn median(&mut self) -> Option<f64> {
        let middle = self.waited.len().checked_sub(1)? / 2;
        let (_, median, _) = self.waited.select_nth_unstable(middle);
        Some(*median as f64 / 1000.0)
    }
}

impl Moderation {
    /// What was received, held and decided on the caller's sites.
    ///
    /// # Errors
    /// When the site named is foreign, or there are too many days.
    #[tracing::instrument(skip_all)]
    pub async fn stats(&self, caller: &Caller, request: &StatsRequest) -> Result<Stats, Error> {
        let sites = self.sites_of(caller, request.site.as_ref(), false).await?;
        let sites: Vec<SiteId> = sites.iter().map(|site| site.id).collect();
        let zone = &request.zone;
        let Period { days, from, to } = request.period(self.clock.now())?;

        let turn = turn().await?;
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let received = db.received(&sites, from, to).await?;
        let reasons = db.reasons_received(&sites, from, to).await?;
        let decided = db.decided(&sites, from, to).await?;
        let waited = db.waited(&sites, from, to).await?;
        drop((conn, turn));

        let mut by_day: BTreeMap<Date, (DayStats, Tally)> = days
            .into_iter()
            .map(|day| {
                let date = day.to_string();
                let stats = DayStats {
                    date,
                    ..DayStats::default()
                };
                (day, (stats, Tally::default()))
            })
            .collect();
        for row in received {
            let day = zone.day_of(row.quarter * QUARTER);
            if let Some((stats, _)) = day.and_then(|day| by_day.get_mut(&day)) {
                stats.received += row.received;
                stats.held += row.held;
            }
        }
        let mut by_moderator: BTreeMap<&str, Tally> = BTreeMap::new();
        for row in &decided {
            by_moderator.entry(&row.moderator).or_default().count(row);
            let day = zone.day_of(row.quarter * QUARTER);
            if let Some((_, tally)) = day.and_then(|day| by_day.get_mut(&day)) {
                tally.count(row);
            }
        }
        for row in &waited {
            if let Some(tally) = by_moderator.get_mut(row.moderator.as_str()) {
                tally.waited.push(row.waited);
            }
            let day = zone.day_of(row.at);
            if let Some((_, tally)) = day.and_then(|day| by_day.get_mut(&day)) {
                tally.waited.push(row.waited);
            }
        }
        Ok(Stats {
            items: by_day
                .into_values()
                .map(|(stats, mut tally)| DayStats {
                    approved: tally.approved,
                    hidden: tally.hidden,
                    median_seconds: tally.median(),
                    ..stats
                })
                .collect(),
            reasons: reasons
                .into_iter()
                .map(|(code, count)| ReasonStats { code, count })
                .collect(),
            moderators: by_moderator
                .into_iter()
                .map(|(name, mut tally)| ModeratorStats {
                    name: name.to_owned(),
                    decisions: tally.approved + tally.hidden,
                    approved: tally.approved,
                    hidden: tally.hidden,
                    median_seconds: tally.median(),
                })
                .collect(),
        })
    }
}
