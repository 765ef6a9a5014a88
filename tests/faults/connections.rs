//! Clients that take a connection and give nothing back: idle ones, slow ones, and ones that never read.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

use crate::{
    books::Books,
    harness::{Client, Newspaper, PROMPT, comment, eventually, id, memory, say, size},
    postgres::say_loudly,
    program::{Home, Server},
};

/// How long a client that does not get on may keep its connection.
const DROPPED_WITHIN: Duration = Duration::from_secs(30);
/// How soon the last of many large answers must have begun.
const ANSWERED_WITHIN: Duration = Duration::from_secs(90);
const MIB: u64 = 1024;

fn address(server: &Server) -> std::net::SocketAddr {
    let address = server.address.strip_prefix("http://").unwrap();
    address.parse().unwrap()
}

/// A new connection on which these bytes are sent.
async fn connect(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address(server)).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// How many files and sockets a process has open.
fn open_files(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd"))
        .unwrap()
        .count()
}

/// Somebody who posts and reads all the while, and measures how long that takes. Each time over a new connection, which
/// must find its way in beside the others.
struct Normal {
    over: Arc<AtomicBool>,
    running: tokio::task::JoinHandle<Service>,
}

/// How somebody was served.
#[derive(Debug, Default)]
struct Service {
    asked: usize,
    slowest: Duration,
    refused: Vec<String>,
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (asked, slowest) = (self.asked, self.slowest);
        write!(
            f,
            "{asked} posts and reads beside them, the slowest {slowest:.1?}, {} refused",
            self.refused.len()
        )
    }
}

impl Service {
    #[track_caller]
    fn was_prompt(&self) {
        assert!(self.asked > 0, "nothing was asked");
        assert!(
            self.refused.is_empty(),
            "others were refused: {self}, such as {}",
            self.refused[0]
        );
        assert!(self.slowest < PROMPT, "others had to wait: {self}");
    }
}

