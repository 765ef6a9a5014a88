//! The time that is stored: the machine's, but never backwards.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::Timestamp;

/// A clock that stands still while the machine's is set back, so that what this process stores keeps its order.
#[derive(Debug, Default)]
pub(super) struct Clock(AtomicI64);

impl Clock {
    /// Now, or the latest moment told before.
    pub fn now(&self) -> Timestamp {
        let wall = Timestamp::now().millis();
        let latest = self.0.fetch_max(wall, Ordering::Relaxed);
        Timestamp::from_millis(wall.max(latest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_stands_still() {
        let clock = Clock::default();
        let future = Timestamp::now().millis() + 60_000;
        clock.0.store(future, Ordering::Relaxed);
        assert_eq!(clock.now().millis(), future);
    }
}
