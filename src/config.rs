//! Configuration: one struct, filled from flags, then from the environment. Its documentation is the help text.

use std::{io::IsTerminal as _, net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};

/// Where the data is. Shared by every command that touches the database.
#[derive(Clone, Args)]
pub struct Config {
    /// Directory of Palabre's own files, made when missing. The default database lives in it
    #[arg(long, env = "PALABRE_DATA_DIR", default_value = "data", global = true)]
    pub data_dir: PathBuf,

    /// Address of the database: `sqlite://FILE` or `postgres://USER@HOST/NAME` [default: palabre.db in the data directory]
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    database_url: Option<String>,
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

/// Without the address of the database, which may hold a password.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// The address of a database elsewhere, if one is given; an empty variable gives none.
    #[must_use]
    pub fn database_url(&self) -> Option<&str> {
        self.database_url.as_deref().filter(|url| !url.is_empty())
    }

    /// The data directory's own database file.
    #[must_use]
    pub fn database_file(&self) -> PathBuf {
        self.data_dir.join("palabre.db")
    }
}

impl Logging {
    /// Starts logging to stderr.
    ///
    /// # Errors
    /// When the filter cannot be read.
    pub fn start(&self) -> anyhow::Result<()> {
        // What the web framework says at debug may hold a path or a header; who wants it names it.
        let filter = tracing_subscriber::EnvFilter::try_new(format!(
            "actix_web=info,actix_http=info,{}",
            self.log
        ))
        .map_err(|error| anyhow::anyhow!("--log {:?} cannot be read: {error}", self.log))?;
        let builder = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(std::io::stderr().is_terminal())
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
    fn a_password_is_not_in_a_debug_text() {
        let config = Config {
            data_dir: "data".into(),
            database_url: Some("postgres://palabre:secret@db/palabre".into()),
        };
        assert!(!format!("{config:?}").contains("secret"));
    }
}
