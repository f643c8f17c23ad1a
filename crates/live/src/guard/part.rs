//! Parts of a task that are polled only when they were woken.

use futures_util::task::AtomicWaker;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

/// One of several things that a task polls.
pub(super) struct Part {
    bell: Arc<Bell>,
    /// Rings the bell.
    waker: Waker,
}

/// Remembers that it was rung, and wakes the task if that rests.
struct Bell {
    is_due: AtomicBool,
    task: AtomicWaker,
}

impl Default for Part {
    /// To be polled at once.
    fn default() -> Self {
        let bell = Arc::new(Bell { is_due: AtomicBool::new(true), task: AtomicWaker::new() });
        Self { waker: Waker::from(Arc::clone(&bell)), bell }
    }
}

impl Part {
    /// What to poll it with, where it was woken since it was polled last.
    pub(super) fn due(&mut self) -> Option<Context<'_>> {
        // A task that is at it need not be woken.
        self.bell.task.take();
        self.bell.is_due.swap(false, Ordering::AcqRel).then(|| Context::from_waker(&self.waker))
    }

    /// Has it polled.
    pub(super) fn wake(&self) {
        self.waker.wake_by_ref();
    }

    /// The task is about to rest: it is woken from now on. False where this part is to be polled first.
    pub(super) fn rests(&self, task: &Context<'_>) -> bool {
        self.bell.task.register(task.waker());
        !self.bell.is_due.load(Ordering::Acquire)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_due.store(true, Ordering::Release);
        self.task.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counted(std::sync::atomic::AtomicUsize);

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_part_is_due_once_for_each_time_it_was_woken_and_only_a_resting_task_is_woken() {
        let count = Arc::new(Counted(0.into()));
        let waker = Waker::from(Arc::clone(&count));
        let (task, mut part) = (Context::from_waker(&waker), Part::default());
        let own = part.due().map(|own| own.waker().clone()).unwrap();
        assert!(part.due().is_none());
        own.wake_by_ref();
        assert!(!part.rests(&task), "it was woken before the task came to rest");
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        assert!(part.due().is_some() && part.rests(&task));
        own.wake_by_ref();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(part.due().is_some());
    }
}
