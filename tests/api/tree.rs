//! What readers see of a thread: the tree, the flat list, and their pages.

use std::collections::HashSet;

use palabre::domain::Role;
use serde_json::{Value, json};

use crate::harness::{App, Client, SITE, THREAT, id, ids, on_each_database, remark, with_cursor};

/// Comments of a page in the order of display, whatever the view.
fn in_display_order(items: &Value) -> Vec<&Value> {
    let mut order = Vec::new();
    for item in items.as_array().expect("it is a list") {
        order.push(item);
        if let Some(replies) = item.get("replies") {
            order.extend(in_display_order(replies));
        }
    }
    order
}

fn ids_in_display_order(page: &Value) -> Vec<String> {
    in_display_order(&page["items"])
        .into_iter()
        .map(|item| id(item).to_owned())
        .collect()
}

/// Posts a thread: each comment is the number of the one it answers, counted from 1, or 0 for none.
async fn grow(site: &Client, thread: &str, parents: &[usize]) -> Vec<Value> {
    let mut comments: Vec<Value> = Vec::new();
    for (at, parent) in parents.iter().enumerate() {
        let text = remark(at + 1);
        let comment = match parent {
            0 => site.comment(thread, "awa", &text).await,
            parent => site.reply(&comments[parent - 1], "bob", &text).await,
        };
        assert_eq!(comment["status"], "published", "{comment:#}");
        comments.push(comment);
    }
    comments
}

/// The numbers of comments, for reading a failure.
fn numbers(comments: &[Value], ids: &[String]) -> Vec<usize> {
    ids.iter()
        .map(|one| {
            1 + comments
                .iter()
                .position(|comment| id(comment) == one)
                .unwrap()
        })
        .collect()
}

on_each_database! {
    async fn both_views_in_both_orders(app: App) {
        let site = app.site();
        //             1  2  3  4  5  6  7
        let parents = [0, 0, 1, 1, 3, 2, 5];
        let comments = grow(&site, "a", &parents).await;
        for (query, order) in [
            ("view=tree", [1, 3, 5, 7, 4, 2, 6]),
            ("view=tree&sort=newest", [2, 6, 1, 4, 3, 5, 7]),
            ("view=flat&sort=oldest", [1, 3, 5, 7, 4, 2, 6]),
            ("view=flat&sort=newest", [2, 6, 1, 4, 3, 5, 7]),
        ] {
            let page = site.get(&format!("/v1/threads/a/comments?{query}")).await.expect(200);
            assert_eq!(numbers(&comments, &ids_in_display_order(&page)), order, "{query}");
            assert_eq!(page["next_cursor"], json!(null));
            for shown in in_display_order(&page["items"]) {
                let number = numbers(&comments, &[id(shown).to_owned()])[0];
                let stored = &comments[number - 1];
                for field in ["body", "author", "parent_id", "depth", "status", "version", "created_at"] {
                    assert_eq!(shown[field], stored[field], "{field}");
                }
                for secret in ["scores", "reasons", "duplicate_of", "model"] {
                    assert!(shown.get(secret).is_none(), "readers do not see {secret}");
                }
                let direct = parents.iter().filter(|parent| **parent == number).count();
                if query.contains("tree") {
                    assert_eq!(shown["reply_count"], direct);
                    assert_eq!(shown["replies"].as_array().unwrap().len(), direct);
                } else {
                    assert!(shown.get("replies").is_none() && shown.get("reply_count").is_none());
                }
            }
        }
        let default = site.get("/v1/threads/a/comments").await.expect(200);
        let tree = site.get("/v1/threads/a/comments?view=tree&sort=oldest&max_depth=10&limit=200").await.expect(200);
        assert_eq!(default, tree);
    }
}

on_each_database! {
    async fn below_one_comment(app: App) {
        let site = app.site();
        let comments = grow(&site, "a", &[0, 1, 2, 1, 0]).await;
        let listing = |parent: &Value, more: &str| {
            let path = format!("/v1/threads/a/comments?parent={}{more}", id(parent));
            let site = site.clone();
            async move { site.get(&path).await }
        };
        for view in ["&view=flat", "&view=tree"] {
            let page = listing(&comments[0], view).await.expect(200);
            assert_eq!(numbers(&comments, &ids_in_display_order(&page)), [2, 3, 4]);
        }
        assert_eq!(listing(&comments[4], "").await.expect(200)["items"], json!([]));
        let elsewhere = site.comment("b", "awa", "Ailleurs.").await;
        listing(&elsewhere, "").await.problem(404, "parent-not-found");
        assert_eq!(site.get("/v1/threads/a/comments?parent=x").await.invalid_fields(), ["parent"]);
    }
}

