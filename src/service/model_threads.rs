//! Model threads: where a slow model works, a few tasks at a time, so that neither the lanes nor the sessions that they
//! hold wait for it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What one of the threads runs.
pub(super) type Task = Box<dyn FnOnce() + Send>;

/// The threads and what waits for them. Dropping it ends them once nothing waits.
pub(super) struct ModelThreads(Arc<Shared>);

#[derive(Default)]
struct Shared {
    tasks: Mutex<Tasks>,
    /// Signalled for each task, and at the end.
    work: Condvar,
}

#[derive(Default)]
struct Tasks {
    waiting: VecDeque<Task>,
    closed: bool,
}

impl ModelThreads {
    /// Starts this many threads.
    pub(super) fn start(threads: usize) -> std::io::Result<Self> {
        // Made first: if a thread cannot be had, dropping it ends those that were.
        let handle = Self(Arc::default());
        for thread in 0..threads {
            let shared = Arc::clone(&handle.0);
            std::thread::Builder::new().name(format!("model-{thread}")).spawn(move || {
                give_way();
                shared.run();
            })?;
        }
        Ok(handle)
    }

    /// Runs `task` when its turn comes. Whoever waits for it has to learn by its being dropped that it panicked.
    pub(super) fn run(&self, task: Task) {
        self.0.lock().waiting.push_back(task);
        self.0.work.notify_one();
    }
}

/// Lets all other threads go first: of a core that they have use for, this one gets a tenth.
///
/// On Linux niceness is a thread's own; elsewhere it would be that of the whole process.
fn give_way() {
    #[cfg(target_os = "linux")]
    {
        const STEPS: i32 = 10;
        use rustix::process::{getpriority_process, setpriority_process};
        // Where that is refused, pictures are predicted all the same.
        let _ = getpriority_process(None).and_then(|nice| setpriority_process(None, nice + STEPS));
    }
}

impl Drop for ModelThreads {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.work.notify_all();
    }
}

impl Shared {
    /// Nothing panics while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        while let Some(task) = self.next() {
            if catch_unwind(AssertUnwindSafe(task)).is_err() {
                log::error!(target: "augur::service", "the model panicked; its request is answered with 500");
            }
        }
    }

    fn next(&self) -> Option<Task> {
        let mut tasks = self
            .work
            .wait_while(self.lock(), |tasks| tasks.waiting.is_empty() && !tasks.closed)
            .unwrap_or_else(PoisonError::into_inner);
        tasks.waiting.pop_front()
    }
}
