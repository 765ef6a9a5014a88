//! What the log says of readers at its most talkative that an operator would use: nothing.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    harness::{Client, Newspaper, at_once, eventually, id, say},
    program::{Home, PATIENCE, Server, on_each_database},
};

/// In everything that is private below, and in nothing else.
const MARK: &str = "zqxmarque";
const IPV4: &str = "198.51.100.77";
const IPV6: &str = "2001:db8::7a77";

on_each_database! {
    async fn a_debug_log_holds_nothing_that_readers_or_clients_sent(home: Home) {
        let paper = Newspaper::open(home);
        for format in ["human", "json"] {
            let mut command = paper.serving();
            command.env("PALABRE_LOG", "debug").env("PALABRE_LOG_FORMAT", format);
            let mut server = paper.start(command);
            let (site, moderator) = (paper.site(&server), paper.moderator(&server));
            good_requests(&site, &moderator, format).await;
            bad_requests(&server, &site, &moderator).await;
            bad_http(&server, &paper.site).await;
            let metrics = site.get("/metrics").await.body.to_string();
            assert!(!metrics.contains(MARK), "the metrics tell: {metrics}");
            server.signal("-TERM");
            assert_eq!(server.wait(), (Some(0), String::new()), "nothing but one line on stdout");
        }

        let log = paper.home.log();
        assert!(log.contains("DEBUG") && log.contains("answered"), "this is no debug log: {log}");
        assert!(log.contains("/v1/threads/{key}/comments"), "it names routes: {log}");
        let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
        let address = IPV6.replace("::", ":0:0:0:0:0:0:");
        for secret in [MARK, IPV4, IPV6, &address, "égorger", &signature(&paper.site), &signature(&paper.moderator)] {
            let lines: Vec<_> = log.lines().filter(|line| line.contains(secret)).collect();
            assert!(lines.is_empty(), "{secret} is in {} lines of the log, such as: {}", lines.len(), lines[0]);
        }
        if let Some(url) = &paper.home.database_url {
            assert!(!log.contains(url.as_str()), "the address of the database is in the log");
        }
        say(&format!("{} lines of debug log, and nothing private in them", log.lines().count()));
    }
}

fn marked(what: &str) -> String {
    format!("{MARK}{what}")
}

/// What every request that posts sends along, as private as can be.
fn post(number: usize, ip: &str) -> serde_json::Value {
    json!({
        "body": format!("On va vous égorger tous, sales chiens ! {MARK}corps {number}"),
        "author": {
            "id": marked("auteur"), "name": marked("nom"), "email": format!("{MARK}@exemple.test"), "ip": ip,
        },
        "thread": {"title": marked("titre"), "url": format!("https://exemple.test/{MARK}")},
    })
}

