//! The tree of a thread in memory: who is below whom, what may be seen, and in what order it is shown.

use std::collections::HashMap;

use super::{Listing, ReaderComment, ReaderSort};
use crate::{
    domain::{CommentId, Status},
    store::ListedComment,
};

/// The tree of a thread: who is below whom, and what may be seen.
pub(super) struct Tree {
    pub comments: Vec<ListedComment>,
    pub by_id: HashMap<CommentId, usize>,
    pub roots: Vec<usize>,
    pub replies: Vec<Vec<usize>>,
    /// The reader may see the comment itself.
    pub visible: Vec<bool>,
    /// It is shown: itself, or as a tombstone over something shown.
    pub shown: Vec<bool>,
}

impl Tree {
    /// Builds the tree of comments given in the order of time.
    pub fn new(comments: Vec<ListedComment>, listing: &Listing) -> Self {
        let by_id: HashMap<CommentId, usize> = comments
            .iter()
            .enumerate()
            .map(|(at, comment)| (comment.id, at))
            .collect();
        let mut roots = Vec::new();
        let mut replies = vec![Vec::new(); comments.len()];
        let siblings: Box<dyn Iterator<Item = usize>> = match listing.sort {
            ReaderSort::Oldest => Box::new(0..comments.len()),
            ReaderSort::Newest => Box::new((0..comments.len()).rev()),
        };
        for at in siblings {
            match comments[at].parent.and_then(|parent| by_id.get(&parent)) {
                Some(parent) => replies[*parent].push(at),
                None => roots.push(at),
            }
        }
        let visible: Vec<bool> = comments
            .iter()
            .map(|comment| match comment.status {
                Status::Published => true,
                Status::Pending => {
                    listing.all || listing.viewer.as_ref() == Some(&comment.author.id)
                }
                Status::Hidden => listing.all,
                Status::Deleted => false,
            })
            .collect();
        let mut shown = if listing.all {
            vec![true; comments.len()]
        } else {
            visible.clone()
        };
        // Deepest first, so that a reply is settled before the comment it answers.
        let mut by_depth: Vec<usize> = (0..comments.len()).collect();
        by_depth.sort_unstable_by_key(|at| std::cmp::Reverse(comments[*at].depth));
        for at in by_depth {
            if shown[at]
                && let Some(parent) = comments[at].parent.and_then(|id| by_id.get(&id))
            {
                shown[*parent] = true;
            }
        }
        Self {
            comments,
            by_id,
            roots,
            replies,
            visible,
            shown,
        }
    }

    /// Everything from these comments down, each before its replies, with its level below them.
    pub fn display_order(&self, from: &[usize]) -> Vec<(usize, usize)> {
        let mut order = Vec::with_capacity(self.comments.len());
        let mut stack: Vec<(usize, usize)> = from.iter().rev().map(|at| (*at, 0)).collect();
        while let Some((at, level)) = stack.pop() {
            order.push((at, level));
            stack.extend(
                self.replies[at]
                    .iter()
                    .rev()
                    .map(|reply| (*reply, level + 1)),
            );
        }
        order
    }

    pub fn shown_replies(&self, at: usize) -> usize {
        self.replies[at]
            .iter()
            .filter(|reply| self.shown[**reply])
            .count()
    }
}

/// Puts each comment into the replies of the one it answers, where that is on the same page.
pub(super) fn nest(page: Vec<ReaderComment>) -> Vec<ReaderComment> {
    let mut roots = Vec::new();
    // Comments whose replies may still follow: each answers the one before it.
    let mut open: Vec<ReaderComment> = Vec::new();
    let close = |open: &mut Vec<ReaderComment>, roots: &mut Vec<ReaderComment>| {
        if let Some(done) = open.pop() {
            match open.last_mut().and_then(|parent| parent.branches.as_mut()) {
                Some(branches) => branches.replies.push(done),
                None => roots.push(done),
            }
        }
    };
    for comment in page {
        while open
            .last()
            .is_some_and(|last| Some(last.id) != comment.parent_id)
        {
            close(&mut open, &mut roots);
        }
        open.push(comment);
    }
    while !open.is_empty() {
        close(&mut open, &mut roots);
    }
    roots
}
