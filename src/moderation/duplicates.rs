//! Is this text a copy of an earlier one? Looked for within the site, never across sites.
//!
//! Copies are looked up for all the texts of a transaction at once; what the transaction itself adds is compared in
//! memory, so that copies which arrive together find one another too.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    classifier::Fingerprint,
    domain::{CommentId, DuplicateKind, DuplicateOf, MIN_DUPLICATE_CHARS, Score, SiteId},
    store::{ClusterFacts, Db, Fingerprinted, StoreError, StoredSignature},
};

/// What is known of a text's copies.
pub(super) struct Found {
    pub duplicate_of: Option<DuplicateOf>,
    /// A human approved one of them.
    pub approved: bool,
    /// The cluster the text joins or begins; `None` for a text too short to be a copy of anything.
    pub cluster: Option<Uuid>,
    /// Where near copies of it will look; none for an exact copy, which is found with the first.
    bands: Vec<i64>,
}

/// The cluster of a text that the database knows.
#[derive(Clone, Copy)]
struct Known {
    cluster: Uuid,
    /// By the same text, not a similar one.
    exact: bool,
}

/// A text that this transaction adds.
struct Added {
    comment: CommentId,
    site: SiteId,
    fingerprint: Fingerprint,
    cluster: Uuid,
}

/// The copies of the texts of one transaction.
pub(super) struct Copies {
    known: Vec<Option<Known>>,
    facts: HashMap<Uuid, ClusterFacts>,
    added: Vec<Added>,
    /// Positions in `added`, by the bands of those that have any.
    by_band: HashMap<i64, Vec<usize>>,
}

/// The number by which twins of a text lock one another out, if it is long enough to have any.
pub(super) fn lock_number(site: SiteId, fingerprint: &Fingerprint) -> Option<i64> {
    may_repeat(fingerprint).then(|| fingerprint.exact() ^ site.salt())
}

const fn may_repeat(fingerprint: &Fingerprint) -> bool {
    fingerprint.chars() >= MIN_DUPLICATE_CHARS
}

impl Copies {
    /// Looks the copies of these texts up. `without` is no copy of itself.
    pub async fn read(
        db: &mut Db<'_>,
        texts: &[(SiteId, &Fingerprint)],
        without: Option<CommentId>,
    ) -> Result<Self, StoreError> {
        let mut known: Vec<Option<Known>> = vec![None; texts.len()];
        let long: Vec<usize> = (0..texts.len())
            .filter(|at| may_repeat(texts[*at].1))
            .collect();
        let exact: Vec<_> = long
            .iter()
            .map(|at| (texts[*at].0, texts[*at].1.exact()))
            .collect();
        for (position, cluster) in db.clusters_of_exact(&exact).await? {
            known[long[position]] = Some(Known {
                cluster,
                exact: true,
            });
        }
        let bands: Vec<(usize, i64)> = long
            .iter()
            .filter(|at| known[**at].is_none())
            .flat_map(|at| {
                let (site, fingerprint) = texts[*at];
                let probes = in_site(site, fingerprint.probes());
                probes.map(|band| (*at, band))
            })
            .collect();
        let candidates = db.near_candidates(&bands).await?;
        for of_one in candidates.chunk_by(|(a, _), (b, _)| a == b) {
            let at = of_one[0].0;
            let (site, fingerprint) = texts[at];
            let alike = of_one
                .iter()
                .map(|(_, candidate)| candidate)
                .filter(|candidate| {
                    candidate.site_id == site.0
                        && without.is_none_or(|own| own.0 != candidate.comment_id)
                });
            known[at] = nearest(alike, fingerprint).map(|cluster| Known {
                cluster,
                exact: false,
            });
        }
        let mut clusters: Vec<Uuid> = known.iter().flatten().map(|known| known.cluster).collect();
        clusters.sort_unstable();
        clusters.dedup();
        let facts = db.cluster_facts(&clusters, without).await?;
        Ok(Self {
            known,
            facts: clusters.into_iter().zip(facts).collect(),
            added: Vec::new(),
            by_band: HashMap::new(),
        })
    }

