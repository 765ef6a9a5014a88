//! A disk on which every sync takes a tenth of a second: a worn card, a busy network volume.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    harness::{Client, Dice, Newspaper, at_once, comment, say, size},
    ledger::{Entry, Post, reconcile},
    program::Home,
    shim::Shim,
};

const CLIENTS: usize = 64;
const SYNC: Duration = Duration::from_millis(100);
const VERY_SLOW: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn on_a_slow_disk_posts_share_a_sync_and_reads_keep_their_pace() {
    let home = Home::new(None);
    let Some(shim) = Shim::compile(&home) else {
        return;
    };
    let paper = Newspaper::open(home);
    let server = paper.start(shim.before(paper.serving()));
    let site = paper.site(&server);
    let first = comment(
        "awa",
        "Le premier commentaire, avant que le disque ne ralentisse.",
    );
    assert!(
        site.post("/v1/threads/s/comments", first)
            .await
            .is_success()
    );

    shim.delay_syncs(SYNC);
    let alone = shim.syncs();
    let second = comment("ada", "Le second commentaire, seul sur un disque lent.");
    let answer = site.post("/v1/threads/s/comments", second).await;
    assert!(answer.is_success());
    assert!(
        shim.syncs() > alone && answer.took >= SYNC,
        "a post that was answered is on disk: {} syncs, {:?}",
        shim.syncs() - alone,
        answer.took
    );

    let (syncs, begun) = (shim.syncs(), Instant::now());
    let each = size(6, 50);
    let entries = write(&site, "s", CLIENTS, each).await;
    let (syncs, took) = (shim.syncs() - syncs, begun.elapsed());
    let refused: Vec<_> = entries
        .iter()
        .filter(|entry| entry.acknowledged().is_none())
        .collect();
    say(&format!(
        "slow disk: {} posts in {took:.1?} with {syncs} syncs",
        entries.len()
    ));
    assert!(
        refused.is_empty(),
        "{} not taken, such as {:?}",
        refused.len(),
        refused[0]
    );
    assert!(
        syncs * 5 < entries.len() as i64,
        "each post waited for a sync of its own"
    );

    // Slower still, so that whoever waits for the disk is told from whoever waits for a busy processor.
    shim.delay_syncs(VERY_SLOW);
    let over = Arc::new(AtomicBool::new(false));
    let reading = tokio::spawn(read_until(site.clone(), Arc::clone(&over)));
    let (syncs, begun) = (shim.syncs(), Instant::now());
    let more = write(&site, "v", 4, 4).await;
    over.store(true, Ordering::Relaxed);
    let mut reads = reading.await.unwrap();
    assert!(
        begun.elapsed() > VERY_SLOW && shim.syncs() > syncs,
        "nobody wrote"
    );
    shim.delay_syncs(Duration::ZERO);
    reads.sort_unstable();
    let median = reads[reads.len() / 2];
    say(&format!(
        "slow disk: {} reads beside posts that take {VERY_SLOW:.1?}, the median one {median:.1?}",
        reads.len()
    ));
    assert!(
        median < VERY_SLOW / 2,
        "readers wait for the disk of writers"
    );

    let entries = [entries, more].concat();
    reconcile(&paper, &server, &entries)
        .await
        .settle("slow disk");
}

/// So many clients post at once, each so many comments one after another.
async fn write(site: &Client, name: &str, clients: usize, each: usize) -> Vec<Entry> {
    let writers = (0..clients).map(|writer| {
        let (site, name) = (site.clone(), format!("{name}-{writer}"));
        async move {
            let mut dice = Dice::of(&name);
            let mut entries = Vec::new();
            for number in 0..each {
                let post = Post::any(&mut dice, "s", &format!("{name}-{number}"));
                let outcome = post.send(&site).await;
                entries.push(Entry { post, outcome });
            }
            entries
        }
    });
    at_once(writers).await.concat()
}

/// Reads a small thread again and again; how long each took.
async fn read_until(site: Client, over: Arc<AtomicBool>) -> Vec<Duration> {
    let mut took = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let page = site.get("/v1/threads/s/comments?limit=20").await;
        assert_eq!(page.status, 200);
        took.push(page.took);
    }
    took
}
