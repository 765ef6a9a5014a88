//! A site made of a labelled file: what is gained after so many decisions of its moderators.
//!
//! ```text
//! cargo build --release --bins --examples
//! target/release/examples/site --decisions 300 --decisions 3000 comments.jsonl.gz
//! ```
//! All goes through the doors that a real site has: readers post over HTTP, a moderator decides over HTTP as the labels say,
//! `palabre train --decisions --activate` learns, and what is posted afterwards is scored by whatever is live then. With
//! `--unseen`, for a base that has not learned from the file, rows of the splits `train` and `valid` are posted and decided,
//! without it those of `valid`; all of `test` are measured on.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use clap::Parser;
use palabre::{
    classifier::training::{Compared, Example, Split, dataset},
    domain::{Action, Body, DecisionReason, Label, LabelOverrides, PerLabel, taught},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Comments of a thread.
const THREAD: usize = 15;
/// Decisions sent at a time.
const BATCH: usize = 100;
/// How long servers may take to follow.
const FOLLOW: Duration = Duration::from_secs(2);

#[derive(Parser)]
struct Args {
    /// After how many decisions to train; may be given several times
    #[arg(long, default_values_t = [300, 3_000])]
    decisions: Vec<usize>,
    /// A model file to stand on; without it, the one compiled in
    #[arg(long)]
    base: Option<PathBuf>,
    /// The base has not learned from these rows
    #[arg(long)]
    unseen: bool,
    /// A database to work in, emptied by nobody; without it, SQLite in a directory of its own
    #[arg(long)]
    database_url: Option<String>,
    /// Labelled comments, each file a site of its own
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    for file in &args.files {
        run(&args, file).await?;
    }
    Ok(())
}

async fn run(args: &Args, file: &Path) -> anyhow::Result<()> {
    let name = file.display().to_string();
    let rows = dataset::read(File::open(file).with_context(|| name.clone())?, &name)?;
    let (measured, mut posted): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .filter(|row| decision_of(row).is_some() && Body::parse(&row.text).is_ok())
        .partition(|row| row.split == Split::Test);
    posted.retain(|row| args.unseen || row.split == Split::Valid);
    // The same order on any machine, and none of the file's.
    posted.sort_by_key(|row| xxhash_rust::xxh3::xxh3_64(row.text.as_bytes()));

    let home = Home::new(args.database_url.clone())?;
    if let Some(base) = &args.base {
        let imported = home.run(&["models", "import", &base.display().to_string(), "--json"])?;
        let version = serde_json::from_slice::<Value>(&imported.stdout)?;
        let version = version["version"].as_str().context("no version")?;
        home.run(&["models", "activate", version])?;
    }
    let slug = format!("site-{}", std::process::id());
    home.run(&["site", "add", &slug])?;
    let server = home.serve()?;
    let reader = home.client(&server, "site", &slug)?;
    let moderator = home.client(&server, "moderator", &slug)?;
    let before = scores(&reader, &measured).await?;
    let mut done = 0;
    for wanted in &args.decisions {
        let until = (*wanted).clamp(done, posted.len());
        decide(&reader, &moderator, &posted[done..until], done).await?;
        done = until;
        let trained = home.command(&["train", "--decisions", "--activate", "--site", &slug]);
        let trained = { trained }.output()?;
        let said = String::from_utf8_lossy(&trained.stderr);
        let said = said.lines().last().unwrap_or_default();
        println!("{name}, {done} decisions: {said}");
        if !trained.status.success() {
            print!("{}", String::from_utf8_lossy(&trained.stdout));
            continue;
        }
        tokio::time::sleep(FOLLOW).await;
        let after = scores(&reader, &measured).await?;
        for label in Label::ALL {
            let points = measured.iter().enumerate().filter_map(|(at, row)| {
                let present = (*labels_of(row).get(label))?;
                Some((before[at][label.index()], after[at][label.index()], present))
            });
            let points: Vec<_> = points.collect();
            let Some(both) = Compared::of(&points, 1).filter(|both| both.has_enough(20)) else {
                continue;
            };
            println!(
                "  {label:<16} {:>5} : {:<5} {:.3} to {:.3}  {:+.3} [{:+.3}, {:+.3}]",
                both.positives,
                both.negatives,
                both.live,
                both.candidate,
                both.difference(),
                both.gain.low,
                both.gain.high
            );
        }
    }
    Ok(())
}

/// What a moderator would do with a comment; nothing where its labels do not say.
fn decision_of(row: &Example) -> Option<(Action, Option<DecisionReason>)> {
    let reasons = [
        (Label::Threat, DecisionReason::Threat),
        (Label::IdentityAttack, DecisionReason::Hate),
        (Label::Spam, DecisionReason::Spam),
        (Label::Insult, DecisionReason::Abusive),
        (Label::Toxicity, DecisionReason::Offensive),
    ];
    let has = |label: Label| *row.labels.get(label) == Some(true);
    if let Some((_, reason)) = reasons.into_iter().find(|(label, _)| has(*label)) {
        return Some((Action::Hide, Some(reason)));
    }
    let clean = row.labels.iter().any(|(_, label)| *label == Some(false));
    (clean && !has(Label::Profanity)).then_some((Action::Approve, None))
}

fn labels_of(row: &Example) -> PerLabel<Option<bool>> {
    decision_of(row).map_or_else(PerLabel::default, |(action, reason)| {
        taught(action, reason, &LabelOverrides::new(), &[])
    })
}

/// Scores of what would be posted.
async fn scores(reader: &Client, rows: &[Example]) -> anyhow::Result<Vec<Vec<f32>>> {
    let mut scores = Vec::with_capacity(rows.len());
    for row in rows {
        let body = json!({"text": row.text, "parent_text": row.parent});
        let scored = reader.post("/v1/score", &body).await?;
        let of = |label: Label| {
            scored["scores"][label.as_str()]
                .as_f64()
                .unwrap_or_default() as f32
        };
        scores.push(Label::ALL.map(of).to_vec());
    }
    Ok(scores)
}

/// Readers post, and a moderator decides as the labels say.
async fn decide(
    reader: &Client,
    moderator: &Client,
    rows: &[Example],
    from: usize,
) -> anyhow::Result<()> {
    let mut decisions = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let Some((action, reason)) = decision_of(row) else {
            continue;
        };
        let thread = format!("/v1/threads/t{}/comments", (from + at) / THREAD);
        let author = json!({"id": format!("u{}", (from + at) % 97), "name": "U"});
        let comment = json!({"body": row.text, "author": author});
        let posted = reader.post(&thread, &comment).await?;
        let mut decision = json!({
            "comment_id": posted["id"], "version": posted["version"], "action": action.as_str(),
        });
        if let Some(reason) = reason {
            decision["reason"] = reason.as_str().into();
        }
        decisions.push(decision);
    }
    for batch in decisions.chunks(BATCH) {
        let answer = json!({"decisions": batch});
        moderator.post("/v1/decisions:batch", &answer).await?;
    }
    Ok(())
}

