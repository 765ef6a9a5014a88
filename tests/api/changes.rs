//! For a site that keeps in step: comments by their latest change, threads by age, and counts for lists of articles.

use std::collections::HashSet;

use palabre::domain::Role;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::harness::{
    App, CALM, Client, OTHER_SITE, SITE, THREAT, by, eventually, id, ids, on_each_database, path,
    remark, with_cursor,
};

async fn listed(client: &Client, query: &str) -> Vec<String> {
    let items = client.all(&format!("/v1/comments?{query}")).await;
    items.iter().map(|comment| id(comment).to_owned()).collect()
}

on_each_database! {
    async fn whatever_changes_moves_to_the_end(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let mut comments = Vec::new();
        for number in 0..6 {
            let thread = if number % 2 == 0 { "a" } else { "b" };
            comments.push(site.comment(thread, "awa", &remark(number)).await);
        }
        let order = |numbers: [usize; 6]| numbers.map(|number| id(&comments[number]).to_owned());
        assert_eq!(listed(&site, "").await, order([0, 1, 2, 3, 4, 5]), "of every thread, as they came");
        let edited = site.edit(&comments[1], THREAT).await;
        assert_eq!(listed(&site, "").await, order([0, 2, 3, 4, 5, 1]), "an edit");
        let decided = moderator.decide(&comments[0], "hide").await.expect(201);
        assert_eq!(listed(&site, "").await, order([2, 3, 4, 5, 1, 0]), "a decision");
        site.delete(&path(&comments[3], "")).await.expect(204);
        assert_eq!(listed(&site, "").await, order([2, 4, 5, 1, 0, 3]), "a deletion");
        let undo = format!("/v1/decisions/{}/undo", id(&decided["decision"]));
        moderator.post(&undo, json!({})).await.expect(201);
        assert_eq!(listed(&site, "").await, order([2, 4, 5, 1, 3, 0]), "an undo");
        app.set_policy(json!({"hold_at_reports": 1})).await;
        let report = json!({"reporter": {"id": "bob"}, "reason": "spam"});
        site.post(&path(&comments[2], "/reports"), report).await.expect(201);
        assert_eq!(listed(&site, "").await, order([4, 5, 1, 3, 0, 2]), "a hold for reports");
        // What changes nothing moves nothing: a reply, the same text again.
        site.edit(&comments[4], &remark(4)).await;
        assert_eq!(listed(&moderator, "").await, order([4, 5, 1, 3, 0, 2]));

        let items = site.all("/v1/comments").await;
        assert_eq!(items[2], edited, "each as it is now");
        assert_eq!((&items[3]["status"], &items[3]["body"]), (&json!("deleted"), &json!(null)));
        for (status, numbers) in [("published", &[4, 5, 0][..]), ("pending", &[1, 2]), ("deleted", &[3]), ("hidden", &[])] {
            let expected: Vec<&str> = numbers.iter().map(|number: &usize| id(&comments[*number])).collect();
            assert_eq!(listed(&site, &format!("status={status}")).await, expected, "{status}");
        }
    }
}

