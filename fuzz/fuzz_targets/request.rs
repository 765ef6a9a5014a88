//! Any body, sent to a running server: answered, and never with a 5xx.
#![no_main]

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, OnceLock},
    time::Duration,
};

use libfuzzer_sys::fuzz_target;
use palabre::{
    domain::{Caller, Role, SiteScope, SiteSlug, Subject},
    http::{self, RateLimit, Settings},
    moderation::Moderation,
    store::Store,
};

struct Served {
    address: SocketAddr,
    token: String,
    _runtime: tokio::runtime::Runtime,
    _directory: tempfile::TempDir,
}

static SERVED: OnceLock<Served> = OnceLock::new();

fn serve() -> Served {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let directory = tempfile::tempdir().expect("a directory");
    let (address, token) = runtime.block_on(async {
        let store = Store::open_file(&directory.path().join("palabre.db")).await;
        let moderation = Moderation::open(store.expect("a database")).await.expect("a service");
        let slug = SiteSlug::parse("fuzz").expect("a slug");
        let administration = moderation.administration();
        administration.add_site(slug.clone(), None).await.expect("a site");
        let caller = Caller {
            subject: Subject::parse("fuzz").expect("a subject"),
            role: Role::Site,
            sites: SiteScope::Only(vec![slug]),
        };
        let token = administration
            .sign_token(&caller, Duration::from_secs(86_400))
            .expect("a token");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let settings = Settings {
            rate_limit: RateLimit::Off,
            ..Settings::default()
        };
        let server = http::start(Arc::new(moderation), listener, settings).expect("a server");
        tokio::spawn(server);
        (address, token)
    });
    Served {
        address,
        token,
        _runtime: runtime,
        _directory: directory,
    }
}

const PATHS: [&str; 5] = [
    "/v1/threads/a/comments",
    "/v1/score",
    "/v1/counts",
    "/v1/comments/01890000-0000-7000-8000-000000000000/reports",
    "/v1/comments/01890000-0000-7000-8000-000000000000/appeals",
];

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (which, body) = input;
    let served = SERVED.get_or_init(serve);
    let mut stream = TcpStream::connect(served.address).expect("it listens");
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: fuzz\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        PATHS[usize::from(which) % PATHS.len()],
        served.token,
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("it reads");
    let _ = stream.write_all(&body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 5"), "{}", String::from_utf8_lossy(&answer));
});
