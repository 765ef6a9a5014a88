//! Is this text a copy of an earlier one? Looked for within the site, never across sites.
//!
//! Copies are looked up for all the texts of a transaction at once; what the transaction itself adds is compared in
//! memory, so that copies which arrive together find one another too.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    classifier::{Anchors, Fingerprint, Signature},
    domain::{CommentId, DuplicateKind, DuplicateOf, MIN_DUPLICATE_CHARS, Score, SiteId},
    store::{ClusterFacts, Db, Fingerprinted, Place, StoreError, StoredSignature},
};

/// What is known of a text's copies.
pub(super) struct Found {
    pub duplicate_of: Option<DuplicateOf>,
    /// A human approved one of them.
    pub approved: bool,
    /// A human hid one of them.
    pub hidden: bool,
    /// The cluster the text joins or begins; `None` for a text too short to be a copy of anything.
    pub cluster: Option<Uuid>,
    /// Where near copies of it will look; none for an exact copy, which is found with the first.
    place: Option<Place>,
}

/// The cluster of a text that the database knows.
#[derive(Clone, Copy)]
struct Known {
    cluster: Uuid,
    /// By the same text, whose place is held already: by one of this text, not a similar one.
    has_place: bool,
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
    fingerprint.chars() >= MIN_DUPLICATE_CHARS && !fingerprint.is_common()
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
        for seen in db.clusters_of_exact(&exact).await? {
            known[long[seen.at]] = Some(Known {
                cluster: seen.cluster,
                has_place: seen.has_place,
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
                has_place: false,
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
                hidden: false,
                cluster: None,
                place: None,
            };
        }
        let known = self.known[at];
        let twin = self
            .added
            .iter()
            .find(|added| added.site == site && added.fingerprint.exact() == fingerprint.exact());
        let held = twin.is_some() || known.is_some_and(|known| known.has_place);
        let place = (!held).then(|| place(site, fingerprint.anchors()));
        let cluster = known
            .map(|known| known.cluster)
            .or_else(|| twin.map(|twin| twin.cluster))
            .or_else(|| self.nearest_added(site, fingerprint));
        let Some(cluster) = cluster else {
            return Found {
                duplicate_of: None,
                approved: false,
                hidden: false,
                cluster: Some(Uuid::now_v7()),
                place,
            };
        };
        let facts = self.facts.get(&cluster);
        let oldest = facts.and_then(|facts| facts.oldest.as_ref());
        let duplicate_of = match oldest {
            Some((id, exact, signature)) => Signature::from_bytes(signature)
                .map(|signature| compare(fingerprint, *id, *exact, &signature)),
            None => self
                .added
                .iter()
                .find(|added| added.cluster == cluster)
                .map(|oldest| {
                    let print = &oldest.fingerprint;
                    compare(
                        fingerprint,
                        oldest.comment,
                        print.exact(),
                        print.signature(),
                    )
                }),
        };
        Found {
            duplicate_of,
            approved: facts.is_some_and(|facts| facts.approved),
            hidden: facts.is_some_and(|facts| facts.hidden),
            cluster: Some(cluster),
            place,
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
        for band in found.place.iter().flat_map(|place| &place.bands) {
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
            signature: fingerprint.signature().to_bytes(),
            place: found.place,
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
            .map(|added| {
                let signature = added.fingerprint.signature();
                (fingerprint.signature().similarity(signature), added.cluster)
            })
            .filter(|(similarity, _)| *similarity >= Signature::NEAR)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, cluster)| cluster)
    }
}

fn place(site: SiteId, anchors: &Anchors) -> Place {
    Place {
        bands: in_site(site, anchors.bands()).collect(),
        anchors: anchors.to_bytes(),
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
            let other = Signature::from_bytes(&candidate.signature)?;
            let similarity = fingerprint.signature().similarity(&other);
            Some((similarity, candidate.cluster_id))
        })
        .filter(|(similarity, _)| *similarity >= Signature::NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, cluster)| cluster)
}

fn compare(
    fingerprint: &Fingerprint,
    id: CommentId,
    exact: i64,
    signature: &Signature,
) -> DuplicateOf {
    let exact = exact == fingerprint.exact();
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
            fingerprint.signature().similarity(signature)
        }),
    }
}

/// Forgets the text of a comment that is being replaced. Where other copies of it stay, the next of them takes over
/// its place, so that near copies are still found.
pub(super) async fn forget(
    db: &mut Db<'_>,
    site: SiteId,
    comment: CommentId,
) -> Result<(), StoreError> {
    let Some((exact, anchors)) = db.fingerprint_of(comment).await? else {
        return Ok(());
    };
    let place = anchors
        .and_then(|anchors| Anchors::from_bytes(&anchors))
        .map(|anchors| place(site, &anchors));
    let bands = place.as_ref().map_or(&[][..], |place| &place.bands);
    db.delete_fingerprint(comment, bands).await?;
    match place {
        Some(place) => db.hand_place_on(site, exact, &place).await,
        None => Ok(()),
    }
}
