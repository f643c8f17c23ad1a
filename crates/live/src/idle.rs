//! How long a connection may be silent.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long nothing may pass *in either direction* before a connection is given up: a long download is silent on its
/// way up. Clones share what passed last.
#[derive(Debug, Clone)]
pub(crate) struct Idle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: Duration,
    began: Instant,
    /// Milliseconds from `began` until something passed last.
    passed: AtomicU64,
}

impl Idle {
    pub(crate) fn new(limit: Duration) -> Self {
        Self(Arc::new(Shared { limit, began: Instant::now(), passed: AtomicU64::new(0) }))
    }

    /// How long nothing may pass.
    pub(crate) fn limit(&self) -> Duration {
        self.0.limit
    }

    /// Waits for something to pass.
    ///
    /// # Errors
    /// `TimedOut` where nothing passed on the whole connection for too long.
    pub(crate) async fn within<T>(&self, work: impl Future<Output = T>) -> io::Result<T> {
        let mut work = pin!(work);
        // Whoever begins to wait on a connection that was left alone has the whole time.
        let begun = Instant::now();
        loop {
            let deadline = self.last().max(begun) + self.0.limit;
            if let Ok(outcome) = timeout_at(deadline, &mut work).await {
                self.touch();
                return Ok(outcome);
            }
            if self.last() + self.0.limit <= Instant::now() {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }

    fn touch(&self) {
        let passed = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.passed.fetch_max(passed, Ordering::Relaxed);
    }

    fn last(&self) -> Instant {
        self.0.began + Duration::from_millis(self.0.passed.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn one_way_may_be_silent_while_the_other_is_not() {
        let idle = Idle::new(Duration::from_mins(1));
        let busy = async {
            for _ in 0..5 {
                idle.within(sleep(Duration::from_secs(40))).await.unwrap();
            }
        };
        let silent = idle.within(pending::<()>());
        let began = Instant::now();
        let (silent, ()) = tokio::join!(silent, busy);
        assert_eq!(silent.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 260, "five times forty seconds, and a minute of silence");
    }
}
