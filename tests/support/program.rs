//! The `palabre` program of one installation: its commands, and its server as a child that dies with the test.

#![allow(
    dead_code,
    reason = "each test target uses what it needs of the shared helpers"
)]

use std::{
    ffi::OsString,
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection, SqliteConnection};

use super::postgres::PostgresDatabase;

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The program under test: this package's, or another build of it at `PALABRE_TEST_BIN`.
fn program() -> OsString {
    std::env::var_os("PALABRE_TEST_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_palabre").into())
}

/// Where one installation keeps its things.
#[derive(Clone)]
pub struct Home {
    pub directory: Arc<tempfile::TempDir>,
    /// None is the default: SQLite in the data directory.
    pub database_url: Option<String>,
}

impl Home {
    pub fn new(database_url: Option<String>) -> Self {
        Self {
            directory: Arc::new(tempfile::tempdir().unwrap()),
            database_url,
        }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(args).env("PALABRE_DATA_DIR", self.data_dir());
        for name in [
            "DATABASE_URL",
            "PALABRE_LOG",
            "PALABRE_LOG_FORMAT",
            "PALABRE_LISTEN",
        ] {
            command.env_remove(name);
        }
        // A few authors post as fast as they can.
        command.env("PALABRE_RATE_LIMIT", "off");
        if let Some(url) = &self.database_url {
            command.env("DATABASE_URL", url);
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// What a command that succeeds prints.
    #[track_caller]
    pub fn stdout(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command that fails says.
    #[track_caller]
    pub fn failure(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(!output.status.success(), "{args:?} succeeded");
        assert!(output.stdout.is_empty(), "results only on success");
        stderr(&output)
    }

    /// Changes something behind the program's back.
    pub async fn sql(&self, statement: &'static str) {
        if let Some(url) = &self.database_url {
            let mut connection = PgConnection::connect(url).await.unwrap();
            sqlx::query(statement)
                .execute(&mut connection)
                .await
                .unwrap();
        } else {
            let file = format!("sqlite://{}", self.data_dir().join("palabre.db").display());
            let mut connection = SqliteConnection::connect(&file).await.unwrap();
            sqlx::query(statement)
                .execute(&mut connection)
                .await
                .unwrap();
        }
    }

    pub fn token(&self, role: &str, site: &str) -> String {
        let token = self.stdout(&["token", "--role", role, "--site", site]);
        token.trim_end().to_owned()
    }

    pub fn log_file(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap()
    }

    pub fn serve(&self) -> Server {
        self.start(self.command(&["serve", "--listen", "127.0.0.1:0"]))
    }

    /// Starts a command that serves; its log is kept.
    pub fn start(&self, command: Command) -> Server {
        self.begin(command).wait_until_it_listens()
    }

    /// Begins to start a command that serves; its log is kept.
    pub fn begin(&self, mut command: Command) -> Starting {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .unwrap();
        let child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut child = Dying(child);
        let mut stdout = BufReader::new(child.0.stdout.take().unwrap());
        let (sender, first_line) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            if stdout.read_line(&mut line).is_ok() {
                let _ = sender.send((stdout, line));
            }
        });
        Starting {
            child,
            first_line,
            up: None,
            log: self.log_file(),
        }
    }
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server on its way up; killed when dropped.
pub struct Starting {
    child: Dying,
    first_line: mpsc::Receiver<(BufReader<ChildStdout>, String)>,
    up: Option<(BufReader<ChildStdout>, String)>,
    log: PathBuf,
}

impl Starting {
    /// The server, once it printed its one line; it fails if that takes too long.
    pub fn wait_until_it_listens(mut self) -> Server {
        let log = || std::fs::read_to_string(&self.log).unwrap_or_default();
        let up = self.up.take();
        let Some((stdout, line)) = up.or_else(|| self.first_line.recv_timeout(PATIENCE).ok())
        else {
            panic!("the server prints nothing; {}", log());
        };
        let address = line
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("{line:?}; {}", log()))
            .trim_end()
            .to_owned();
        Server {
            child: self.child,
            stdout,
            address,
        }
    }

    /// Whether it has printed that line already.
    pub fn listens(&mut self) -> bool {
        if self.up.is_none() {
            self.up = self.first_line.try_recv().ok();
        }
        self.up.is_some()
    }

    pub fn kill(mut self) {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
    }
}

/// A child that does not outlive its test.
struct Dying(Child);

impl Drop for Dying {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running server; killed when dropped.
pub struct Server {
    child: Dying,
    pub stdout: BufReader<ChildStdout>,
    pub address: String,
}

impl Server {
    pub fn id(&self) -> u32 {
        self.child.0.id()
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Ends it as a power cut would: no handler runs.
    pub fn kill(&mut self) {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
    }

    /// The exit code of a server that was told to stop, and what else it had printed.
    pub fn wait(&mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        while self.child.0.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE, "the server does not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.0.wait().unwrap().code(), rest)
    }
}

pub async fn on_sqlite<F: Future<Output = ()> + Send + 'static>(check: fn(Home) -> F) {
    check(Home::new(None)).await;
}

pub async fn on_postgres<F: Future<Output = ()> + Send + 'static>(check: fn(Home) -> F) {
    let Some(database) = PostgresDatabase::create_empty().await else {
        return;
    };
    let outcome = tokio::spawn(check(Home::new(Some(database.url.clone())))).await;
    database.drop().await;
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure.into_panic());
    }
}

/// Runs a test on an installation with SQLite, and on one with a fresh PostgreSQL database.
macro_rules! on_each_database {
    (async fn $name:ident($home:ident: Home) $body:block) => {
        mod $name {
            use super::*;

            async fn check($home: Home) $body

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                $crate::program::on_sqlite(check).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                $crate::program::on_postgres(check).await;
            }
        }
    };
}
pub(crate) use on_each_database;
