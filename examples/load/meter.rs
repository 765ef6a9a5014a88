//! What things cost: latencies, and what `/proc` says of a process.

use std::{fs, time::Duration};

use anyhow::Context as _;
use serde_json::{Value, json};

/// A tick of `utime` and `stime`: `USER_HZ` is 100 on every Linux that Palabre is built for.
const TICK_MS: f64 = 10.0;

/// Latencies, every one kept.
#[derive(Default)]
pub struct Latencies {
    micros: Vec<u32>,
    sorted: bool,
}

impl Latencies {
    pub fn record(&mut self, took: Duration) {
        self.sorted = false;
        self.micros
            .push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn count(&self) -> usize {
        self.micros.len()
    }

    /// That share of them took no longer than this, in milliseconds. Null where there are too few to tell: a p99 needs
    /// a hundred.
    pub fn millis(&mut self, share: f64) -> Value {
        if share < 1.0 && self.micros.len() as f64 * (1.0 - share) < 1.0 - 1e-9 {
            return Value::Null;
        }
        if !self.sorted {
            self.micros.sort_unstable();
            self.sorted = true;
        }
        let rank = (share * self.micros.len() as f64).ceil() as usize;
        match self.micros.get(rank.saturating_sub(1)) {
            Some(micros) => json!(f64::from(*micros) / 1000.0),
            None => Value::Null,
        }
    }
}

/// Reads what a server costs.
#[derive(Clone)]
pub struct Meter {
    pid: u32,
    /// The PostgreSQL database whose connections work for it.
    database: Option<String>,
}

/// What was used so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// Processor time of the server, in milliseconds.
    pub server: f64,
    /// Of PostgreSQL's processes that serve the database; 0 on SQLite.
    pub database: f64,
    /// Of this program.
    pub load: f64,
    /// What the server wrote to files: on SQLite, to the WAL and from there to the database. In kilobytes.
    pub written: f64,
}

/// Memory of a server, in megabytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// What it holds for itself.
    pub own: f64,
    /// With the program and the parts of the database file that it maps. Those are the system's cache, and each SQLite
    /// connection maps them once more, so that the same page may count many times.
    pub rss: f64,
    /// The most that ever was.
    pub peak_rss: f64,
}

impl Cost {
    /// What was used since `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            server: self.server - earlier.server,
            database: self.database - earlier.database,
            load: self.load - earlier.load,
            written: self.written - earlier.written,
        }
    }
}

impl Meter {
    pub fn new(pid: u32, database: Option<String>) -> Self {
        Self { pid, database }
    }

    pub fn cost(&self) -> anyhow::Result<Cost> {
        Ok(Cost {
            server: cpu_millis(&self.pid.to_string()).context("the server is gone")?,
            database: self.database.as_deref().map_or(0.0, database_millis),
            load: cpu_millis("self")?,
            written: number(&format!("/proc/{}/io", self.pid), "write_bytes:")? / 1e3,
        })
    }

    pub fn memory(&self) -> anyhow::Result<Memory> {
        Ok(Memory {
            own: self.megabytes("RssAnon:")?,
            rss: self.megabytes("VmRSS:")?,
            peak_rss: self.megabytes("VmHWM:")?,
        })
    }

    fn megabytes(&self, name: &str) -> anyhow::Result<f64> {
        let kibibytes = number(&format!("/proc/{}/status", self.pid), name)?;
        Ok(kibibytes * 1024.0 / 1e6)
    }
}

/// The number after a name in a file of `/proc`.
fn number(file: &str, name: &str) -> anyhow::Result<f64> {
    fs::read_to_string(file)?
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|value| value.split_whitespace().next())
        .with_context(|| format!("{file} has no {name}"))?
        .parse()
        .map_err(anyhow::Error::from)
}

/// utime + stime of a process.
fn cpu_millis(pid: &str) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the program's name in brackets, which may hold anything.
    let (_, after_name) = stat
        .rsplit_once(')')
        .context("/proc/PID/stat has no name")?;
    let ticks: Vec<f64> = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() * TICK_MS)
}

/// The same of every PostgreSQL process that is connected to a database: their command lines say which.
fn database_millis(name: &str) -> f64 {
    let Ok(processes) = fs::read_dir("/proc") else {
        return 0.0;
    };
    processes
        .flatten()
        .filter_map(|process| {
            let pid = process.file_name().into_string().ok()?;
            let command = fs::read_to_string(process.path().join("cmdline")).ok()?;
            let serves = command.starts_with("postgres:") && command.contains(name);
            serves.then(|| cpu_millis(&pid).ok()).flatten()
        })
        .sum()
}