on_each_database! {
    async fn a_list_of_changes_is_narrowed(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let mut first = by("awa", CALM);
        first["external_id"] = json!("wp-1");
        let first = site.post("/v1/threads/a/comments", first.clone()).await.expect(201);
        let second = site.comment("a", "awa", &remark(1)).await;
        let there = app.other_site().comment("a", "awa", CALM).await;
        let both = app.bearer(Role::Site, "both", &[SITE, OTHER_SITE]);
        assert_eq!(listed(&both, "").await, [&first, &second, &there].map(|comment| id(comment).to_owned()));
        assert_eq!(listed(&both, &format!("site={OTHER_SITE}")).await, [id(&there)]);
        for client in [&site, &moderator] {
            assert_eq!(listed(client, "external_id=wp-1").await, [id(&first)]);
            assert_eq!(listed(client, "external_id=wp-2").await, [""; 0]);
            assert_eq!(listed(client, &format!("site={SITE}")).await, [&first, &second].map(|comment| id(comment).to_owned()));
        }
        assert_eq!(listed(&site, "since=2100-01-01T00:00:00Z").await, [""; 0]);
        assert_eq!(listed(&site, "since=2000-01-01T00:00:00Z").await.len(), 2);
        let since = second["created_at"].as_str().unwrap();
        assert!(listed(&site, &format!("since={since}")).await.contains(&id(&second).to_owned()), "the moment counts");
        // Long ago, but for one that was edited since.
        app.sql("UPDATE comments SET changed_at = changed_at - 60000").await;
        assert_eq!(listed(&site, &format!("since={since}")).await, [""; 0]);
        site.edit(&first, &remark(2)).await;
        assert_eq!(listed(&site, &format!("since={since}")).await, [id(&first)]);

        for (query, field) in [
            ("since=yesterday", "since"),
            ("since=2026-11-22T09:30:00", "since"),
            ("status=gone", "status"),
            ("status=all", "status"),
            ("external_id=a%00", "external_id"),
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("cursor=x", "cursor"),
            ("site=A", "site"),
        ] {
            assert_eq!(site.get(&format!("/v1/comments?{query}")).await.invalid_fields(), [field], "{query}");
        }
        assert_eq!(both.get("/v1/comments?external_id=wp-1").await.invalid_fields(), ["site"]);
        site.get(&format!("/v1/comments?site={OTHER_SITE}")).await.problem(404, "site-not-found");
        let page = site.get("/v1/comments?limit=1").await.expect(200);
        let cursor = page["next_cursor"].as_str().unwrap();
        for other in ["status=published&", "external_id=wp-1&", "since=2000-01-01T00:00:00Z&"] {
            let fields = site.get(&format!("/v1/comments?{other}cursor={cursor}")).await.invalid_fields();
            assert_eq!(fields, ["cursor"], "{other}");
        }
        assert_eq!(site.get(&format!("/v1/threads?cursor={cursor}")).await.invalid_fields(), ["cursor"]);
    }
}

on_each_database! {
    async fn pages_lose_and_double_nothing_while_things_change(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let mut comments = Vec::new();
        for number in 0..12 {
            comments.push(site.comment("a", "awa", &remark(number)).await);
        }
        let path_of_list = "/v1/comments?limit=3";
        let (mut next, mut seen, mut round) = (path_of_list.to_owned(), Vec::new(), 0);
        loop {
            let page = site.get(&next).await.expect(200);
            seen.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else {
                break;
            };
            next = with_cursor(path_of_list, cursor);
            // Meanwhile, a few times: one changes that was seen, and one that was not, and another comes in. Now and then
            // it is the very one that the cursor names.
            if round < 3 {
                site.edit(&page["items"][round % 3], &remark(100 + round)).await;
                let unseen = comments.iter().rev().nth(round).unwrap();
                moderator.decide(unseen, "hide").await.expect(201);
                site.comment("a", "bob", &remark(200 + round)).await;
            }
            round += 1;
        }
        let versions: Vec<(&str, i64)> =
            seen.iter().map(|comment| (id(comment), comment["version"].as_i64().unwrap())).collect();
        let unique: HashSet<_> = versions.iter().collect();
        assert_eq!(unique.len(), versions.len(), "no state twice");
        // Who takes the last of each knows everything as it is.
        for comment in site.all("/v1/comments").await {
            let last = seen.iter().rev().find(|one| one["id"] == comment["id"]);
            assert_eq!(last, Some(&comment));
        }
        assert_eq!(unique.len(), 15 + 3, "fifteen comments, of which three were edited after they were seen");
    }
}

