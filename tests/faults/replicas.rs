//! Several servers on one PostgreSQL.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::{Answer, Client, Dice, Newspaper, THREAT, comment, eventually, id, say, size},
    ledger::{Load, Tally, reconcile},
    program::{Home, PATIENCE, Server, Starting, on_postgres},
};

/// Two servers, and whoever asks them in turn.
struct Pair {
    paper: Newspaper,
    servers: [Server; 2],
}

impl Pair {
    fn start(home: Home) -> Self {
        let paper = Newspaper::open(home);
        let servers = [paper.serve(), paper.serve()];
        Self { paper, servers }
    }

    fn sites(&self) -> [Client; 2] {
        [0, 1].map(|at| self.paper.site(&self.servers[at]))
    }

    fn moderators(&self) -> [Client; 2] {
        [0, 1].map(|at| self.paper.moderator(&self.servers[at]))
    }
}

/// The same request to both at the same moment.
async fn to_both(clients: &[Client; 2], path: &str, body: &Value) -> [Answer; 2] {
    let [one, other] = clients;
    let (one, other) = tokio::join!(one.post(path, body.clone()), other.post(path, body.clone()));
    [one, other]
}

#[tokio::test(flavor = "multi_thread")]
async fn twins_posted_to_two_replicas_at_once_are_stored_once_or_known_as_copies() {
    on_postgres(twins).await;
}

