//! What a process has used, as Linux counts it.

use std::error::Error;
use std::fs;
use std::time::Duration;

/// CPU time in user mode and in the kernel, over all threads (proc_pid_stat(5), fields 14 and 15). Linux counts it in
/// hundredths of a second on all its platforms.
pub(super) fn cpu(process: u32) -> Result<Duration, Box<dyn Error>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything; behind it follows field 3.
    let (_, fields) = stat.rsplit_once(") ").ok_or("a strange stat")?;
    let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

/// The same, when the process has nothing left to do.
pub(super) fn cpu_when_idle(process: u32) -> Result<Duration, Box<dyn Error>> {
    let mut before = cpu(process)?;
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let now = cpu(process)?;
        if now == before {
            return Ok(now);
        }
        before = now;
    }
}

/// The most memory that was resident at once, in MiB (proc_pid_status(5), VmHWM).
pub(super) fn peak(process: u32) -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}
