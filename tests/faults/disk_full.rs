//! The disk under the data directory is full, until somebody makes room.

use std::{fs::File, io::Write as _, path::PathBuf, process::Command, sync::Arc, time::Duration};

use crate::{
    harness::{Dice, Newspaper, THREAT, comment, eventually, id, say},
    ledger::{Entry, Post, reconcile},
    postgres::say_loudly,
    program::{Home, stderr},
};

/// A small file system of its own, unmounted when dropped.
struct SmallDisk {
    at: PathBuf,
    /// Goes after the mount in it.
    _around: Arc<tempfile::TempDir>,
}

impl SmallDisk {
    /// Mounts one, or says loudly that this cannot be done here.
    fn mount_under_data_of(home: &Home, size: &str) -> Option<Self> {
        let at = home.data_dir();
        std::fs::create_dir_all(&at).unwrap();
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=700"),
                "tmpfs",
            ])
            .arg(&at)
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self {
                at,
                _around: Arc::clone(&home.directory),
            }),
            refused => {
                let why = refused.map_or_else(|error| error.to_string(), |output| stderr(&output));
                say_loudly(&format!(
                    "NOT TESTED: a full disk, since no tmpfs can be mounted here ({}). Run as root.",
                    why.lines().next().unwrap_or_default()
                ));
                None
            }
        }
    }

    /// Fills it with a file but for some bytes. Returns the file.
    fn fill_up(&self, but: u64) -> PathBuf {
        let path = self.at.join("filler");
        let mut filler = File::create(&path).unwrap();
        let block = vec![7; 64 * 1024];
        while filler.write_all(&block).is_ok() {}
        let size = filler.metadata().unwrap().len();
        filler.set_len(size.saturating_sub(but)).unwrap();
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_in_words_reads_go_on_and_posts_do_once_there_is_room() {
    let home = Home::new(None);
    let Some(disk) = SmallDisk::mount_under_data_of(&home, "96m") else {
        return;
    };
    let paper = Newspaper::open(home);
    let mut command = paper.serving();
    command.env("PALABRE_LOG", "warn");
    let server = paper.start(command);
    let (site, moderator) = (paper.site(&server), paper.moderator(&server));
    let held = site
        .post("/v1/threads/p/comments", comment("ada", THREAT))
        .await
        .expect(202);

    let filler = disk.fill_up(768 * 1024);
    let mut dice = Dice::of("disk full");
    let mut entries = Vec::new();
    let mut refused = 0;
    while refused < 20 {
        assert!(entries.len() < 5_000, "the disk is never full");
        let number = entries.len();
        let post = Post::long(&mut dice, "p2", &format!("p-{number}"));
        let outcome = post.send(&site).await;
        let answer = outcome.as_ref().expect("the server answers");
        if !answer.is_success() {
            assert_eq!(answer.wrong_as_unavailable(), None, "{}", paper.home.log());
            refused += 1;
        }
        entries.push(Entry { post, outcome });
    }
    // What is there can be read, by readers and by moderators.
    for (client, path) in [
        (
            &site,
            "/v1/threads/p2/comments?view=flat&limit=10000".to_owned(),
        ),
        (&site, format!("/v1/comments/{}", id(&held))),
        (&moderator, "/v1/queue".to_owned()),
        (&moderator, "/v1/queue/counts".to_owned()),
        (&site, "/healthz".to_owned()),
    ] {
        assert_eq!(client.get(&path).await.status, 200, "{path}");
    }
    let decision = moderator.decide(&held, "approve").await;
    if !decision.is_success() {
        let wrong = decision.wrong_as_unavailable();
        assert_eq!(wrong, None, "a decision: {}", paper.home.log());
    }
    let log = paper.home.log();
    assert!(log.contains("full"), "the operator is not told: {log}");

    std::fs::remove_file(filler).unwrap();
    eventually("posts succeed again", Duration::from_secs(10), || async {
        let post = comment("awa", "De la place, enfin.");
        site.post("/v1/threads/p3/comments", post)
            .await
            .is_success()
            .then_some(())
    })
    .await;
    for number in 0..20 {
        let post = Post::long(&mut dice, "p2", &format!("q-{number}"));
        let outcome = post.send(&site).await;
        assert!(outcome.as_ref().unwrap().is_success(), "{outcome:?}");
        entries.push(Entry { post, outcome });
    }
    say(&format!(
        "disk full after {} posts",
        entries.len() - refused - 20
    ));
    reconcile(&paper, &server, &entries)
        .await
        .settle("disk full");
    // What was written around the fault opens again.
    drop(server);
    let server = paper.serve();
    entries.retain(|entry| entry.acknowledged().is_some());
    reconcile(&paper, &server, &entries)
        .await
        .settle("disk full, after a restart");
}
