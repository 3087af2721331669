//! Space on the disk of the data folder. Refusing before it is full keeps the store whole, and ends by itself.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use tracing::{info, warn};

use crate::health::{Health, Part, Reason};

/// Watches the free space.
pub struct Disk {
    folder: PathBuf,
    /// Bytes below which nothing is taken.
    reserve: u64,
    health: Health,
    low: AtomicBool,
}

impl Disk {
    /// Of the file system that holds `folder`; keeps `reserve` bytes free.
    pub fn new(folder: PathBuf, reserve: u64, health: Health) -> Self {
        Self { folder, reserve, health, low: AtomicBool::new(false) }
    }

    /// Bytes that are free for this user; `None`: the system does not say.
    pub fn free(&self) -> Option<u64> {
        let space = rustix::fs::statvfs(&self.folder).ok()?;
        Some(space.f_bavail.saturating_mul(space.f_frsize))
    }

    /// Whether there is room for more. Where the system does not say, a failing write will.
    pub fn has_room(&self) -> bool {
        let low = self.free().is_some_and(|free| free < self.reserve);
        if self.low.swap(low, Ordering::Relaxed) != low {
            self.tell(low);
        }
        !low
    }

    fn tell(&self, low: bool) {
        if !low {
            info!("there is room on the disk again");
            return self.health.set(Part::Disk, Vec::new());
        }
        let detail = format!("less than {} MiB are free in the data folder; make room", self.reserve >> 20);
        warn!("{detail}; nothing is taken until then");
        self.health.set(Part::Disk, vec![Reason { problem: "disk-full", issuer: None, detail }]);
    }
}
