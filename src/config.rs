//! Configuration: one struct, filled from flags, then from the environment. Its documentation is the help text.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};

/// Where the data is. Shared by every command that touches the database.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Directory of Palabre's own files, made when missing. The default database lives in it
    #[arg(long, env = "PALABRE_DATA_DIR", default_value = "data", global = true)]
    pub data_dir: PathBuf,

    /// Address of the database: `sqlite://FILE` or `postgres://USER@HOST/NAME` [default: palabre.db in the data directory]
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
}

/// How a server listens.
#[derive(Debug, Clone, Args)]
pub struct Listen {
    /// Address and port to listen on; port 0 takes any free one
    #[arg(long, env = "PALABRE_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

/// What is logged, and how.
#[derive(Debug, Clone, Args)]
pub struct Logging {
    /// Form of the log on stderr
    #[arg(
        long,
        env = "PALABRE_LOG_FORMAT",
        default_value = "human",
        global = true
    )]
    pub log_format: LogFormat,

    /// What to log: a level, or a filter such as "warn,palabre=debug"
    #[arg(long, env = "PALABRE_LOG", default_value = "info", global = true)]
    pub log: String,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line, for machines.
    Json,
}

impl Config {
    /// The database address, the data directory's own SQLite file unless another is given.
    #[must_use]
    pub fn database_url(&self) -> String {
        self.database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}", self.data_dir.join("palabre.db").display()))
    }
}

impl Logging {
    /// Starts logging to stderr.
    ///
    /// # Errors
    /// When the filter cannot be read.
    pub fn start(&self) -> anyhow::Result<()> {
        let filter = tracing_subscriber::EnvFilter::try_new(&self.log)
            .map_err(|error| anyhow::anyhow!("--log {:?} cannot be read: {error}", self.log))?;
        let builder = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr);
        match self.log_format {
            LogFormat::Human => builder.with_target(false).init(),
            LogFormat::Json => builder.json().init(),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_database_is_a_file_in_the_data_directory() {
        let config = Config {
            data_dir: "/var/lib/palabre".into(),
            database_url: None,
        };
        assert_eq!(
            config.database_url(),
            "sqlite:///var/lib/palabre/palabre.db"
        );
    }
}