    /// The copies of the text at that position of those looked up.
    pub fn find(&self, at: usize, site: SiteId, fingerprint: &Fingerprint) -> Found {
        if !may_repeat(fingerprint) {
            return Found {
                duplicate_of: None,
                approved: false,
                cluster: None,
                bands: Vec::new(),
            };
        }
        let known = self.known[at];
        let twin = self
            .added
            .iter()
            .find(|added| added.site == site && added.fingerprint.exact() == fingerprint.exact());
        let bands = if twin.is_some() || known.is_some_and(|known| known.exact) {
            Vec::new()
        } else {
            in_site(site, fingerprint.bands()).collect()
        };
        let cluster = known
            .map(|known| known.cluster)
            .or_else(|| twin.map(|twin| twin.cluster))
            .or_else(|| self.nearest_added(site, fingerprint));
        let Some(cluster) = cluster else {
            return Found {
                duplicate_of: None,
                approved: false,
                cluster: Some(Uuid::now_v7()),
                bands,
            };
        };
        let facts = self.facts.get(&cluster);
        let oldest = facts.and_then(|facts| facts.oldest.as_ref());
        let duplicate_of = match oldest {
            Some((id, exact, signature)) => {
                Fingerprint::from_bytes(*exact, MIN_DUPLICATE_CHARS, signature)
                    .ok()
                    .map(|oldest| compare(fingerprint, *id, &oldest))
            }
            None => self
                .added
                .iter()
                .find(|added| added.cluster == cluster)
                .map(|oldest| compare(fingerprint, oldest.comment, &oldest.fingerprint)),
        };
        Found {
            duplicate_of,
            approved: facts.is_some_and(|facts| facts.approved),
            cluster: Some(cluster),
            bands,
        }
    }

    /// Takes note of a comment whose copies were found, for those after it. What to store of it.
    pub fn add(
        &mut self,
        comment: CommentId,
        site: SiteId,
        fingerprint: &Fingerprint,
        found: Found,
    ) -> Option<Fingerprinted> {
        let cluster = found.cluster?;
        for band in &found.bands {
            self.by_band
                .entry(*band)
                .or_default()
                .push(self.added.len());
        }
        self.added.push(Added {
            comment,
            site,
            fingerprint: fingerprint.clone(),
            cluster,
        });
        Some(Fingerprinted {
            comment,
            site,
            exact: fingerprint.exact(),
            signature: fingerprint.to_bytes().to_vec(),
            bands: found.bands,
            cluster,
        })
    }

    fn nearest_added(&self, site: SiteId, fingerprint: &Fingerprint) -> Option<Uuid> {
        let mut shared: Vec<usize> = in_site(site, fingerprint.probes())
            .filter_map(|band| self.by_band.get(&band))
            .flatten()
            .copied()
            .collect();
        shared.sort_unstable();
        shared.dedup();
        shared
            .into_iter()
            .map(|at| &self.added[at])
            .filter(|added| added.site == site)
            .map(|added| (fingerprint.similarity(&added.fingerprint), added.cluster))
            .filter(|(similarity, _)| *similarity >= Fingerprint::NEAR)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, cluster)| cluster)
    }
}

/// Keys of bands with the site mixed in, so that sites do not meet in a bucket.
fn in_site(site: SiteId, bands: impl IntoIterator<Item = i64>) -> impl Iterator<Item = i64> {
    let salt = site.salt();
    bands.into_iter().map(move |band| band ^ salt)
}

/// The cluster of the most alike candidate, if it is alike enough.
fn nearest<'a>(
    candidates: impl Iterator<Item = &'a StoredSignature>,
    fingerprint: &Fingerprint,
) -> Option<Uuid> {
    candidates
        .filter_map(|candidate| {
            let other = stored(candidate)?;
            Some((fingerprint.similarity(&other), candidate.cluster_id))
        })
        .filter(|(similarity, _)| *similarity >= Fingerprint::NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, cluster)| cluster)
}

fn stored(signature: &StoredSignature) -> Option<Fingerprint> {
    Fingerprint::from_bytes(signature.exact, MIN_DUPLICATE_CHARS, &signature.signature).ok()
}

fn compare(fingerprint: &Fingerprint, id: CommentId, oldest: &Fingerprint) -> DuplicateOf {
    let exact = oldest.exact() == fingerprint.exact();
    DuplicateOf {
        id,
        kind: if exact {
            DuplicateKind::Exact
        } else {
            DuplicateKind::Near
        },
        similarity: Score::clamped(if exact {
            1.0
        } else {
            fingerprint.similarity(oldest)
        }),
    }
}

/// Forgets the text of a comment that is being replaced. Where other copies of it stay, the next of them takes over
/// the bands, so that near copies are still found.
pub(super) async fn forget(
    db: &mut Db<'_>,
    site: SiteId,
    comment: CommentId,
) -> Result<(), StoreError> {
    let Some(old) = db.fingerprint_of(comment).await? else {
        return Ok(());
    };
    let bands: Vec<i64> = stored(&old)
        .map(|old| in_site(site, old.bands()).collect())
        .unwrap_or_default();
    db.delete_fingerprint(comment, &bands).await?;
    db.hand_bands_on(site, old.exact, &bands).await
}
