//! A Palabre to measure: a data directory, a database, and `palabre serve` as a child process.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::Args;
use tempfile::TempDir;

use crate::{
    client::Target,
    corpus::Corpus,
    database::{self, PostgresDatabase},
    meter::Meter,
};

/// The one site of a run.
pub const SITE: &str = "load";
/// How long the server may take to start, and to stop.
const PATIENCE: Duration = Duration::from_mins(2);

/// What is measured, and where.
#[derive(Debug, Clone, Args)]
pub struct Setup {
    /// The program to measure [default: palabre beside the directory of this program]
    #[arg(long, global = true)]
    palabre: Option<PathBuf>,

    /// Measure on a PostgreSQL of this machine, `postgres://USER@127.0.0.1/NAME`, in a database made and dropped there
    #[arg(long, global = true)]
    database_url: Option<String>,

    /// Where data directories are made; must be on the disk that is to be measured [default: the system's]
    #[arg(long, global = true)]
    directory: Option<PathBuf>,

    /// The same number gives the same texts
    #[arg(long, global = true, default_value_t = 1)]
    pub seed: u64,
}

impl Setup {
    pub fn palabre(&self) -> anyhow::Result<PathBuf> {
        let path = match &self.palabre {
            Some(path) => path.clone(),
            None => std::env::current_exe()?
                .parent()
                .and_then(Path::parent)
                .context("this program is nowhere")?
                .join("palabre"),
        };
        anyhow::ensure!(
            path.is_file(),
            "there is no {}: build it with cargo build --release, or name it with --palabre",
            path.display()
        );
        Ok(path)
    }

    pub fn temporary(&self) -> anyhow::Result<TempDir> {
        Ok(match &self.directory {
            Some(directory) => tempfile::tempdir_in(directory)?,
            None => tempfile::tempdir()?,
        })
    }

    pub fn engine(&self) -> &'static str {
        if self.database_url.is_some() {
            "PostgreSQL"
        } else {
            "SQLite"
        }
    }
}

/// Where an installation keeps its things. Temporary ones are gone when dropped.
pub struct Home {
    palabre: PathBuf,
    data: PathBuf,
    postgres: Option<PostgresDatabase>,
    _temporary: Option<TempDir>,
}

impl Home {
    /// A new one, of which nothing exists yet but an empty PostgreSQL database, if that is what is measured.
    pub async fn fresh(setup: &Setup) -> anyhow::Result<Self> {
        let temporary = setup.temporary()?;
        Ok(Self {
            palabre: setup.palabre()?,
            data: temporary.path().join("data"),
            postgres: match &setup.database_url {
                Some(server) => Some(PostgresDatabase::create(server).await?),
                None => None,
            },
            _temporary: Some(temporary),
        })
    }

    /// One in `directory`, which stays.
    pub fn at(directory: &Path, setup: &Setup) -> anyhow::Result<Self> {
        anyhow::ensure!(
            setup.database_url.is_none(),
            "only data directories can be kept and used again, not PostgreSQL databases"
        );
        fs::create_dir_all(directory)?;
        Ok(Self {
            palabre: setup.palabre()?,
            data: directory.join("data"),
            postgres: None,
            _temporary: None,
        })
    }

    /// See [`PostgresDatabase::vacuum`]; SQLite needs nothing of the kind.
    pub async fn vacuum(&self) -> anyhow::Result<()> {
        match &self.postgres {
            Some(postgres) => postgres.vacuum().await,
            None => Ok(()),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.palabre);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("PALABRE_") && name != "PALABRE_LOG" || name == "DATABASE_URL" {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .stdin(Stdio::null())
            .env("PALABRE_DATA_DIR", &self.data)
            .env("PALABRE_RATE_LIMIT", "off");
        if let Some(postgres) = &self.postgres {
            command.env("DATABASE_URL", &postgres.url);
        }
        command
    }

    /// What a command prints.
    fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.command(arguments).output()?;
        anyhow::ensure!(
            output.status.success(),
            "palabre {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// Adds the site, if it is not there.
    pub fn add_site(&self) -> anyhow::Result<()> {
        let sites = self.run(&["site", "list"])?;
        if !sites.lines().any(|site| site == SITE) {
            self.run(&["site", "add", SITE])?;
        }
        Ok(())
    }

    /// The texts to post, chosen by the model of this server, which is started for it once.
    pub async fn corpus(&self) -> anyhow::Result<Arc<Corpus>> {
        let server = self.serve()?;
        let corpus = Corpus::read(&self.target(&server, "site")?).await?;
        server.stop()?;
        Ok(Arc::new(corpus))
    }

    /// The server as one of that role asks it.
    pub fn target(&self, server: &Server, role: &str) -> anyhow::Result<Target> {
        let token = self.run(&["token", "--role", role, "--site", SITE, "--ttl", "2d"])?;
        Target::new(server.address, &token)
    }

    /// Starts the server and waits until it listens.
    pub fn serve(&self) -> anyhow::Result<Server> {
        fs::create_dir_all(&self.data)?;
        let log = self.data.join("load-server.log");
        let begun = Instant::now();
        let mut child = self
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()?;
        let stdout = child.stdout.take().context("the server has no stdout")?;
        let mut server = Server {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            started_in: Duration::ZERO,
        };
        let (said, hears) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = said.send((line, begun.elapsed()));
            }
        });
        // Whatever else it prints on the way is its own affair.
        while let Ok((line, after)) = hears.recv_timeout(PATIENCE) {
            if let Some(address) = line.strip_prefix("listening on http://") {
                server.address = address.trim_end().parse()?;
                server.started_in = after;
                return Ok(server);
            }
        }
        drop(server);
        anyhow::bail!("the server does not start:\n{}", fs::read_to_string(&log)?)
    }

    /// What the database takes on disk. On SQLite the server must have stopped, which empties the WAL into the file.
    pub async fn bytes(&self) -> anyhow::Result<u64> {
        if let Some(postgres) = &self.postgres {
            return postgres.bytes().await;
        }
        let sizes = ["", "-wal"].map(|end| {
            fs::metadata(self.data.join(format!("palabre.db{end}"))).map_or(0, |file| file.len())
        });
        Ok(sizes.iter().sum())
    }

    /// How many comments are stored. On SQLite the server should have stopped.
    pub async fn comments(&self) -> anyhow::Result<u64> {
        match &self.postgres {
            Some(postgres) => postgres.comments().await,
            None => database::sqlite_comments(&self.data.join("palabre.db")).await,
        }
    }

    /// What reads the costs of a server.
    pub fn meter(&self, server: &Server) -> Meter {
        Meter::new(
            server.child.id(),
            self.postgres.as_ref().map(|postgres| postgres.name.clone()),
        )
    }
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    address: SocketAddr,
    /// From the start of the process to the line that says where it listens.
    pub started_in: Duration,
}

impl Server {
    /// Asks it to stop and waits until it has, so that all it wrote is in the files.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        let begun = Instant::now();
        while !catches_sigterm(&pid)? && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        let sent = Command::new("kill").args(["-TERM", &pid]).status()?;
        anyhow::ensure!(sent.success(), "the server is gone already");
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                anyhow::ensure!(status.success(), "the server stopped with {status}");
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        anyhow::bail!("the server does not stop")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the process would stop in an orderly way: just started, it may not be that far yet.
fn catches_sigterm(pid: &str) -> anyhow::Result<bool> {
    const SIGTERM: u64 = 1 << (15 - 1);
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let caught = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))
        .context("/proc tells no signals")?;
    Ok(u64::from_str_radix(caught.trim(), 16)? & SIGTERM != 0)
}
