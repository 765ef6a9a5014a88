//! A TCP proxy before PostgreSQL that can be cut in the ways that networks and databases fail.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

use crate::program::PATIENCE;

/// How long bytes take to a database that is far away.
const FAR: Duration = Duration::from_millis(20);

/// How long they take where everything crawls.
const CRAWL: Duration = Duration::from_secs(3);

/// What happens to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Open, but far away: whoever uses the database holds a connection for long.
    Far,
    /// Everything takes seconds, and nothing is lost. A database that is overloaded, or whose disk is.
    Crawling,
    /// Nobody listens; what was connected is cut off. A database that is being restarted.
    Refusing,
    /// Connections are taken and ended at once; what was connected is cut off. A balancer with nothing behind it.
    Dropping,
    /// Nothing is ever answered: what was connected stays so for good, even once new connections work again; new ones
    /// are taken. A cable pulled out, or a firewall that forgot.
    Silent,
}

pub struct Proxy {
    pub port: u16,
    way: watch::Sender<Way>,
    /// How many connections are dead that the client still holds.
    dead: Arc<AtomicUsize>,
    running: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// A proxy before the server at `upstream`.
    pub async fn before(upstream: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (way, seen) = watch::channel(Way::Open);
        let dead = Arc::new(AtomicUsize::new(0));
        Self {
            port,
            way,
            running: tokio::spawn(run(listener, upstream, seen, Arc::clone(&dead))),
            dead,
        }
    }

    /// How many connections that fell silent the client has not given up yet.
    pub fn dead(&self) -> usize {
        self.dead.load(Ordering::Relaxed)
    }

    pub fn set(&self, way: Way) {
        self.way.send(way).unwrap();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn run(
    listener: TcpListener,
    upstream: String,
    mut way: watch::Receiver<Way>,
    dead: Arc<AtomicUsize>,
) {
    let address = listener.local_addr().unwrap();
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let now = *way.borrow_and_update();
        if matches!(now, Way::Refusing | Way::Dropping) {
            connections.shutdown().await;
        }
        if now == Way::Refusing {
            listener = None;
            if way.changed().await.is_err() {
                return;
            }
            continue;
        }
        let taking = match &listener {
            Some(listener) => listener,
            None => listener.insert(listen_again(address).await),
        };
        tokio::select! {
            changed = way.changed() => if changed.is_err() {
                return;
            },
            taken = taking.accept() => {
                let (client, _) = taken.unwrap();
                if now != Way::Dropping {
                    connections.spawn(carry(client, upstream.clone(), way.clone(), Arc::clone(&dead)));
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The same port again: the kernel may have lent it out for a moment.
async fn listen_again(address: std::net::SocketAddr) -> TcpListener {
    let begun = std::time::Instant::now();
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{address}: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn carry(
    mut client: TcpStream,
    upstream: String,
    mut way: watch::Receiver<Way>,
    dead: Arc<AtomicUsize>,
) {
    let mut server = None;
    if *way.borrow() != Way::Silent {
        let mut connected = TcpStream::connect(&upstream)
            .await
            .expect("PostgreSQL listens");
        let (client_reads, client_writes) = client.split();
        let (server_reads, server_writes) = connected.split();
        tokio::select! {
            () = pump(client_reads, server_writes, way.clone()) => return,
            () = pump(server_reads, client_writes, way.clone()) => return,
            silenced = way.wait_for(|way| *way == Way::Silent) => if silenced.is_err() {
                return;
            },
        }
        server = Some(connected);
    }
    // PostgreSQL hears of the end when the cut is over; the client never does, and must give up by itself.
    dead.fetch_add(1, Ordering::Relaxed);
    let end_of_cut = async move {
        let _ = way.wait_for(|way| *way == Way::Open).await;
        drop(server);
    };
    let mut unanswered = tokio::io::sink();
    let given_up = tokio::io::copy(&mut client, &mut unanswered);
    let _ = tokio::join!(end_of_cut, given_up);
    dead.fetch_sub(1, Ordering::Relaxed);
}

/// Carries bytes one way until either end is gone.
async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, way: watch::Receiver<Way>) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let delay = match *way.borrow() {
            Way::Far => FAR,
            Way::Crawling => CRAWL,
            _ => Duration::ZERO,
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