on_each_database! {
    async fn a_follower_misses_nothing_while_many_post(app: App) {
        let posting = tokio::spawn({
            let app = app.clone();
            async move {
                let posted = crate::harness::at_once((0..6).map(|writer| {
                    let site = app.site();
                    async move {
                        let mut posted = Vec::new();
                        for number in 0..15 {
                            let comment = site.comment(&format!("t{writer}"), "awa", &remark(number)).await;
                            posted.push(id(&comment).to_owned());
                        }
                        posted
                    }
                }))
                .await;
                posted.concat()
            }
        });
        // Page after page, and at the end again from the last cursor that was given.
        let (site, list) = (app.site(), "/v1/comments?limit=2");
        let (mut seen, mut next) = (HashSet::new(), list.to_owned());
        loop {
            let over = posting.is_finished();
            let page = site.get(&next).await.expect(200);
            seen.extend(ids(&page, "/id"));
            match page["next_cursor"].as_str() {
                Some(cursor) => next = with_cursor(list, cursor),
                None if over => break,
                None => {}
            }
        }
        let posted = posting.await.unwrap();
        let missed: Vec<&String> = posted.iter().filter(|one| !seen.contains(*one)).collect();
        assert!(missed.is_empty(), "of {}: {missed:?}", posted.len());
    }
}

on_each_database! {
    async fn nothing_is_listed_before_what_was_listed(app: App) {
        let site = app.site();
        site.comment("a", "slow", &remark(0)).await;
        if !app.database_url.starts_with("postgres") {
            // SQLite has one writer: whoever changes something later commits later.
            return;
        }
        // One transaction is held up in the middle, as by a disk or a network, while others go on.
        let mut holding = PgConnection::connect(&app.database_url).await.unwrap();
        sqlx::raw_sql("BEGIN; SELECT 1 FROM authors WHERE author_id = 'slow' FOR UPDATE")
            .execute(&mut holding)
            .await
            .unwrap();
        let slow = tokio::spawn({
            let site = app.site();
            async move { site.comment("a", "slow", &remark(1)).await }
        });
        eventually("the transaction is held up", || async {
            !app.texts("SELECT query FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").await.is_empty()
        })
        .await;
        site.comment("a", "quick", &remark(2)).await;
        let before = listed(&site, "").await;
        holding.close().await.unwrap();
        slow.await.unwrap();
        let after = listed(&site, "").await;
        assert_eq!(after.len(), 3);
        assert!(after.starts_with(&before), "a follower who was at the end of {before:?} does not see all of {after:?}");
    }
}

on_each_database! {
    async fn threads_are_listed_in_the_order_in_which_they_were_made(app: App) {
        let site = app.site();
        site.put("/v1/threads/b", json!({"title": "Délestages", "lang": "fr"})).await.expect(201);
        for (number, thread) in ["d", "a", "c", "é/1"].into_iter().enumerate() {
            let body = by("awa", &remark(number));
            let key = thread.replace('é', "%C3%A9").replace('/', "%2F");
            site.post(&format!("/v1/threads/{key}/comments"), body).await.expect(201);
        }
        let held = site.comment("a", "bob", THREAT).await;
        app.moderator("binta").decide(&held, "hide").await.expect(201);
        app.other_site().comment("a", "awa", CALM).await;
        let list = site.get("/v1/threads").await.expect(200);
        assert_eq!(ids(&list, "/key"), ["b", "d", "a", "c", "é/1"]);
        for item in list["items"].as_array().unwrap() {
            let key = item["key"].as_str().unwrap().replace('é', "%C3%A9").replace('/', "%2F");
            assert_eq!(*item, site.get(&format!("/v1/threads/{key}")).await.expect(200), "as shown alone");
        }
        assert_eq!(list["items"][2]["counts"], json!({"published": 1, "pending": 0, "hidden": 1, "deleted": 0}));

        // Page after page, while others are made and changed.
        let path_of_list = "/v1/threads?limit=2";
        let (mut next, mut keys, mut round) = (path_of_list.to_owned(), Vec::new(), 0);
        loop {
            let page = site.get(&next).await.expect(200);
            keys.extend(ids(&page, "/key"));
            let Some(cursor) = page["next_cursor"].as_str() else {
                break;
            };
            next = with_cursor(path_of_list, cursor);
            if round < 2 {
                site.put(&format!("/v1/threads/new-{round}"), json!({})).await.expect(201);
                site.put("/v1/threads/b", json!({"title": format!("Titre {round}")})).await.expect(200);
            }
            round += 1;
        }
        assert_eq!(keys, ["b", "d", "a", "c", "é/1", "new-0", "new-1"]);

        app.sql("UPDATE threads SET created_at = created_at - 60000 WHERE key IN ('b', 'd')").await;
        let since = list["items"][0]["created_at"].as_str().unwrap();
        let young = site.get(&format!("/v1/threads?since={since}")).await.expect(200);
        assert_eq!(ids(&young, "/key"), ["a", "c", "é/1", "new-0", "new-1"]);
        let both = app.bearer(Role::Moderator, "binta", &[SITE, OTHER_SITE]);
        assert_eq!(both.all("/v1/threads?limit=3").await.len(), 8);
        assert_eq!(both.all(&format!("/v1/threads?site={OTHER_SITE}")).await.len(), 1);
        assert_eq!(site.get("/v1/threads?since=x").await.invalid_fields(), ["since"]);
        site.get(&format!("/v1/threads?site={OTHER_SITE}")).await.problem(404, "site-not-found");
    }
}