async fn good_requests(site: &Client, moderator: &Client, format: &str) {
    let path = format!("/v1/threads/{MARK}cle/comments");
    for (number, ip) in [IPV4, IPV6].into_iter().enumerate() {
        let held = site.post(&path, post(number, ip)).await.expect(202);
        let decision =
            json!({"action": "hide", "version": 1, "note": marked("note"), "reason": "abusive"});
        let decisions = format!("/v1/comments/{}/decisions", id(&held));
        let decided = moderator
            .post(&decisions, decision.clone())
            .await
            .expect(201);
        assert_eq!(moderator.post(&decisions, decision).await.status, 409);
        moderator.undo(&decided).await.expect(201);
    }
    // Twins at the same moment: all but one run into the first, some in the database itself.
    let twins = (0..32).map(|number| {
        let (site, path) = (site.clone(), path.clone());
        let mut twin = post(number, IPV4);
        twin["external_id"] = json!(format!("{MARK}{format}{}", number / 8));
        async move { site.post(&path, twin).await.is_success() }
    });
    assert!(at_once(twins).await.into_iter().all(|taken| taken));
    let request = site
        .request(Method::POST, &path)
        .header("idempotency-key", marked("cle"));
    assert!(site.send(request.json(&post(9, IPV4))).await.is_success());
    // The same key with another body.
    let request = site
        .request(Method::POST, &path)
        .header("idempotency-key", marked("cle"));
    site.send(request.json(&post(10, IPV4))).await.expect(422);
    assert_eq!(
        site.post("/v1/score", json!({"text": marked("texte")}))
            .await
            .status,
        200
    );
    let calm =
        json!({"body": marked(" merci"), "author": {"id": marked("lectrice"), "name": MARK}});
    let calm = site.post(&path, calm).await.expect(201);
    let held = site.post(&path, post(11, IPV6)).await.expect(202);
    let (calm, held) = (id(&calm), id(&held));
    // (who, method, path, body, status)
    let author = format!("/v1/authors/{MARK}auteur");
    let requests = [
        (
            site,
            Method::PUT,
            format!("/v1/threads/{MARK}cle"),
            json!({"title": marked("titre")}),
            200,
        ),
        (
            site,
            Method::POST,
            "/v1/counts".into(),
            json!({"keys": [marked("cle")]}),
            200,
        ),
        (
            site,
            Method::PATCH,
            format!("/v1/comments/{calm}"),
            json!({"body": marked("edit")}),
            200,
        ),
        (
            site,
            Method::POST,
            format!("/v1/comments/{calm}/reports"),
            json!({"reporter": {"id": marked("ami")}, "reason": "other", "note": marked("plainte")}),
            201,
        ),
        (
            site,
            Method::POST,
            format!("/v1/comments/{held}/appeals"),
            json!({"text": marked("appel")}),
            201,
        ),
        (
            moderator,
            Method::POST,
            format!("{author}/sanctions"),
            json!({"kind": "premoderate", "note": MARK}),
            201,
        ),
        (
            moderator,
            Method::POST,
            format!("{author}/sanctions"),
            json!({"kind": MARK}),
            422,
        ),
        (
            moderator,
            Method::POST,
            format!("{author}/notes"),
            json!({"text": marked("note")}),
            201,
        ),
        (
            site,
            Method::DELETE,
            format!("/v1/comments/{calm}"),
            json!({}),
            204,
        ),
    ];
    for (who, method, path, body, status) in requests {
        let answer = who.send(who.request(method, &path).json(&body)).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
    for list in [
        format!("/v1/threads/{MARK}cle/comments?viewer={MARK}auteur"),
        format!("/v1/threads/{MARK}cle"),
        format!("/v1/threads/{MARK}cle/count"),
        format!("/v1/queue?q={MARK}corps&author={MARK}auteur"),
        format!("/v1/comments?external_id={MARK}{format}0"),
        author,
    ] {
        assert_eq!(moderator.get(&list).await.status, 200, "{list}");
    }
}

async fn bad_requests(server: &Server, site: &Client, moderator: &Client) {
    let path = format!("/v1/threads/{MARK}cle/comments");
    // (the body as it is, the status)
    let bodies = [
        (format!("{{\"body\": \"{MARK}"), 400),
        (MARK.to_string(), 400),
        (format!("{{\"{MARK}\": 1}}"), 422),
        (format!("{{\"body\": {{\"{MARK}\": 1}}, \"author\": 7}}"), 422),
        (format!("{{\"body\": \"a\", \"author\": \"{MARK}\"}}"), 422),
        (json!({"body": marked("\u{1}"), "author": {"id": MARK, "name": MARK, "email": MARK, "ip": MARK}}).to_string(), 422),
        (json!({"body": marked(""), "author": {"id": MARK, "name": MARK}, "parent_id": MARK}).to_string(), 422),
        (json!({"body": marked(""), "author": {"id": MARK, "name": MARK}, "parent_id": uuid::Uuid::now_v7()}).to_string(), 404),
        (json!({"body": marked("").repeat(2_000), "author": {"id": MARK, "name": MARK}}).to_string(), 422),
        (json!({"body": marked("").repeat(20_000), "author": {"id": MARK, "name": MARK}}).to_string(), 413),
    ];
    for (body, status) in bodies {
        let request = site
            .request(Method::POST, &path)
            .header("content-type", "application/json");
        let answer = site.send(request.body(body.clone())).await;
        assert_eq!(
            answer.status,
            status,
            "{}: {}",
            &body[..body.len().min(80)],
            answer.body
        );
    }
    let request = site
        .request(Method::POST, &path)
        .header("content-type", format!("text/{MARK}"));
    assert_eq!(site.send(request.body(marked(""))).await.status, 415);
    // (method, path, status)
    let requests = [
        (Method::GET, format!("/v1/{MARK}"), 404),
        (Method::GET, format!("/{MARK}/%ff"), 404),
        (Method::GET, format!("/v1/threads/{MARK}%ff/comments"), 422),
        (
            Method::GET,
            format!("/v1/threads/{MARK}inconnu/comments"),
            404,
        ),
        (Method::GET, format!("/v1/comments/{MARK}"), 404),
        (
            Method::DELETE,
            format!("/v1/threads/{MARK}cle/comments"),
            405,
        ),
        (
            Method::GET,
            format!("/v1/threads/{MARK}cle/comments?cursor={MARK}"),
            422,
        ),
        (
            Method::GET,
            format!("/v1/threads/{MARK}cle/comments?limit={MARK}"),
            422,
        ),
        (
            Method::GET,
            format!("/v1/threads/{MARK}cle/comments?view={MARK}"),
            422,
        ),
        (
            Method::GET,
            format!("/v1/threads/{MARK}cle/comments?site={MARK}!"),
            422,
        ),
    ];
    for (method, path, status) in requests {
        let answer = site.send(site.request(method, &path)).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
    for (path, status) in [
        (format!("/v1/queue?cursor={MARK}"), 422),
        (format!("/v1/queue?thread={MARK}cle"), 200),
        (format!("/v1/decisions?comment={MARK}"), 422),
        (format!("/v1/decisions/{MARK}/undo"), 405),
    ] {
        assert_eq!(moderator.get(&path).await.status, status, "{path}");
    }
    let forged = format!("{}.{MARK}", moderator_head(moderator));
    for token in [
        MARK.to_owned(),
        format!("{MARK}.{MARK}.{MARK}"),
        forged,
        "é".to_owned(),
    ] {
        let stranger = Client::at(&server.address, &token);
        assert_eq!(stranger.get("/v1/queue").await.status, 401);
    }
    let request = site
        .request(Method::GET, "/v1/queue")
        .header("user-agent", MARK)
        .header("referer", MARK)
        .header("cookie", format!("session={MARK}"))
        .header("x-forwarded-for", format!("{MARK}, {IPV4}"))
        .header("forwarded", format!("for={IPV4}"))
        .header("x-request-id", format!("{MARK} {MARK}"))
        .header("origin", format!("https://{MARK}.test"));
    assert_eq!(site.send(request).await.status, 403);
}

/// Header and claims of a good token: what stands before its signature.
fn moderator_head(moderator: &Client) -> &str {
    moderator.token().rsplit_once('.').unwrap().0
}

/// What no client library would send.
async fn bad_http(server: &Server, token: &str) {
    let address = server.address.strip_prefix("http://").unwrap();
    let auth =
        format!("host: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n");
    for bytes in [
        format!("{MARK}\r\n\r\n"),
        format!(
            "GET /v1/queue HTTP/1.1\r\nhost: x\r\nauthorization: Basic {MARK}\r\nconnection: close\r\n\r\n"
        ),
        format!("{MARK} /v1/queue HTTP/1.1\r\n{auth}\r\n"),
        format!("GET /{MARK} HTTP/9.9\r\n{auth}\r\n"),
        format!("GET /v1/queue HTTP/1.1\r\n{auth}{MARK}\u{1}: {MARK}\r\n\r\n"),
        format!(
            "GET /v1/queue HTTP/1.1\r\n{auth}x: {}\r\n\r\n",
            MARK.repeat(40_000)
        ),
        format!("POST /v1/score HTTP/1.1\r\n{auth}content-length: {MARK}\r\n\r\n"),
        format!("POST /v1/score HTTP/1.1\r\n{auth}transfer-encoding: chunked\r\n\r\n{MARK}\r\n"),
        format!("POST /v1/score HTTP/1.1\r\n{auth}transfer-encoding: {MARK}\r\n\r\n"),
        format!(
            "POST /v1/score HTTP/1.1\r\n{auth}content-length: 5000\r\n\r\n{{\"text\": \"{MARK}"
        ),
        format!(
            "POST /v1/threads/{MARK}/comments HTTP/1.1\r\n{auth}expect: {MARK}\r\ncontent-length: 3\r\n\r\n{{}}\n"
        ),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // A server that has had enough may end the connection while we write.
        let _ = stream.write_all(bytes.as_bytes()).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        assert!(
            read.is_ok(),
            "no end to {:?}",
            &bytes[..bytes.len().min(80)]
        );
    }
    let client = Client::at(&server.address, token);
    eventually("it goes on", Duration::from_secs(5), || async {
        (client.get("/readyz").await.status == 200).then_some(())
    })
    .await;
}