/// Follows every `replies_cursor` below these comments, with `query` of the comment cut off, and answers the whole tree in
/// display order.
async fn whole_tree(
    site: &Client,
    items: &Value,
    query: &(dyn Fn(&Value) -> String + Sync),
) -> Vec<String> {
    let mut order = Vec::new();
    for item in items.as_array().unwrap() {
        order.push(id(item).to_owned());
        order.extend(Box::pin(whole_tree(site, &item["replies"], query)).await);
        let Some(cursor) = item["replies_cursor"].as_str() else {
            let here = item["replies"].as_array().unwrap().len();
            assert_eq!(
                item["reply_count"], here,
                "what is not here is behind a cursor"
            );
            continue;
        };
        assert_eq!(item["replies"], json!([]));
        let path = format!("/v1/threads/a/comments?max_depth=1{}", query(item));
        let page = site.get(&with_cursor(&path, cursor)).await.expect(200);
        assert_eq!(item["reply_count"], page["items"].as_array().unwrap().len());
        order.extend(Box::pin(whole_tree(site, &page["items"], query)).await);
    }
    order
}

on_each_database! {
    async fn what_max_depth_cuts_is_behind_a_cursor(app: App) {
        let site = app.site();
        let comments = grow(&site, "a", &[0, 1, 2, 3, 4, 2, 3, 0, 8, 4, 9, 11]).await;
        let shallow = site.get("/v1/threads/a/comments?max_depth=0").await.expect(200);
        assert_eq!(numbers(&comments, &ids_in_display_order(&shallow)), [1, 8]);
        let whole = site.get("/v1/threads/a/comments").await.expect(200);
        let whole = ids_in_display_order(&whole);
        assert_eq!(whole.len(), comments.len());
        // By the cursor alone, and with the comment it was cut at.
        let alone = |_: &Value| String::new();
        let its_own = |cut: &Value| format!("&parent={}", id(cut));
        let page = site.get("/v1/threads/a/comments?max_depth=1").await.expect(200);
        for query in [&alone as &(dyn Fn(&Value) -> String + Sync), &its_own] {
            let walked = whole_tree(&site, &page["items"], query).await;
            assert_eq!(numbers(&comments, &walked), numbers(&comments, &whole));
        }
        // And where the listing was of one comment's replies, with the parameters that it began with.
        let top = format!("&parent={}", id(&comments[0]));
        let page = site.get(&format!("/v1/threads/a/comments?max_depth=1{top}")).await.expect(200);
        let walked = whole_tree(&site, &page["items"], &|_| top.clone()).await;
        assert_eq!(numbers(&comments, &walked), [2, 3, 4, 5, 10, 7, 6]);
        // A flat list is cut too, and says where each comment hangs.
        let flat = site.get("/v1/threads/a/comments?view=flat&max_depth=1").await.expect(200);
        assert_eq!(numbers(&comments, &ids(&flat, "/id")), [1, 2, 8, 9]);
    }
}

on_each_database! {
    async fn a_deep_chain_can_be_walked_to_its_end(app: App) {
        let site = app.site();
        let mut parents = vec![0];
        parents.extend(1..=200);
        let comments = grow(&site, "a", &parents).await;
        for depth in [1, 10, 60] {
            let mut walked = Vec::new();
            let mut path = format!("/v1/threads/a/comments?max_depth={depth}");
            let mut pages = 0;
            loop {
                // An answer that serde_json cannot parse, being nested too deep, is no list and fails here.
                let page = site.get(&path).await.expect(200);
                pages += 1;
                let shown = in_display_order(&page["items"]);
                assert!(shown.len() <= depth + 1);
                walked.extend(shown.iter().map(|comment| id(comment).to_owned()));
                let Some(cursor) = shown.last().unwrap()["replies_cursor"].as_str() else {
                    break;
                };
                path = format!("/v1/threads/a/comments?max_depth={depth}&cursor={cursor}");
            }
            assert_eq!(numbers(&comments, &walked), (1..=201).collect::<Vec<_>>());
            assert_eq!(pages, 201_usize.div_ceil(depth + 1));
        }
        let moderator = app.moderator("binta");
        let page = moderator.get("/v1/threads/a/comments?max_depth=60&status=all").await.expect(200);
        assert_eq!(ids_in_display_order(&page).len(), 61, "with scores and reasons it parses too");
    }
}

