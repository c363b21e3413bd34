//! A tiny executor: tasks polled by hand, in an order that a seed decides.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use fastrand::Rng;

/// Tasks that have been woken and not been polled since.
type Ready = Arc<Mutex<Vec<usize>>>;

/// A task's waker. One that was replaced by a newer one wakes nobody: whoever kept it has a defect.
struct Bell {
    task: usize,
    rung: AtomicBool,
    replaced: AtomicBool,
    ready: Ready,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.replaced.load(Ordering::Relaxed) && !self.rung.swap(true, Ordering::Relaxed) {
            self.ready.lock().unwrap_or_else(PoisonError::into_inner).push(self.task);
        }
    }
}

struct Task<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    bell: Arc<Bell>,
    waker: Waker,
}

/// Runs tasks whose results are a `T`. A task is known by the order of its birth.
pub(super) struct Executor<T> {
    tasks: Vec<Option<Task<T>>>,
    ready: Ready,
}

impl<T> Executor<T> {
    pub(super) fn new() -> Self {
        Self { tasks: Vec::new(), ready: Ready::default() }
    }

    /// Adds a task. It is not polled before it is [woken](Self::wake).
    pub(super) fn spawn(&mut self, future: impl Future<Output = T> + 'static) -> usize {
        let id = self.tasks.len();
        let (bell, waker) = self.bell(id);
        self.tasks.push(Some(Task { future: Box::pin(future), bell, waker }));
        id
    }

    fn bell(&self, task: usize) -> (Arc<Bell>, Waker) {
        let (rung, replaced) = (AtomicBool::new(false), AtomicBool::new(false));
        let bell = Arc::new(Bell { task, rung, replaced, ready: Arc::clone(&self.ready) });
        let waker = Waker::from(Arc::clone(&bell));
        (bell, waker)
    }

    /// Makes a task ready.
    pub(super) fn wake(&self, task: usize) {
        if let Some(Some(task)) = self.tasks.get(task) {
            task.waker.wake_by_ref();
        }
    }

    /// One of the tasks that are ready, if there is one; it is no longer ready.
    pub(super) fn next(&mut self, rng: &mut Rng) -> Option<usize> {
        loop {
            let id = {
                let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
                match ready.len() {
                    0 => return None,
                    1 => ready.pop()?,
                    count => ready.swap_remove(rng.usize(..count)),
                }
            };
            if let Some(task) = &self.tasks[id] {
                task.bell.rung.store(false, Ordering::Relaxed);
                return Some(id);
            }
        }
    }

    /// Gives a task another waker at its next poll, as happens when it moves to another thread.
    pub(super) fn move_task(&mut self, task: usize) {
        let (bell, waker) = self.bell(task);
        if let Some(task) = &mut self.tasks[task] {
            task.bell.replaced.store(true, Ordering::Relaxed);
            (task.bell, task.waker) = (bell, waker);
        }
    }

    /// Polls a task; its result, if it ends.
    pub(super) fn poll(&mut self, task: usize) -> Option<T> {
        let slot = self.tasks.get_mut(task)?;
        let running = slot.as_mut()?;
        let waker = running.waker.clone();
        match running.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => None,
            Poll::Ready(result) => {
                *slot = None;
                Some(result)
            }
        }
    }

    /// Drops a task where it stands. Returns whether it was still there.
    pub(super) fn drop_task(&mut self, task: usize) -> bool {
        self.tasks.get_mut(task).and_then(Option::take).is_some()
    }

    /// Whether a task has neither ended nor been dropped.
    pub(super) fn is_alive(&self, task: usize) -> bool {
        self.tasks.get(task).is_some_and(Option::is_some)
    }
}