on_each_database! {
    async fn counts_are_of_what_readers_see(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let count = |key: &'static str| {
            let moderator = moderator.clone();
            async move { moderator.get(&format!("/v1/threads/{key}/count")).await.expect(200) }
        };
        assert_eq!(count("a").await, json!({"published": 0}), "no thread yet");
        let mut comments = Vec::new();
        for number in 0..4 {
            comments.push(site.comment("a", "awa", &remark(number)).await);
        }
        site.comment("a", "bob", THREAT).await;
        let accented = site.post("/v1/threads/%C3%A9t%C3%A9%2F1/comments", by("awa", CALM)).await.expect(201);
        app.other_site().comment("a", "awa", CALM).await;
        assert_eq!(count("a").await, json!({"published": 4}));
        moderator.decide(&comments[0], "hide").await.expect(201);
        site.delete(&path(&comments[1], "")).await.expect(204);
        site.edit(&comments[2], &format!("{THREAT} Vraiment.")).await;
        assert_eq!(count("a").await, json!({"published": 1}));
        assert_eq!(count("%C3%A9t%C3%A9%2F1").await, json!({"published": 1}));
        let counted = |client: Client, keys: Value| async move {
            client.post("/v1/counts", json!({"keys": keys})).await.expect(200)
        };
        let keys = json!([accented["thread"], "a", "nowhere", "a"]);
        assert_eq!(counted(site.clone(), keys).await, json!({"counts": {"a": 1, "nowhere": 0, "été/1": 1}}));
        assert_eq!(counted(site.clone(), json!([])).await, json!({"counts": {}}));
        assert_eq!(counted(moderator.clone(), json!(["a"])).await["counts"]["a"], 1);
        let many: Vec<String> = (0..500).map(|n| format!("t{n}")).collect();
        assert_eq!(counted(site.clone(), json!(many)).await["counts"].as_object().unwrap().len(), 500);
        let too_many: Vec<String> = (0..501).map(|n| format!("t{n}")).collect();
        for (body, field) in [
            (json!({"keys": too_many}), "keys"),
            (json!({"keys": ["a", "\n"]}), "keys[1]"),
            (json!({"keys": ["k".repeat(256)]}), "keys[0]"),
            (json!({"keys": "a"}), "keys"),
            (json!({}), "keys"),
            (json!({"keys": [], "site": SITE}), "site"),
        ] {
            assert_eq!(site.post("/v1/counts", body).await.invalid_fields(), [field]);
        }
        let both = app.bearer(Role::Site, "both", &[SITE, OTHER_SITE]);
        assert_eq!(both.post("/v1/counts", json!({"keys": ["a"]})).await.invalid_fields(), ["site"]);
        assert_eq!(both.get("/v1/threads/a/count").await.invalid_fields(), ["site"]);
        let there = both.post(&format!("/v1/counts?site={OTHER_SITE}"), json!({"keys": ["a"]})).await.expect(200);
        assert_eq!(there["counts"]["a"], 1);
        site.get(&format!("/v1/threads/a/count?site={OTHER_SITE}")).await.problem(404, "site-not-found");
    }
}
