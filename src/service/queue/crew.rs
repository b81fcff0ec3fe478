//! The lanes of a queue: who works, who sleeps, and who is being woken.

use std::time::Duration;

#[derive(Default)]
pub(in crate::service) struct Crew {
    /// Lanes that have a session, or wait for one, and work.
    working: usize,
    /// Lanes that sleep, without the one that is being woken.
    sleeping: usize,
    /// One of them wakes by itself.
    has_deputy: bool,
    /// A lane is being woken and has not looked at the queue yet: it will take what comes meanwhile, so that under load
    /// batches grow instead of every request waking a lane of its own.
    is_claimed: bool,
    /// The same of a lane that is about to look once more before it sleeps.
    is_looking: bool,
}

impl Crew {
    /// A lane begins to work.
    pub(in crate::service) fn begin(&mut self) {
        self.working += 1;
    }

    /// A lane has ended its work.
    pub(in crate::service) fn end(&mut self) {
        self.working -= 1;
    }

    pub(super) fn is_at_work(&self) -> bool {
        self.working > 0
    }

    /// Whether a lane sleeps that may be claimed: none is awake already that will look at the queue.
    pub(super) fn may_claim(&self) -> bool {
        self.sleeping > 0 && !self.is_claimed && !self.is_looking
    }

    pub(super) fn has_deputy(&self) -> bool {
        self.has_deputy
    }

    /// Claims a sleeping lane, which has to be signalled.
    pub(super) fn claim(&mut self) {
        self.sleeping -= 1;
        self.is_claimed = true;
    }

    pub(super) fn is_claimed(&self) -> bool {
        self.is_claimed
    }

    /// A lane is about to look once more, as one that is being woken is; `false`: there is such a lane already.
    pub(in crate::service) fn begin_look(&mut self) -> bool {
        !self.is_claimed && !std::mem::replace(&mut self.is_looking, true)
    }

    pub(in crate::service) fn end_look(&mut self) {
        self.is_looking = false;
    }

    /// A lane falls asleep; with a limit it is the one that wakes by itself, and then ends with
    /// [`end_deputy`](Self::end_deputy), the others with [`wake_up`](Self::wake_up).
    pub(super) fn fall_asleep(&mut self, limit: Option<Duration>) {
        self.sleeping += 1;
        self.has_deputy |= limit.is_some();
    }

    /// The lane that wakes by itself is awake, and sleeps no more whether or not it was claimed.
    pub(in crate::service) fn end_deputy(&mut self) {
        self.has_deputy = false;
        if !self.is_claimed {
            self.sleeping -= 1;
        }
        self.is_claimed = false;
    }

    /// A lane that was claimed is awake.
    pub(in crate::service) fn wake_up(&mut self) {
        self.is_claimed = false;
    }

    #[cfg(test)]
    pub(super) fn sleeping(&self) -> usize {
        self.sleeping
    }
}
