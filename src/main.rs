//! The `palabre` command.

use clap::Parser as _;

fn main() -> std::process::ExitCode {
    palabre::cli::run(palabre::cli::Cli::parse())
}
