//! When to try again: how long to wait, and what an error says about trying at all.

use core::time::Duration;

use crate::config::Backoff;
use crate::error::ServerCode;

/// How long to wait before attempt `attempt` (0 is the first repetition): exponential with full jitter.
///
/// Full jitter spreads the clients of a restarted server over the whole interval; with a fixed part they
/// would all come back at once.
pub(crate) fn delay(backoff: &Backoff, attempt: u32, rng: &mut fastrand::Rng) -> Duration {
    let doubled = backoff.base.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX));
    random(rng, doubled.min(backoff.cap))
}

/// A time between zero and `longest`.
pub(crate) fn random(rng: &mut fastrand::Rng, longest: Duration) -> Duration {
    Duration::from_nanos(rng.u64(0..=u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX)))
}

/// Whether the server turned a command away for a reason that passes by itself.
pub(crate) const fn passes_by_itself(code: ServerCode) -> bool {
    matches!(
        code,
        ServerCode::Loading | ServerCode::TryAgain | ServerCode::ClusterDown | ServerCode::MasterDown
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_cap_and_use_the_whole_interval() {
        let backoff = Backoff { base: Duration::from_millis(10), cap: Duration::from_secs(2) };
        let mut rng = fastrand::Rng::with_seed(1);
        for (attempt, bound) in [(0, 10), (1, 20), (5, 320), (7, 1280), (8, 2000), (31, 2000), (400, 2000)] {
            let bound = Duration::from_millis(bound);
            let mut longest = Duration::ZERO;
            let mut shortest = bound;
            for _ in 0..500 {
                let delay = delay(&backoff, attempt, &mut rng);
                assert!(delay <= bound);
                longest = longest.max(delay);
                shortest = shortest.min(delay);
            }
            assert!(longest > bound * 9 / 10 && shortest < bound / 10, "attempt {attempt}");
        }
    }
}