on_each_database! {
    async fn pages_show_every_comment_once_whatever_happens_meanwhile(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        for (view, sort, limit) in [
            ("tree", "oldest", 1),
            ("tree", "newest", 3),
            ("flat", "oldest", 3),
            ("flat", "newest", 2),
        ] {
            let thread = format!("{view}-{sort}");
            let comments = grow(&site, &thread, &[0, 1, 2, 3, 2, 0, 6, 6, 8, 0, 0, 11, 11]).await;
            let path = format!("/v1/threads/{thread}/comments?view={view}&sort={sort}");
            let at_once = ids_in_display_order(&site.get(&path).await.expect(200));
            assert_eq!(at_once.len(), comments.len());

            let paged = format!("{path}&limit={limit}");
            let mut next = paged.clone();
            let mut seen: Vec<String> = Vec::new();
            let mut posted = 0;
            loop {
                let page = site.get(&next).await.expect(200);
                let shown = ids_in_display_order(&page);
                assert!(shown.len() <= limit);
                seen.extend(shown.iter().cloned());
                let Some(cursor) = page["next_cursor"].as_str() else {
                    break;
                };
                assert_eq!(shown.len(), limit, "a page with a next one is full");
                next = with_cursor(&paged, cursor);
                // Meanwhile: a new comment, a reply to the first, and the last one shown is taken away.
                let last = shown.last().unwrap();
                let last = site.get(&format!("/v1/comments/{last}")).await.expect(200);
                if posted < 6 {
                    site.comment(&thread, "cheick", &remark(100 + posted)).await;
                    site.reply(&last, "cheick", &remark(200 + posted)).await;
                }
                posted += 1;
                moderator.decide(&last, "hide").await.expect(201);
            }
            let unique: HashSet<&String> = seen.iter().collect();
            assert_eq!(unique.len(), seen.len(), "{path}: nothing is shown twice");
            let old: Vec<String> = seen
                .into_iter()
                .filter(|one| at_once.contains(one))
                .collect();
            assert_eq!(numbers(&comments, &old), numbers(&comments, &at_once), "{path}");
        }
    }
}

on_each_database! {
    async fn what_readers_may_not_see_is_a_tombstone_over_what_they_may(app: App) {
        let (site, moderator) = (app.site(), app.moderator("binta"));
        let hidden = site.comment("a", "awa", "Un mot de trop.").await;
        let below_hidden = site.reply(&hidden, "bob", "Je ne suis pas d'accord.").await;
        moderator.decide(&hidden, "hide").await.expect(201);
        let pending = site.comment("a", "cheick", THREAT).await;
        let below_pending = site.reply(&pending, "bob", "Calme-toi, mon frère.").await;
        let leaf = site.comment("a", "awa", "Une feuille.").await;
        moderator.decide(&leaf, "hide").await.expect(201);
        let pending_leaf = site.reply(&below_hidden, "cheick", THREAT).await;
        assert_eq!(pending_leaf["status"], "pending");

        let flat = "/v1/threads/a/comments?view=flat";
        let page = site.get(flat).await.expect(200);
        assert_eq!(
            ids(&page, "/id"),
            [id(&hidden), id(&below_hidden), id(&pending), id(&below_pending)]
        );
        for (at, status) in [(0, "hidden"), (2, "pending")] {
            let tombstone = &page["items"][at];
            assert_eq!(tombstone["status"], status);
            assert_eq!((&tombstone["body"], &tombstone["author"]), (&json!(null), &json!(null)));
        }
        assert_eq!(page["items"][1]["author"]["name"], "bob");
        let tree = site.get("/v1/threads/a/comments").await.expect(200);
        assert_eq!(ids_in_display_order(&tree), ids(&page, "/id"));
        assert_eq!(tree["items"][0]["reply_count"], 1);
        assert_eq!(tree["items"][0]["replies"][0]["reply_count"], 0, "what is not shown is not counted");

        // Cheick sees what he wrote, marked; Awa's hidden comment is gone for her too.
        let his = site.get(&format!("{flat}&viewer=cheick")).await.expect(200);
        assert_eq!(
            ids(&his, "/id"),
            [id(&hidden), id(&below_hidden), id(&pending_leaf), id(&pending), id(&below_pending)]
        );
        assert_eq!(his["items"][2]["body"], THREAT);
        assert_eq!(his["items"][2]["status"], "pending");
        assert_eq!(his["items"][3]["author"]["id"], "cheick");
        assert_eq!(his["items"][0]["body"], json!(null));
        assert_eq!(ids(&site.get(&format!("{flat}&viewer=awa")).await.expect(200), "/id"), ids(&page, "/id"));

        // Moderators see all of it, and why.
        let all = moderator.get(&format!("{flat}&status=all")).await.expect(200);
        assert_eq!(all["items"].as_array().unwrap().len(), 6);
        for shown in all["items"].as_array().unwrap() {
            let stored = site.get(&format!("/v1/comments/{}", id(shown))).await.expect(200);
            for field in ["body", "author", "scores", "reasons", "duplicate_of", "model", "decision"] {
                assert_eq!(shown[field], stored[field], "{field}");
            }
        }
        site.get(&format!("{flat}&status=all")).await.problem(403, "forbidden");
        assert_eq!(site.get(&format!("{flat}&status=hidden")).await.invalid_fields(), ["status"]);
        let readers = moderator.get(flat).await.expect(200);
        assert_eq!(readers, page, "without status=all a moderator sees what readers see");
    }
}

