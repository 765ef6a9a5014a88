//! Is this text a copy of an earlier one? Looked for within the site, never across sites.

use uuid::Uuid;

use crate::{
    classifier::Fingerprint,
    domain::{CommentId, DuplicateKind, DuplicateOf, MIN_DUPLICATE_CHARS, Score, SiteId},
    store::{Db, Fingerprinted, StoreError, StoredSignature},
};

/// What is known of a text's copies, and what to store of it.
pub(super) struct Copies {
    pub duplicate_of: Option<DuplicateOf>,
    /// A human approved one of them.
    pub approved: bool,
    /// The cluster the text joins or begins; `None` for a text too short to be a copy of anything.
    pub cluster: Option<Uuid>,
    bands: Vec<i64>,
}

/// Looks up the copies of a text, holding it so that a twin arriving at the same moment waits and sees this one.
pub(super) async fn find(
    db: &mut Db<'_>,
    site: SiteId,
    fingerprint: &Fingerprint,
) -> Result<Copies, StoreError> {
    if fingerprint.chars() < MIN_DUPLICATE_CHARS {
        return Ok(Copies {
            duplicate_of: None,
            approved: false,
            cluster: None,
            bands: Vec::new(),
        });
    }
    db.lock_text(site, fingerprint.exact()).await?;
    let exact = db.cluster_of_exact(site, fingerprint.exact()).await?;
    let bands = if exact.is_some() {
        Vec::new()
    } else {
        site_bands(site, fingerprint)
    };
    let known = match exact {
        Some(cluster) => Some(cluster),
        None => nearest(&db.near_candidates(site, &bands).await?, fingerprint),
    };
    let Some(cluster) = known else {
        return Ok(Copies {
            duplicate_of: None,
            approved: false,
            cluster: Some(Uuid::now_v7()),
            bands,
        });
    };
    let facts = db.cluster_facts(cluster).await?;
    Ok(Copies {
        duplicate_of: facts
            .oldest
            .as_ref()
            .map(|oldest| compare(fingerprint, oldest)),
        approved: facts.approved,
        cluster: Some(cluster),
        bands,
    })
}

/// Stores the fingerprint of a comment whose copies were looked up.
pub(super) async fn remember(
    db: &mut Db<'_>,
    site: SiteId,
    comment: CommentId,
    fingerprint: &Fingerprint,
    copies: &Copies,
) -> Result<(), StoreError> {
    let Some(cluster) = copies.cluster else {
        return Ok(());
    };
    db.insert_fingerprint(&Fingerprinted {
        comment,
        site,
        exact: fingerprint.exact(),
        signature: &fingerprint.to_bytes(),
        bands: &copies.bands,
        cluster,
    })
    .await
}

/// The bands of a text with the site mixed in, so that sites do not meet in a bucket.
fn site_bands(site: SiteId, fingerprint: &Fingerprint) -> Vec<i64> {
    let salt = site.salt();
    fingerprint.bands().iter().map(|band| band ^ salt).collect()
}

/// The cluster of the most alike candidate, if it is alike enough.
fn nearest(candidates: &[StoredSignature], fingerprint: &Fingerprint) -> Option<Uuid> {
    candidates
        .iter()
        .map(|candidate| (similarity(fingerprint, candidate), candidate.cluster_id))
        .filter(|(similarity, _)| *similarity >= Fingerprint::NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, cluster)| cluster)
}

fn similarity(fingerprint: &Fingerprint, stored: &StoredSignature) -> f32 {
    Fingerprint::from_bytes(stored.exact, MIN_DUPLICATE_CHARS, &stored.signature)
        .map_or(0.0, |other| fingerprint.similarity(&other))
}

fn compare(fingerprint: &Fingerprint, oldest: &StoredSignature) -> DuplicateOf {
    let exact = oldest.exact == fingerprint.exact();
    DuplicateOf {
        id: CommentId(oldest.comment_id),
        kind: if exact {
            DuplicateKind::Exact
        } else {
            DuplicateKind::Near
        },
        similarity: if exact {
            Score::clamped(1.0)
        } else {
            Score::clamped(similarity(fingerprint, oldest))
        },
    }
}
