//! How long a connection may be silent.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// Looks at a silent connection until it is given up: it has at most one part in so many more time than the limit.
const LOOKS: u32 = 8;

/// How long nothing may pass *in either direction* before a connection is given up: a long download is silent on its
/// way up. Clones share what passed last.
///
/// Who waits sets no timer, which would cost as much as all else that is done here for a short message; one timer of
/// the connection looks now and then whether anything passed ([`Self::watched`]).
#[derive(Debug, Clone)]
pub(crate) struct Idle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: Duration,
    /// Whether anything passed, or somebody began to wait, since the last look.
    passed: AtomicBool,
    /// Those who wait for something to pass.
    waiting: AtomicUsize,
}

/// Somebody who waits for something to pass, until it is dropped.
#[derive(Debug)]
pub(crate) struct Waiting(Arc<Shared>);

impl Idle {
    pub(crate) fn new(limit: Duration) -> Self {
        Self(Arc::new(Shared { limit, passed: AtomicBool::new(false), waiting: AtomicUsize::new(0) }))
    }

    /// How long nothing may pass.
    pub(crate) fn limit(&self) -> Duration {
        self.0.limit
    }

    /// Waits for something to pass.
    pub(crate) async fn within<T>(&self, work: impl Future<Output = T>) -> T {
        let _waiting = self.wait();
        work.await
    }

    /// Somebody begins to wait, and has the whole time on a connection that was left alone.
    pub(crate) fn wait(&self) -> Waiting {
        self.0.passed.store(true, Ordering::Relaxed);
        self.0.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(Arc::clone(&self.0))
    }

    /// Runs a connection. Where nobody waits for the network, as while a person is asked, time does not count.
    ///
    /// # Errors
    /// `TimedOut` where nothing passed on the whole connection for too long.
    pub(crate) async fn watched<T>(&self, connection: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        tokio::select! {
            biased;
            outcome = connection => outcome,
            () = self.silence() => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Waits until nothing has passed for too long.
    async fn silence(&self) {
        let mut silent = 0;
        while silent < LOOKS {
            sleep(self.0.limit / LOOKS).await;
            let counts = !self.0.passed.swap(false, Ordering::Relaxed) && self.0.waiting.load(Ordering::Relaxed) > 0;
            silent = if counts { silent + 1 } else { 0 };
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.passed.store(true, Ordering::Relaxed);
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn one_way_may_be_silent_while_the_other_is_not() {
        let idle = Idle::new(Duration::from_mins(1));
        let busy = async {
            for _ in 0..5 {
                idle.within(sleep(Duration::from_secs(40))).await;
            }
        };
        let began = Instant::now();
        let both = async { Ok(tokio::join!(idle.within(pending::<()>()), busy)) };
        assert_eq!(idle.watched(both).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        let ended = began.elapsed().as_secs();
        assert!((260..268).contains(&ended), "five times forty seconds, and a minute of silence: {ended}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_who_is_asked_has_all_the_time() {
        let idle = Idle::new(Duration::from_mins(1));
        let asking = async {
            idle.within(sleep(Duration::from_secs(59))).await;
            sleep(Duration::from_hours(1)).await;
            idle.within(sleep(Duration::from_secs(59))).await;
            Ok("answered")
        };
        assert_eq!(idle.watched(asking).await.unwrap(), "answered");
    }
}