impl Normal {
    fn start(paper: &Newspaper, server: &Server) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (stop, token, address) = (
            Arc::clone(&over),
            paper.site.clone(),
            server.address.clone(),
        );
        let running = tokio::spawn(async move {
            let mut service = Service::default();
            while !stop.load(Ordering::Relaxed) {
                let client = Client::at(&address, &token);
                let number = service.asked;
                let post = comment(
                    &format!("n{number}"),
                    &format!("Un avis ordinaire, n° {number}."),
                );
                let posted = client.try_post("/v1/threads/normal/comments", post).await;
                let read = client.try_get("/v1/threads/normal/comments?limit=5").await;
                for outcome in [posted, read] {
                    match outcome {
                        Ok(answer) if answer.is_success() => {
                            service.slowest = service.slowest.max(answer.took);
                        }
                        other => service.refused.push(format!("{other:?}")),
                    }
                    service.asked += 1;
                }
            }
            service
        });
        Self { over, running }
    }

    async fn end(self) -> Service {
        self.over.store(true, Ordering::Relaxed);
        self.running.await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_idle_connections_keep_nobody_waiting() {
    let wanted = size(2_000, 10_000);
    // Ours and those of other tests beside; the server inherits the limit.
    let allowed = rlimit::increase_nofile_limit(wanted as u64 * 2).unwrap_or(0) as usize;
    let count = wanted.min(allowed.saturating_sub(1_000));
    if count < wanted {
        say_loudly(&format!(
            "NOT TESTED: {wanted} idle connections, since a process may have only {allowed} open files; {count} are"
        ));
    }
    assert!(
        count >= 100,
        "{allowed} open files are too few to test anything"
    );
    let paper = Newspaper::open(Home::new(None));
    let server = paper.serve();
    assert_eq!(paper.site(&server).get("/readyz").await.status, 200);
    let (files_before, memory_before) = (open_files(server.id()), memory(server.id(), "VmRSS"));

    let normal = Normal::start(&paper, &server);
    let begun = Instant::now();
    let mut idle = Vec::with_capacity(count);
    for number in 0..count {
        // Most have asked something before they fell idle; who never asks is dropped sooner.
        let asking = if number % 10 > 0 {
            &b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"[..]
        } else {
            &[]
        };
        let connecting = connect(&server, asking);
        let connected = tokio::time::timeout(PROMPT, connecting).await;
        idle.push(
            connected
                .unwrap_or_else(|_| panic!("there is no room for a connection after {number}")),
        );
    }
    let opened_in = begun.elapsed();
    let at_once = eventually("the server has taken the connections", PROMPT, || async {
        let open = open_files(server.id()) - files_before;
        (open * 10 >= count * 9).then_some(open)
    })
    .await;
    let memory_with = memory(server.id(), "VmRSS");
    let service = normal.end().await;
    let each = memory_with.saturating_sub(memory_before) / at_once as u64;
    say(&format!(
        "{at_once} idle connections, opened in {opened_in:.1?}: {service}; {} MiB before, {} MiB with them, {each} KiB each",
        memory_before / MIB,
        memory_with / MIB
    ));
    service.was_prompt();
    assert!(each <= 64, "an idle connection costs {each} KiB");

    drop(idle);
    eventually(
        "the server lets go of connections that ended",
        DROPPED_WITHIN,
        || async { (open_files(server.id()) <= files_before + 20).then_some(()) },
    )
    .await;
}

/// How a client does not get on.
#[derive(Debug, Clone, Copy)]
enum Slow {
    /// Never says anything.
    Mute,
    /// A byte of the headers at a time, for ever.
    Headers,
    /// Half of the headers, then nothing.
    HalfOfTheHeaders,
    /// A byte of the body at a time.
    Body,
    /// Half of the body, then nothing.
    HalfOfTheBody,
    /// A chunk of a body without end at a time.
    Chunks,
    /// The same without a token, to a path that leads nowhere.
    ChunksOfAStranger,
}

/// How often the slow ones say something.
const PAUSE: Duration = Duration::from_millis(200);

impl Slow {
    const ALL: [Self; 7] = [
        Self::Mute,
        Self::Headers,
        Self::HalfOfTheHeaders,
        Self::Body,
        Self::HalfOfTheBody,
        Self::Chunks,
        Self::ChunksOfAStranger,
    ];

    /// What it says at once, and what it says again and again.
    fn says(self, token: &str) -> (String, &'static str) {
        let head = format!(
            "POST /v1/threads/slow/comments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\n"
        );
        match self {
            Self::Mute => (String::new(), ""),
            Self::Headers => (format!("{head}x-slow: "), "x"),
            Self::HalfOfTheHeaders => (head, ""),
            Self::Body => (
                format!("{head}content-length: 60000\r\n\r\n{{\"body\": \""),
                "a",
            ),
            Self::HalfOfTheBody => (
                format!("{head}content-length: 600\r\n\r\n{{\"body\": \""),
                "",
            ),
            Self::Chunks => (
                format!("{head}transfer-encoding: chunked\r\n\r\n"),
                "1\r\na\r\n",
            ),
            Self::ChunksOfAStranger => (
                "POST /nowhere HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
                    .to_owned(),
                "1\r\na\r\n",
            ),
        }
    }
}

/// Holds a connection until the server drops it. How long that took, or `None` if it did not within the bound.
async fn hold(mut stream: TcpStream, bit: &'static str) -> Option<Duration> {
    let begun = Instant::now();
    let (mut reading, mut writing) = stream.split();
    let dropped = async {
        // An answer may come first; then the end.
        let mut answer = [0; 1024];
        while reading.read(&mut answer).await.is_ok_and(|read| read > 0) {}
    };
    let going_on = async {
        loop {
            tokio::time::sleep(PAUSE).await;
            if writing.write_all(bit.as_bytes()).await.is_err() {
                return;
            }
        }
    };
    let held = async {
        tokio::select! {
            () = dropped => {},
            () = going_on => {},
        }
    };
    tokio::time::timeout(DROPPED_WITHIN, held).await.ok()?;
    Some(begun.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_do_not_get_on_are_dropped_and_keep_nobody_waiting() {
    let each = size(40, 1_000);
    let _ = rlimit::increase_nofile_limit(20_000);
    let paper = Newspaper::open(Home::new(None));
    let server = paper.serve();
    let normal = Normal::start(&paper, &server);
    let mut holding = Vec::new();
    for _ in 0..each {
        for slow in Slow::ALL {
            let (first, bit) = slow.says(&paper.site);
            let connecting = connect(&server, first.as_bytes());
            let connected = tokio::time::timeout(PROMPT, connecting).await;
            let stream = connected.expect("there is room for a connection");
            holding.push(tokio::spawn(hold(stream, bit)));
        }
    }
    let mut held = Vec::new();
    for one in holding {
        held.push(one.await.unwrap());
    }
    let service = normal.end().await;
    let mut sum = format!("{} slow clients: {service}; dropped:", held.len());
    let mut kept = Vec::new();
    for (number, slow) in Slow::ALL.into_iter().enumerate() {
        let times: Vec<_> = held.iter().skip(number).step_by(Slow::ALL.len()).collect();
        if times.iter().any(|time| time.is_none()) {
            kept.push(slow);
        }
        let longest = times.iter().filter_map(|time| **time).max();
        let _ = write!(sum, " {slow:?} after {longest:.1?};");
    }
    say(&sum);
    assert!(
        kept.is_empty(),
        "kept for more than {DROPPED_WITHIN:?}: {kept:?}"
    );
    service.was_prompt();
}

/// A thread of that many comments: one posted, the others copies of its rows, whatever columns these have.
async fn large_thread(paper: &Newspaper, site: &Client, count: usize) {
    let text =
        "Un commentaire de longueur ordinaire, comme on en lit cent par jour sous un article. "
            .repeat(3);
    let first = site
        .post("/v1/threads/large/comments", comment("awa", &text))
        .await;
    assert!(first.is_success());
    let first = id(&first.body).replace('-', "");
    let mut books = Books::open(&paper.database_url).await;
    for (table, key) in [("comments", "id"), ("scores", "comment_id")] {
        let columns = books
            .texts(&format!("SELECT name FROM pragma_table_info('{table}')"))
            .await;
        let chosen: Vec<&str> = columns
            .iter()
            .map(|column| {
                if column == key {
                    "n.key"
                } else {
                    column.as_str()
                }
            })
            .collect();
        // The n-th copy has the key n in both tables: sixteen bytes, as an id has.
        books
            .execute(&format!(
                "WITH RECURSIVE n (i, key) AS (
                     SELECT 1, CAST(printf('%016d', 1) AS BLOB) UNION ALL
                     SELECT i + 1, CAST(printf('%016d', i + 1) AS BLOB) FROM n WHERE i < {}
                 )
                 INSERT INTO {table} ({}) SELECT {} FROM n,
                     (SELECT * FROM {table} WHERE {key} = x'{first}')",
                count - 1,
                columns.join(", "),
                chosen.join(", ")
            ))
            .await;
    }
    books.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_ask_for_a_large_thread_and_never_read_cost_little_and_keep_nobody_waiting() {
    let (comments, clients) = size((5_000, 60), (10_000, 200));
    let paper = Newspaper::open(Home::new(None));
    let server = paper.serve();
    let site = paper.site(&server);
    large_thread(&paper, &site, comments).await;
    let path = "/v1/threads/large/comments?view=flat&limit=10000";
    let whole = site.get(path).await;
    let bytes = whole.body.to_string().len() as u64 / 1024;
    let alone = whole.took;
    assert_eq!(
        whole.expect(200)["items"].as_array().unwrap().len(),
        comments
    );
    let before = memory(server.id(), "VmRSS");
    say(&format!(
        "a thread of {comments} comments, {bytes} KiB: read in {alone:.1?}"
    ));

    let normal = Normal::start(&paper, &server);
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        paper.site
    );
    let mut never_read = Vec::new();
    for number in 0..clients {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(address(&server)).await.unwrap();
        // Some ask ten times over the same connection.
        let times = if number % 4 == 0 { 10 } else { 1 };
        stream
            .write_all(request.repeat(times).as_bytes())
            .await
            .unwrap();
        never_read.push(stream);
    }
    // Until each of them was begun to be answered, or dropped.
    let begun = Instant::now();
    for stream in &never_read {
        let left = ANSWERED_WITHIN.saturating_sub(begun.elapsed());
        let answered = tokio::time::timeout(left, stream.readable()).await;
        assert!(
            answered.is_ok(),
            "large threads are not answered within {ANSWERED_WITHIN:?}"
        );
    }
    let answered = begun.elapsed();
    let most = memory(server.id(), "VmHWM");
    let service = normal.end().await;
    let grown = most.saturating_sub(before) / MIB;
    say(&format!(
        "{clients} clients never read a thread of {comments} comments, all answered within {answered:.1?}: {service}; \
         {} MiB before, at most {} MiB with them",
        before / MIB,
        most / MIB
    ));
    service.was_prompt();
    let allowed = size(150, 200);
    assert!(
        grown < allowed,
        "{clients} clients that never read took {grown} MiB, more than {allowed} MiB"
    );
    drop(never_read);
    assert_eq!(site.get("/readyz").await.status, 200);
}
