//! The program with `shim.c` between it and the C library: a disk as slow, and a clock as wrong, as the test says.

use std::{fs::File, os::unix::fs::FileExt as _, path::PathBuf, process::Command, sync::Arc};

use crate::{postgres::say_loudly, program::Home};

/// The positions of the numbers in the control file.
const SYNC_DELAY: u64 = 0;
const CLOCK_SHIFT: u64 = 8;
const SYNCS: u64 = 16;
const CLOCK_READS: u64 = 24;
const SIZE: u64 = 32;

pub struct Shim {
    library: PathBuf,
    control_path: PathBuf,
    control: File,
    _directory: Arc<tempfile::TempDir>,
}

impl Shim {
    /// Compiles it into a home's directory, or says loudly that there is no C compiler.
    pub fn compile(home: &Home) -> Option<Self> {
        if let Err(error) = Command::new("cc").arg("--version").output() {
            say_loudly(&format!(
                "NOT TESTED: a slow disk and a wrong clock, since there is no C compiler ({error})"
            ));
            return None;
        }
        let directory = home.directory.path();
        let library = directory.join("shim.so");
        let source = directory.join("shim.c");
        std::fs::write(&source, include_str!("shim.c")).unwrap();
        let compiled = Command::new("cc")
            .args([
                "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o",
            ])
            .args([&library, &source])
            .output()
            .unwrap();
        assert!(
            compiled.status.success(),
            "{}",
            String::from_utf8_lossy(&compiled.stderr)
        );
        let control_path = directory.join("shim.control");
        let control = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&control_path)
            .unwrap();
        control.set_len(SIZE).unwrap();
        Some(Self {
            library,
            control_path,
            control,
            _directory: Arc::clone(&home.directory),
        })
    }

    /// Puts it before the C library of a command.
    pub fn before(&self, mut command: Command) -> Command {
        command
            .env("LD_PRELOAD", &self.library)
            .env("PALABRE_SHIM_CONTROL", &self.control_path);
        command
    }

    fn write(&self, position: u64, value: i64) {
        self.control
            .write_all_at(&value.to_ne_bytes(), position)
            .unwrap();
    }

    fn read(&self, position: u64) -> i64 {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, position).unwrap();
        i64::from_ne_bytes(bytes)
    }

    /// How long each sync takes from now on, at least.
    pub fn delay_syncs(&self, by: std::time::Duration) {
        self.write(SYNC_DELAY, by.as_micros() as i64);
    }

    /// How far the program's wall clock is ahead of the machine's from now on.
    pub fn shift_clock(&self, seconds: i64) {
        self.write(CLOCK_SHIFT, seconds);
    }

    /// How many syncs there were.
    pub fn syncs(&self) -> i64 {
        self.read(SYNCS)
    }

    /// How often the wall clock was read.
    pub fn clock_reads(&self) -> i64 {
        self.read(CLOCK_READS)
    }
}