struct Client {
    http: reqwest::Client,
    address: String,
    token: String,
}

impl Client {
    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.http.post(format!("{}{path}", self.address));
        let response = request.bearer_auth(&self.token).json(body).send().await?;
        let status = response.status();
        let body: Value = response.json().await?;
        ensure!(
            status.is_success(),
            "POST {path}: {status}: {}",
            body["detail"]
        );
        Ok(body)
    }
}

/// A new installation.
struct Home {
    palabre: PathBuf,
    data: TempDir,
    database_url: Option<String>,
}

impl Home {
    fn new(database_url: Option<String>) -> anyhow::Result<Self> {
        let beside = std::env::current_exe()?;
        let beside = beside.parent().and_then(Path::parent);
        Ok(Self {
            palabre: beside.context("this program is nowhere")?.join("palabre"),
            data: tempfile::tempdir()?,
            database_url,
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.palabre);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .env_remove("DATABASE_URL")
            .env("PALABRE_DATA_DIR", self.data.path())
            .env("PALABRE_RATE_LIMIT", "off");
        if let Some(url) = &self.database_url {
            command.env("DATABASE_URL", url);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let output = self.command(arguments).output()?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "palabre {}: {stderr}",
            arguments.join(" ")
        );
        Ok(output)
    }

    fn client(&self, server: &Server, role: &str, site: &str) -> anyhow::Result<Client> {
        let token = self.run(&["token", "--role", role, "--site", site, "--ttl", "1d"])?;
        Ok(Client {
            http: reqwest::Client::builder().no_proxy().build()?,
            address: server.address.clone(),
            token: String::from_utf8(token.stdout)?.trim().to_owned(),
        })
    }

    fn serve(&self) -> anyhow::Result<Server> {
        let log = File::create(self.data.path().join("server.log"))?;
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn()?;
        let stdout = BufReader::new(child.stdout.take().context("no stdout")?);
        let mut server = Server {
            child,
            address: String::new(),
        };
        for line in stdout.lines() {
            if let Some(address) = line?.strip_prefix("listening on ") {
                address.clone_into(&mut server.address);
                return Ok(server);
            }
        }
        let log = fs::read_to_string(self.data.path().join("server.log"))?;
        anyhow::bail!("it does not start:\n{log}")
    }
}

/// A running server; killed when dropped.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
