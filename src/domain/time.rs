//! Moments: unix milliseconds inside, RFC 3339 in UTC with milliseconds outside.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::Invalid;
use utoipa::ToSchema;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ToSchema)]
#[schema(
    value_type = String,
    format = DateTime,
    description = "A moment, as in RFC 3339; answers have it in UTC with milliseconds.",
    examples("2026-11-22T09:30:00.000Z")
)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The application's clock, the only one Palabre uses.
    #[must_use]
    pub fn now() -> Self {
        Self::from_datetime(OffsetDateTime::now_utc())
    }

    /// From unix milliseconds.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Unix milliseconds.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole days since an earlier moment.
    #[must_use]
    pub const fn days_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0) / (24 * 60 * 60 * 1000)
    }

    /// The moment so many days before.
    #[must_use]
    pub const fn days_before(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days as i64 * 24 * 60 * 60 * 1000))
    }

    fn from_datetime(moment: OffsetDateTime) -> Self {
        Self((moment.unix_timestamp_nanos() / 1_000_000) as i64)
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            moment.year(),
            u8::from(moment.month()),
            moment.day(),
            moment.hour(),
            moment.minute(),
            moment.second(),
            moment.millisecond()
        )
    }
}

impl std::str::FromStr for Timestamp {
    type Err = Invalid;

    /// A time in RFC 3339 with any offset, of a year that has four digits in UTC too.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        OffsetDateTime::parse(text, &Rfc3339)
            .ok()
            .and_then(|moment| moment.checked_to_offset(UtcOffset::UTC))
            .filter(|moment| (0..=9999).contains(&moment.year()))
            .map(Self::from_datetime)
            .ok_or_else(|| {
                Invalid("must be a time as in RFC 3339, such as 2026-11-22T09:30:00.000Z".into())
            })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_back_as_it_was_written() {
        let moment = Timestamp::from_millis(1_763_803_800_123);
        assert_eq!(moment.to_string(), "2025-11-22T09:30:00.123Z");
        assert_eq!(moment.to_string().parse::<Timestamp>().unwrap(), moment);
    }

    #[test]
    fn another_offset_is_the_same_moment() {
        let paris: Timestamp = "2026-11-22T10:30:00+01:00".parse().unwrap();
        assert_eq!(paris.to_string(), "2026-11-22T09:30:00.000Z");
    }

    #[test]
    fn a_year_beyond_four_digits_is_refused() {
        assert!("9999-12-31T23:59:59Z".parse::<Timestamp>().is_ok());
        assert!("9999-12-31T23:59:59-12:00".parse::<Timestamp>().is_err());
    }

    #[test]
    fn a_time_without_a_zone_is_refused() {
        assert!("2026-11-22T10:30:00".parse::<Timestamp>().is_err());
    }
}