on_each_database! {
    async fn a_bad_parameter_is_named(app: App) {
        let site = app.site();
        grow(&site, "a", &[0, 1, 2, 0, 0]).await;
        grow(&site, "b", &[0, 0]).await;
        for (query, field) in [
            ("view=list", "view"),
            ("sort=best", "sort"),
            ("limit=0", "limit"),
            ("limit=-1", "limit"),
            ("limit=10001", "limit"),
            ("limit=many", "limit"),
            ("max_depth=61", "max_depth"),
            ("max_depth=-1", "max_depth"),
            ("view=flat&max_depth=256", "max_depth"),
            ("parent=1", "parent"),
            ("viewer=a%00b", "viewer"),
            ("cursor=garbage", "cursor"),
            ("cursor=AAAA", "cursor"),
            ("cursor=%F0%9F%99%82", "cursor"),
        ] {
            let fields = site.get(&format!("/v1/threads/a/comments?{query}")).await.invalid_fields();
            assert_eq!(fields, [field], "{query}");
        }
        for fine in ["limit=10000", "max_depth=60", "max_depth=0", "limit=1", "view=flat&max_depth=255"] {
            site.get(&format!("/v1/threads/a/comments?{fine}")).await.expect(200);
        }

        // A cursor is good for its own listing only.
        let page = site.get("/v1/threads/a/comments?limit=1").await.expect(200);
        let cursor = page["next_cursor"].as_str().unwrap();
        site.get(&format!("/v1/threads/a/comments?cursor={cursor}")).await.expect(200);
        let cut = site.get("/v1/threads/a/comments?max_depth=1").await.expect(200);
        let replies = cut["items"][0]["replies"][0]["replies_cursor"].as_str().unwrap();
        let other = id(&cut["items"][0]);
        for path in [
            format!("/v1/threads/b/comments?cursor={cursor}"),
            format!("/v1/threads/a/comments?view=flat&cursor={cursor}"),
            format!("/v1/threads/a/comments?sort=newest&cursor={cursor}"),
            format!("/v1/threads/a/comments?viewer=awa&cursor={cursor}"),
            format!("/v1/threads/b/comments?cursor={replies}"),
            format!("/v1/threads/a/comments?sort=newest&cursor={replies}"),
            format!("/v1/threads/a/comments?parent={other}&cursor={cursor}"),
            format!("/v1/threads/a/comments?parent={other}&cursor={replies}"),
        ] {
            assert_eq!(site.get(&path).await.invalid_fields(), ["cursor"], "{path}");
        }
        let moderator = app.bearer(Role::Moderator, "binta", &[SITE]);
        let all = format!("/v1/threads/a/comments?status=all&cursor={cursor}");
        assert_eq!(moderator.get(&all).await.invalid_fields(), ["cursor"]);
        for at in [0, cursor.len() / 2, cursor.len() - 1] {
            let by = if &cursor[at..=at] == "A" { "B" } else { "A" };
            let changed = format!("{}{by}{}", &cursor[..at], &cursor[at + 1..]);
            let path = format!("/v1/threads/a/comments?cursor={changed}");
            assert_eq!(site.get(&path).await.invalid_fields(), ["cursor"], "{at}");
        }
    }
}
