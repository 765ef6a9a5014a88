//! What readers see of a thread: the tree in display order, a page at a time.
//!
//! A thread is read whole and its tree built in memory: at the sizes that threads have, that is faster than asking the
//! database for a tree. A page is the next `limit` comments in display order (each comment before its replies); a cursor
//! names the last comment shown, which keeps its place whatever is posted or hidden meanwhile.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    CommentView, Error, Moderation, Page, ReaderComment, ReaderSort, Thing,
    tree::{Tree, nest},
    view::{Assessed, Branches},
};
use crate::{
    domain::{
        AuthorId, Caller, CommentId, Cursor, InvalidCursor, Permission, Site, Status, ThreadId,
        ThreadKey,
    },
    store::{ListedComment, Lock, Scored},
};

/// The shape of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Replies inside the comments they answer.
    #[default]
    Tree,
    /// One after the other, with `parent_id` and `depth`.
    Flat,
}

/// Which comments of a thread to show, and how.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    pub view: View,
    pub sort: ReaderSort,
    /// How many levels below the first to show; `None` shows all.
    pub max_depth: Option<usize>,
    /// Only what hangs below this comment.
    pub parent: Option<CommentId>,
    /// Whose own pending comments are shown too.
    pub viewer: Option<AuthorId>,
    /// Every status, with scores: for moderators.
    pub all: bool,
    pub limit: usize,
    pub cursor: Option<String>,
}

/// Where a page ended.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    /// Below which comment.
    parent: Option<CommentId>,
    /// After which comment.
    after: Option<CommentId>,
    /// The `parent` of the listing that gave the cursor.
    given_for: Option<CommentId>,
}

impl Position {
    /// Whether a listing of `parent` may go on from here: it names none, the one that the cursor leads to, or the one it
    /// was given for.
    fn continues(&self, parent: Option<CommentId>) -> bool {
        parent.is_none() || parent == self.parent || parent == self.given_for
    }
}

/// What a cursor of a listing is bound to.
#[derive(Serialize)]
struct Bound<'a> {
    thread: ThreadId,
    view: View,
    sort: ReaderSort,
    viewer: Option<&'a AuthorId>,
    all: bool,
}

impl Moderation {
    /// One comment, whatever its status.
    ///
    /// # Errors
    /// When there is none of that id on the caller's sites, or its author deleted it.
    pub async fn comment(&self, caller: &Caller, id: CommentId) -> Result<CommentView, Error> {
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let comment = db
            .comment(id, Lock::None)
            .await?
            .ok_or(Error::NotFound(Thing::Comment))?;
        Self::require_site(&mut db, caller, comment.site, Thing::Comment).await?;
        if comment.status == Status::Deleted {
            return Err(Error::Gone);
        }
        Ok(comment.into())
    }

    /// A page of a thread as readers see it.
    ///
    /// # Errors
    /// When there is no such thread, the cursor is of another listing, or the caller may not see every status.
    #[tracing::instrument(skip_all, fields(site = %site.slug))]
    pub async fn list_comments(
        &self,
        caller: &Caller,
        site: &Site,
        key: &ThreadKey,
        listing: &Listing,
    ) -> Result<Page<ReaderComment>, Error> {
        if listing.all && !caller.role.may(Permission::Moderate) {
            return Err(Error::AllForbidden);
        }
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let thread = db
            .thread_by_key(site.id, key, Lock::None)
            .await?
            .ok_or(Error::NotFound(Thing::Thread))?;
        let comments = db.comments_of_thread(thread.id).await?;
        let scored = if listing.all {
            db.scores_of_thread(thread.id).await?
        } else {
            Vec::new()
        };
        drop(conn);
        let bound = Bound {
            thread: thread.id,
            view: listing.view,
            sort: listing.sort,
            viewer: listing.viewer.as_ref(),
            all: listing.all,
        };
        page(comments, scored, listing, &bound, key)
    }
}

fn page(
    comments: Vec<ListedComment>,
    scored: Vec<(CommentId, Scored)>,
    listing: &Listing,
    bound: &Bound<'_>,
    thread: &ThreadKey,
) -> Result<Page<ReaderComment>, Error> {
    let position = match listing.cursor.as_deref() {
        Some(cursor) => Cursor::read::<_, Position>(cursor, bound)?,
        None => Position {
            parent: listing.parent,
            after: None,
            given_for: None,
        },
    };
    if !position.continues(listing.parent) {
        return Err(InvalidCursor.into());
    }
    let tree = Tree::new(comments, listing);
    let first_level = match position.parent {
        None => &tree.roots,
        Some(parent) => {
            let at = tree
                .by_id
                .get(&parent)
                .ok_or(Error::NotFound(Thing::Parent))?;
            &tree.replies[*at]
        }
    };
    let order = tree.display_order(first_level);
    let begin = match position.after {
        None => 0,
        Some(after) => order
            .iter()
            .position(|(at, _)| tree.comments[*at].id == after)
            .map_or(order.len(), |at| at + 1),
    };
    let mut to_show = order[begin..].iter().copied().filter(|(at, level)| {
        tree.shown[*at] && listing.max_depth.is_none_or(|deepest| *level <= deepest)
    });
    let taken: Vec<(usize, usize)> = to_show.by_ref().take(listing.limit).collect();
    let more = to_show.next().is_some();
    let cursor = |parent, after| {
        let position = Position {
            parent,
            after,
            given_for: listing.parent,
        };
        Cursor::new(bound, &position)
    };
    let next_cursor = taken
        .last()
        .filter(|_| more)
        .map(|(at, _)| cursor(position.parent, Some(tree.comments[*at].id)));

    let branches: Vec<Option<Branches>> = taken
        .iter()
        .map(|(at, level)| {
            (listing.view == View::Tree).then(|| {
                let reply_count = tree.shown_replies(*at);
                let cut = reply_count > 0 && listing.max_depth == Some(*level);
                Branches {
                    reply_count,
                    replies: Vec::new(),
                    replies_cursor: cut.then(|| cursor(Some(tree.comments[*at].id), None)),
                }
            })
        })
        .collect();
    let Tree {
        comments, visible, ..
    } = tree;
    let mut scored: HashMap<CommentId, Scored> = scored.into_iter().collect();
    let mut comments: Vec<Option<ListedComment>> = comments.into_iter().map(Some).collect();
    let shown = taken
        .iter()
        .zip(branches)
        .filter_map(|((at, _), branches)| {
            let comment = comments[*at].take()?;
            let assessment = scored.remove(&comment.id).map(Assessed::from);
            let shown = ReaderComment::new(thread, comment, visible[*at]);
            Some(ReaderComment {
                assessment,
                branches,
                ..shown
            })
        })
        .collect();
    let items = match listing.view {
        View::Flat => shown,
        View::Tree => nest(shown),
    };
    Ok(Page { items, next_cursor })
}
