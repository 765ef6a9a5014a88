//! PostgreSQL goes away for a while, in each of the ways it can, and comes back.

use std::time::{Duration, Instant};

use crate::{
    harness::{
        ANSWER_BOUND, Answer, Client, Newspaper, PROMPT, at_once, comment, eventually, say, size,
    },
    ledger::{Load, reconcile},
    program::{Home, on_postgres},
    proxy::{Proxy, Way},
};

/// More than the server has connections to its database, so that each of them is at work when the cut comes.
const WRITERS: usize = 24;
/// How soon after the cut everything must work again: longer than any request of the cut may still be waiting.
const RECOVERY: Duration = Duration::from_secs(20);

/// The address of a database, with another host and port.
fn by_way_of(url: &str, port: u16) -> (String, String) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap();
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (format!("{user}@"), host),
        None => (String::new(), authority),
    };
    let upstream = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:5432")
    };
    (
        upstream,
        format!("{scheme}://{user}127.0.0.1:{port}/{path}"),
    )
}

async fn gone_for_a_while(home: Home, way: Way) {
    let direct = home.database_url.clone().unwrap();
    let (upstream, _) = by_way_of(&direct, 0);
    let proxy = Proxy::before(upstream).await;
    let mut paper = Newspaper::open(home);
    paper.home.database_url = Some(by_way_of(&direct, proxy.port).1);
    let server = paper.serve();
    let site = paper.site(&server);
    for thread in ["d0", "d1"] {
        let first = comment(
            "awa",
            "Le premier commentaire de cette page, avant la panne.",
        );
        let path = format!("/v1/threads/{thread}/comments");
        assert!(site.post(&path, first).await.is_success());
    }

    let writers = (0..WRITERS).map(|_| paper.site(&server)).collect();
    let load = Load::start(writers, "d", &["d0", "d1"]);
    load.until_acknowledged(60).await;
    proxy.set(Way::Far);
    load.until_acknowledged(load.acknowledged() + 2 * WRITERS)
        .await;
    let pulse = tokio::spawn(pulse(site.clone()));

    proxy.set(way);
    let cut = Instant::now();
    let not_ready = eventually("/readyz says 503", ANSWER_BOUND, || async {
        let ready = site.get("/readyz").await;
        (ready.status != 200).then_some(ready)
    });
    let read = site.get("/v1/threads/d0/comments");
    let ((), not_ready, read) = tokio::join!(load.until_refused(1), not_ready, read);
    assert_eq!(not_ready.wrong_as_unavailable(), None);
    assert_eq!(read.wrong_as_unavailable(), None, "a read during the cut");
    // The fault itself lasts that long, or as long as it took to be noticed.
    let whole = match way {
        // Longer than any answer may take.
        Way::Crawling => size(ANSWER_BOUND, Duration::from_secs(30)) + Duration::from_secs(1),
        _ => size(Duration::from_secs(3), Duration::from_secs(30)),
    };
    tokio::time::sleep(whole.saturating_sub(cut.elapsed())).await;
    let lasted = cut.elapsed();

    proxy.set(Way::Open);
    let mended = Instant::now();
    eventually("/readyz says 200 again", RECOVERY, || async {
        (site.get("/readyz").await.status == 200).then_some(())
    })
    .await;
    let ready_after = mended.elapsed();
    // And with everything it had before: as many at once as there are connections.
    eventually("posts at once all succeed again", RECOVERY, || async {
        let posts = (0..2 * WRITERS).map(|number| {
            let (site, body) = (
                site.clone(),
                comment("ada", &format!("De retour, n° {number}.")),
            );
            async move { site.try_post("/v1/threads/d2/comments", body).await }
        });
        let answers = at_once(posts).await;
        answers
            .iter()
            .all(|answer| answer.as_ref().is_ok_and(Answer::is_success))
            .then_some(())
    })
    .await;
    let whole_after = mended.elapsed();
    let entries = load.stop().await;
    let gave_up = eventually_none(&proxy).await;
    pulse.abort();
    if let Err(failure) = pulse.await {
        assert!(failure.is_cancelled(), "/healthz: {failure}");
    }

    let mut slowest = Duration::ZERO;
    let mut wrong = Vec::new();
    for entry in &entries {
        match &entry.outcome {
            Ok(answer) => {
                slowest = slowest.max(answer.took);
                if !answer.is_success() {
                    wrong.extend(answer.wrong_as_unavailable());
                }
            }
            Err(silence) => wrong.push(format!("{silence:?}")),
        }
    }
    say(&format!(
        "database {way:?} for {lasted:.1?}: slowest answer {slowest:.1?}, ready {ready_after:.1?}, whole {whole_after:.1?} and rid of dead connections {gave_up:.1?} later"
    ));
    let first = wrong.first();
    assert!(
        wrong.is_empty(),
        "{} answers were wrong, such as {first:?}",
        wrong.len()
    );
    reconcile(&paper, &server, &entries)
        .await
        .settle(&format!("database {way:?}"));
}

/// How long it takes until the server has given up every connection that died.
async fn eventually_none(proxy: &Proxy) -> Duration {
    let (begun, mut before) = (Instant::now(), proxy.dead());
    while proxy.dead() > 0 {
        assert!(
            begun.elapsed() < 2 * RECOVERY,
            "of {before} connections that died, the server still holds {}",
            proxy.dead()
        );
        before = before.max(proxy.dead());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    begun.elapsed()
}

/// The process says that it is up, all the time.
async fn pulse(client: Client) {
    loop {
        let alive = client.get("/healthz").await;
        assert_eq!(alive.status, 200, "{:?}", alive.body);
        assert!(alive.took < PROMPT, "/healthz took {:?}", alive.took);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

mod while_the_database_is_gone_posts_are_refused_and_afterwards_all_goes_on {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn refusing() {
        on_postgres(|home| gone_for_a_while(home, Way::Refusing)).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn dropping() {
        on_postgres(|home| gone_for_a_while(home, Way::Dropping)).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn crawling() {
        on_postgres(|home| gone_for_a_while(home, Way::Crawling)).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn silent() {
        on_postgres(|home| gone_for_a_while(home, Way::Silent)).await;
    }
}
