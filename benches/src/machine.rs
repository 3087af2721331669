//! What the machine says: processor time, memory, and how busy others kept it.

use std::{
    fs,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::Path,
    time::Instant,
};

use anyhow::{Context, Result};
use rustix::{
    param::clock_ticks_per_second,
    time::{ClockId, clock_gettime},
};
use tempfile::TempDir;

/// Seconds of processor time of this thread while it ran `work`: what others do on the machine counts little.
pub fn cpu_seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = thread_time();
    let result = work();
    (thread_time() - start, result)
}

/// Seconds on the wall while `work` ran.
pub fn wall_seconds<T>(work: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
    let start = Instant::now();
    let result = work()?;
    Ok((start.elapsed().as_secs_f64(), result))
}

fn thread_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A memory figure of a process ("self", or its number), in bytes: `VmHWM` is the most it ever had, `VmRSS` what it has now.
pub fn memory(process: &str, field: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).with_context(|| format!("no {field}"))?;
    Ok(kib.parse::<f64>()? * 1024.0)
}

/// The number of the process that was started with this argument.
pub fn process_with_argument(argument: &Path) -> Result<String> {
    let is_it = |process: &str| {
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == argument.as_os_str().as_bytes())
    };
    let processes = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    processes.into_iter().find(|process| is_it(process)).with_context(|| format!("no process has {argument:?}"))
}

/// Bytes that the files in a folder really take.
pub fn disk(folder: &Path) -> Result<f64> {
    let mut bytes = 0.0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { disk(&entry.path())? } else { metadata.blocks() as f64 * 512.0 };
    }
    Ok(bytes)
}

/// An empty folder beside this program: on a disk, which a system's folder for temporary files need not be.
pub fn scratch() -> Result<TempDir> {
    let program = std::env::current_exe()?;
    Ok(tempfile::tempdir_in(program.parent().context("a program is in a folder")?)?)
}

/// Ticks of processor time that were used up to a moment.
pub struct Machine {
    at: Instant,
    all: u64,
    ours: u64,
}

impl Machine {
    /// As of now. Children count once they have ended.
    pub fn now() -> Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        let all = fields(stat.lines().next().context("an empty /proc/stat")?, 1);
        let own = fs::read_to_string("/proc/self/stat")?;
        // Behind the name, which may hold blanks: user and system time are fields 14 to 17, children's included.
        let own = fields(own.rsplit_once(')').context("no name in /proc/self/stat")?.1, 0);
        // user, nice, system, then idle and waiting, then interrupts and what the hypervisor took.
        let busy = [0, 1, 2, 5, 6, 7].iter().filter_map(|field| all.get(*field)).sum();
        Ok(Self {
            at: Instant::now(),
            all: busy,
            ours: own.get(11..15).context("a short /proc/self/stat")?.iter().sum(),
        })
    }

    /// How busy we and others kept the machine since then, in words.
    pub fn since(&self, before: &Self) -> String {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let ticks = (self.at - before.at).as_secs_f64() * clock_ticks_per_second() as f64 * cores as f64;
        let ours = (self.ours - before.ours) as f64;
        let others = (self.all - before.all) as f64 - ours;
        let percent = |part: f64| (100.0 * part / ticks).clamp(0.0, 100.0);
        format!("of {cores} cores, this used {:.0} %, others {:.0} %", percent(ours), percent(others))
    }
}

fn fields(line: &str, skip: usize) -> Vec<u64> {
    line.split_whitespace().skip(skip).map(|field| field.parse().unwrap_or(0)).collect()
}
