//! A day at a site: readers post, and moderators decide.

use serde_json::json;

use super::client::Client;

/// Readers post these comments, fifteen to a thread; moderators hide the rude ones and approve the others.
pub async fn busy(reader: &Client, moderator: &Client, comments: Vec<(String, bool)>) {
    let mut decisions = Vec::new();
    for (n, (body, rude)) in comments.into_iter().enumerate() {
        let author = json!({"id": format!("u{}", n % 7), "name": "U"});
        let path = format!("/v1/threads/t{}/comments", n / 15);
        let comment = json!({"body": body, "author": author});
        let posted = reader.posted(&path, comment).await;
        let mut decision =
            json!({"comment_id": posted["id"], "version": posted["version"], "action": "approve"});
        if rude {
            decision["action"] = "hide".into();
            decision["reason"] = "abusive".into();
        }
        decisions.push(decision);
    }
    for batch in decisions.chunks(100) {
        let batch = json!({"decisions": batch});
        moderator.posted("/v1/decisions:batch", batch).await;
    }
}