async fn twins(home: Home) {
    let pair = Pair::start(home);
    let (sites, moderators) = (pair.sites(), pair.moderators());
    let mut dice = Dice::of("replicas");
    let rounds = size(25, 500);
    let (mut known, mut copies) = (0, 0);
    for round in 0..rounds {
        // The first comments of a thread, so that its making is contested too.
        let path = format!("/v1/threads/r{round}/comments");
        let text = format!("{} {round}", dice.words(14));
        let mut twin = comment(&format!("x{round}"), &text);
        twin["external_id"] = json!(format!("x{round}"));
        let answers = to_both(&sites, &path, &twin).await;
        let statuses = answers.each_ref().map(|answer| answer.status);
        assert!(answers.iter().all(Answer::is_success), "{answers:?}");
        assert_eq!(
            id(&answers[0].body),
            id(&answers[1].body),
            "one external id, two comments"
        );
        known += statuses.iter().filter(|status| **status == 200).count();
        assert_eq!(
            statuses.iter().filter(|status| **status == 200).count(),
            1,
            "{answers:?}"
        );

        // The same words by two readers: the second to be stored is known as a copy of the first.
        let text = format!("{} {round}", dice.words(14));
        let same = comment(&format!("y{round}"), &text);
        let answers = to_both(&sites, &path, &same).await;
        let originals: Vec<_> = answers
            .iter()
            .filter(|answer| answer.body["duplicate_of"].is_null())
            .collect();
        assert_eq!(
            originals.len(),
            1,
            "one of two copies is the original: {answers:?}"
        );
        let copy = answers
            .iter()
            .find(|answer| !answer.body["duplicate_of"].is_null())
            .unwrap();
        assert_eq!(copy.body["duplicate_of"]["id"], originals[0].body["id"]);
        assert_eq!(copy.body["duplicate_of"]["kind"], "exact");
        copies += 1;

        // One idempotency key.
        let request = |site: &Client| {
            let body = comment(&format!("z{round}"), &format!("Avis n° {round}."));
            site.request(Method::POST, &path)
                .header("idempotency-key", format!("z{round}"))
                .json(&body)
        };
        let (one, other) = tokio::join!(
            sites[0].send(request(&sites[0])),
            sites[1].send(request(&sites[1]))
        );
        assert_eq!(
            id(&one.body),
            id(&other.body),
            "one idempotency key, two comments"
        );
        let replayed =
            [&one, &other].map(|answer| answer.header("idempotent-replayed") == Some("true"));
        assert_ne!(replayed[0], replayed[1], "{one:?} {other:?}");

        // A decision on one is seen by the other at once.
        let (here, there) = (round % 2, (round + 1) % 2);
        let held = sites[here]
            .post(&path, comment("ada", &format!("{THREAT} {round}")))
            .await
            .expect(202);
        let hidden = moderators[there].decide(&held, "hide").await.expect(201);
        let seen = sites[here]
            .get(&format!("/v1/comments/{}", id(&held)))
            .await
            .expect(200);
        assert_eq!(
            (&seen["status"], &seen["version"]),
            (&json!("hidden"), &hidden["comment"]["version"])
        );
        let stale = moderators[here].decide(&held, "approve").await;
        assert_eq!(
            stale.status, 409,
            "a decision on what was seen before: {:?}",
            stale.body
        );
        let back = moderators[here].undo(&hidden).await.expect(201);
        // Two moderators decide on the same version at the same moment: one of them.
        let decision = json!({"action": "approve", "version": back["comment"]["version"]});
        let answers = to_both(
            &moderators,
            &format!("/v1/comments/{}/decisions", id(&held)),
            &decision,
        )
        .await;
        let mut statuses = answers.map(|answer| answer.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
        for site in &sites {
            let listed = site.all(&format!("{path}?view=flat")).await;
            assert!(
                listed.iter().any(|item| id(item) == id(&held)),
                "it is published on both"
            );
        }
    }
    say(&format!(
        "{rounds} rounds of twins on two replicas: {known} external ids known again, {copies} copies found"
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_killed_loses_nothing_and_the_other_goes_on() {
    on_postgres(one_is_killed).await;
}

async fn one_is_killed(home: Home) {
    let mut pair = Pair::start(home);
    let (rounds, mut tally) = (size(2, 20), Tally::default());
    for round in 0..rounds {
        let mut dice = Dice::of(&format!("replica {round}"));
        let [falling, staying] = pair.sites();
        let names = [format!("f{round}"), format!("s{round}")];
        let thread = format!("f{round}");
        let load = Load::start(vec![falling; 6], &names[0], &[&thread]);
        let other = Load::start(vec![staying; 6], &names[1], &[&thread]);
        load.until_acknowledged(20 + dice.below(60) as usize).await;
        pair.servers[0].kill();
        let mut entries = load.end().await;
        // The other keeps serving, with whatever locks the dead one held.
        other.until_acknowledged(other.acknowledged() + 100).await;
        let stayed = other.stop().await;
        let refused = stayed.iter().find(|entry| entry.acknowledged().is_none());
        assert!(refused.is_none(), "the other replica refused: {refused:?}");
        entries.extend(stayed);
        tally.add(reconcile(&pair.paper, &pair.servers[1], &entries).await);
        pair.servers[0] = pair.paper.serve();
    }
    tally.settle(&format!("{rounds} kills of a replica"));
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_together_on_an_empty_database_all_become_ready() {
    on_postgres(|home| async move {
        let starting: Vec<_> = (0..3)
            .map(|_| home.begin(home.command(&["serve", "--listen", "127.0.0.1:0"])))
            .collect();
        let servers: Vec<_> = starting
            .into_iter()
            .map(Starting::wait_until_it_listens)
            .collect();
        let paper = Newspaper::open(home);
        for server in &servers {
            // A token of one is good for all: they share the key that was made at the first start.
            let (site, moderator) = (paper.site(server), paper.moderator(server));
            eventually("it is ready", PATIENCE, || async {
                (site.get("/readyz").await.status == 200).then_some(())
            })
            .await;
            let posted = site
                .post("/v1/threads/a/comments", comment("awa", "Merci."))
                .await;
            assert!(posted.is_success(), "{:?}", posted.body);
            assert_eq!(moderator.get("/v1/queue").await.status, 200);
        }
        let there = paper
            .site(&servers[0])
            .all("/v1/threads/a/comments?view=flat")
            .await;
        assert_eq!(there.len(), servers.len());
    })
    .await;
}
