//! The plainest executor: tasks are polled in the order in which they were woken.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

/// A future that a task runs.
pub(crate) type Job = Pin<Box<dyn Future<Output = ()>>>;
type Ready = Arc<Mutex<VecDeque<usize>>>;

struct Bell {
    task: usize,
    rung: AtomicBool,
    ready: Ready,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Relaxed) {
            self.ready.lock().unwrap_or_else(PoisonError::into_inner).push_back(self.task);
        }
    }
}

struct Task {
    job: Option<Job>,
    bell: Arc<Bell>,
    waker: Waker,
}

/// Tasks on one thread.
#[derive(Default)]
pub(crate) struct Tasks {
    tasks: Vec<Task>,
    ready: Ready,
    alive: usize,
}

impl Tasks {
    /// Adds a task that is ready.
    pub(crate) fn spawn(&mut self, job: Job) {
        let bell =
            Bell { task: self.tasks.len(), rung: AtomicBool::new(false), ready: Arc::clone(&self.ready) };
        let bell = Arc::new(bell);
        let waker = Waker::from(Arc::clone(&bell));
        waker.wake_by_ref();
        self.tasks.push(Task { job: Some(job), bell, waker });
        self.alive += 1;
    }

    /// Tasks that have not ended.
    pub(crate) fn alive(&self) -> usize {
        self.alive
    }

    /// Forgets all tasks but the first `count`. They must have ended.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.tasks.truncate(count);
    }

    /// Runs until every task waits for something.
    pub(crate) fn run(&mut self) {
        while let Some(index) = self.next() {
            let task = &mut self.tasks[index];
            task.bell.rung.store(false, Relaxed);
            let Some(job) = &mut task.job else { continue };
            if job.as_mut().poll(&mut Context::from_waker(&task.waker)).is_ready() {
                task.job = None;
                self.alive -= 1;
            }
        }
    }

    fn next(&self) -> Option<usize> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}
