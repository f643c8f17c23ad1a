//! What evidence costs the whole command: its peak memory and CPU time are measured. Memory has one
//! bound for all, and twice the evidence may take little more than twice the time.
//!
//! Debug builds take a small part of the size; `cargo test --release` takes all of it.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use crate::wire::Capture;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Peak resident memory that no evidence may exceed, in KiB.
const MOST_MEMORY: u64 = 320 << 10;

/// What one run of the command took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    cpu_ticks: u64,
    peak_kib: u64,
}

/// A capture in a file.
pub(crate) type Evidence = Capture<BufWriter<File>>;

/// A part of `size` that this build can handle in a few seconds.
fn scaled(size: u32) -> u32 {
    if cfg!(debug_assertions) { (size / 40).max(2) } else { size }
}

/// Audits evidence of half the size and of all of it, and checks memory and time.
pub(crate) fn bounded(name: &str, size: u32, write: impl Fn(u32, BufWriter<File>)) {
    let size = scaled(size);
    let [half, whole] = [size / 2, size].map(|size| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{size}"));
        write(size, BufWriter::new(File::create(&path).unwrap()));
        let bytes = std::fs::metadata(&path).unwrap().len();
        let cost = audit(&path);
        std::fs::remove_file(&path).unwrap();
        println!("{name} {size}: {bytes} bytes, {} ms CPU, peak {} KiB", cost.cpu_ticks * 10, cost.peak_kib);
        cost
    });
    assert!(whole.peak_kib <= MOST_MEMORY, "{name}: {} KiB", whole.peak_kib);
    assert!(whole.cpu_ticks <= half.cpu_ticks * 3 + 50, "{name}: {half:?} for a half, {whole:?} for the whole");
}

/// As [`bounded`] for a capture.
pub(crate) fn bounded_capture(name: &str, size: u32, write: impl Fn(u32, &mut Evidence)) {
    bounded(name, size, |size, file| {
        let mut capture = Capture::new(file);
        write(size, &mut capture);
        capture.finish();
    });
}

fn audit(evidence: &Path) -> Cost {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dyetrace"));
    command.arg("audit").arg(evidence).args(["--find", "phone=13800000427", "--format", "json"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let cost = watch(&child);
    let status = child.wait().unwrap();
    assert!(matches!(status.code(), Some(0 | 2 | 3)), "{}: {status}", evidence.display());
    cost
}

/// Samples what the kernel says of a process until it ends; its CPU time stays readable until then.
fn watch(child: &Child) -> Cost {
    let folder = PathBuf::from(format!("/proc/{}", child.id()));
    let mut cost = Cost { cpu_ticks: 0, peak_kib: 0 };
    loop {
        let status = std::fs::read_to_string(folder.join("status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        cost.peak_kib = peak.map_or(cost.peak_kib, |peak| peak.trim().parse().unwrap());
        let stat = std::fs::read_to_string(folder.join("stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        cost.cpu_ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        if fields[0] == "Z" {
            return cost;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
