//! Fingerprints: which comments are copies of one another.
//!
//! A new text is first looked up by its exact hash, then by the bands of its MinHash signature. Copies share a cluster,
//! named by the first of them. An exact copy adds no bands where the first has them: its text is found by those. Near copies do add
//! theirs, so a look-up takes only the oldest few of each band, whatever a raid has put there.
//!
//! Look-ups go by set, for all the comments of one transaction; an answer names the position of what was asked for.

use sqlx::{Postgres, Sqlite};
use uuid::Uuid;

use super::{
    Db, StoreError, sql,
    writes::{Kind, Rows, Writes, row},
};
use crate::domain::{Action, CommentId, SiteId};

/// A new row of `fingerprints`.
pub struct Fingerprinted {
    pub comment: CommentId,
    pub site: SiteId,
    pub exact: i64,
    pub signature: Vec<u8>,
    /// Where near copies of it are found; none if another comment of the same text holds that.
    pub place: Option<Place>,
    pub cluster: Uuid,
}

/// Where near copies of a text are found.
pub struct Place {
    pub bands: Vec<i64>,
    /// What the bands were made of, to find them again.
    pub anchors: Vec<u8>,
}

/// A cluster, found by a text that was seen before.
pub struct SeenBefore {
    /// The position of the text.
    pub at: usize,
    pub cluster: Uuid,
    /// The oldest comment of that text holds its place.
    pub has_place: bool,
}

/// The signature of an earlier comment.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StoredSignature {
    pub comment_id: Uuid,
    pub site_id: Uuid,
    pub signature: Vec<u8>,
    pub cluster_id: Uuid,
}

/// A candidate for the look-up at that position.
#[derive(sqlx::FromRow)]
struct Candidate {
    at: i64,
    #[sqlx(flatten)]
    signature: StoredSignature,
}

#[derive(sqlx::FromRow)]
struct FactsRow {
    at: i64,
    comment_id: Option<Uuid>,
    exact: Option<i64>,
    signature: Option<Vec<u8>>,
    approved: i64,
    hidden: i64,
}

/// What a verdict needs to know of a cluster.
#[derive(Debug, Clone)]
pub struct ClusterFacts {
    /// The oldest member that its author did not delete: its id, exact hash and signature.
    pub oldest: Option<(CommentId, i64, Vec<u8>)>,
    /// Whether a human's approval stands on a member.
    pub approved: bool,
    /// Whether a human hid a member, and that stands.
    pub hidden: bool,
}

static FINGERPRINTS: Rows = Rows::of(
    "fingerprints",
    &[
        ("comment_id", Kind::Uuid),
        ("site_id", Kind::Uuid),
        ("exact", Kind::Int),
        ("approved", Kind::Int),
        ("signature", Kind::Bytes),
        ("cluster_id", Kind::Uuid),
        ("anchors", Kind::Bytes),
    ],
    "",
);

static BANDS: Rows = Rows::of(
    "fingerprint_bands",
    &[("band", Kind::Int), ("comment_id", Kind::Uuid)],
    "ON CONFLICT (band, comment_id) DO NOTHING",
);

/// A position in what was asked for.
fn position(at: i64) -> Result<usize, StoreError> {
    usize::try_from(at).map_err(|_| StoreError::Unreadable("a position"))
}

impl<'a> Writes<'a> {
    /// The fingerprints of comments that have none.
    pub fn fingerprints(self, new: &'a [Fingerprinted]) -> Self {
        let rows = new.iter().map(|new| {
            row![
                new.comment.0,
                new.site.0,
                new.exact,
                0_i64,
                new.signature.as_slice(),
                new.cluster,
                new.place.as_ref().map(|place| place.anchors.as_slice()),
            ]
        });
        let bands = new.iter().flat_map(|new| {
            let bands = new.place.iter().flat_map(|place| &place.bands);
            bands.map(|band| (*band, new.comment.0))
        });
        self.rows(&FINGERPRINTS, rows).bands(bands)
    }

    /// Bands, in the order of the table, which is the cheapest to insert in.
    fn bands(self, bands: impl Iterator<Item = (i64, Uuid)>) -> Self {
        let mut bands: Vec<_> = bands.collect();
        bands.sort_unstable();
        let rows = bands.into_iter().map(|(band, id)| row![band, id]);
        self.rows(&BANDS, rows)
    }
}

impl Db<'_> {
    /// Lets one transaction at a time look up and store what goes by these numbers, so that twins that arrive together
    /// see one another. Taken in order, so that nobody waits in a circle. On SQLite the write lock does that already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_numbers(&mut self, mut numbers: Vec<i64>) -> Result<(), StoreError> {
        if let Self::Postgres(_) = self
            && !numbers.is_empty()
        {
            numbers.sort_unstable();
            numbers.dedup();
            let numbers = sql::to_json(&numbers)?;
            sql::execute!(
                self,
                "SELECT pg_advisory_xact_lock(CAST(value AS bigint)) FROM json_array_elements_text(CAST($1 AS json)) AS value",
                &numbers
            )?;
        }
        Ok(())
    }

    /// Forgets the fingerprint of a comment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_fingerprint(
        &mut self,
        comment: CommentId,
        bands: &[i64],
    ) -> Result<(), StoreError> {
        let text = sql::by_engine!(
            &*self,
            sqlite: "DELETE FROM fingerprint_bands WHERE comment_id = $2
                     AND band IN (SELECT value FROM json_each($1))",
            postgres: "DELETE FROM fingerprint_bands WHERE comment_id = $2
                       AND band IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST($1 AS json)) AS value)",
        );
        let bands = sql::to_json(&bands)?;
        sql::execute!(self, text, &bands, comment.0)?;
        sql::execute!(
            self,
            "DELETE FROM fingerprints WHERE comment_id = $1",
            comment.0
        )?;
        Ok(())
    }

    /// Gives the place of a text to the oldest comment of exactly that text, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hand_place_on(
        &mut self,
        site: SiteId,
        exact: i64,
        place: &Place,
    ) -> Result<(), StoreError> {
        let heir = sql::fetch_optional!(
            self,
            (Uuid,),
            "SELECT comment_id FROM fingerprints WHERE site_id = $1 AND exact = $2 ORDER BY comment_id LIMIT 1",
            site.0,
            exact
        )?;
        if let Some((heir,)) = heir {
            let bands = place.bands.iter().map(|band| (*band, heir));
            self.write(Writes::default().bands(bands)).await?;
            sql::execute!(
                self,
                "UPDATE fingerprints SET anchors = $2 WHERE comment_id = $1",
                heir,
                place.anchors.as_slice()
            )?;
        }
        Ok(())
    }

    /// The exact hash of a comment's text and the anchors of its place, if it holds one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fingerprint_of(
        &mut self,
        comment: CommentId,
    ) -> Result<Option<(i64, Option<Vec<u8>>)>, StoreError> {
        sql::fetch_optional!(
            self,
            (i64, Option<Vec<u8>>),
            "SELECT exact, anchors FROM fingerprints WHERE comment_id = $1",
            comment.0
        )
    }

    /// The clusters of texts that their sites have seen before, to the letter but for what normalising takes away.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clusters_of_exact(
        &mut self,
        texts: &[(SiteId, i64)],
    ) -> Result<Vec<SeenBefore>, StoreError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let text = sql::by_engine!(
            &*self,
            sqlite: "SELECT k.key, f.cluster_id, f.anchors IS NOT NULL FROM json_each($1) AS k JOIN fingerprints f ON f.comment_id = (
                         SELECT same.comment_id FROM fingerprints same
                         WHERE same.site_id = unhex(k.value ->> 0, '-') AND same.exact = k.value ->> 1
                         ORDER BY same.comment_id LIMIT 1)",
            postgres: "SELECT k.at - 1, f.cluster_id, CASE WHEN f.anchors IS NULL THEN CAST(0 AS BIGINT) ELSE 1 END
                       FROM json_array_elements(CAST($1 AS json)) WITH ORDINALITY AS k (value, at)
                       CROSS JOIN LATERAL (
                           SELECT same.cluster_id, same.anchors FROM fingerprints same
                           WHERE same.site_id = CAST(k.value ->> 0 AS uuid) AND same.exact = CAST(k.value ->> 1 AS bigint)
                           ORDER BY same.comment_id LIMIT 1) f",
        );
        let texts = sql::to_json(&texts)?;
        sql::fetch_all!(self, (i64, Uuid, i64), text, &texts)?
            .into_iter()
            .map(|(at, cluster, has_place)| {
                Ok(SeenBefore {
                    at: position(at)?,
                    cluster,
                    has_place: has_place != 0,
                })
            })
            .collect()
    }

    /// Earlier comments that share a band: those worth comparing. Each band comes with a position, which its candidates
    /// are given back with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn near_candidates(
        &mut self,
        bands: &[(usize, i64)],
    ) -> Result<Vec<(usize, StoredSignature)>, StoreError> {
        if bands.is_empty() {
            return Ok(Vec::new());
        }
        // Sixteen of each band: those who follow a raid pay for no more.
        let candidates: Vec<Candidate> = match self {
            Self::Sqlite(connection) => sqlx::query_as::<Sqlite, Candidate>(
                "SELECT found.at, f.comment_id, f.site_id, f.signature, f.cluster_id
                 FROM (
                     SELECT DISTINCT k.value ->> 0 AS at, b.comment_id
                     FROM json_each($1) AS k CROSS JOIN fingerprint_bands b
                     ON b.band = k.value ->> 1 AND b.comment_id IN (
                         SELECT first.comment_id FROM fingerprint_bands first WHERE first.band = k.value ->> 1
                         ORDER BY first.comment_id LIMIT 16)
                 ) AS found CROSS JOIN fingerprints f ON f.comment_id = found.comment_id
                 ORDER BY found.at, f.comment_id",
            )
            .bind(sql::to_json(&bands)?)
            .fetch_all(&mut **connection)
            .await?,
            Self::Postgres(lease) => {
                let (at, bands): (Vec<i64>, Vec<i64>) =
                    bands.iter().map(|(at, band)| (*at as i64, *band)).unzip();
                let query = sqlx::query_as::<Postgres, Candidate>(
                    "SELECT found.at, f.comment_id, f.site_id, f.signature, f.cluster_id
                     FROM (
                         SELECT DISTINCT k.at, b.comment_id
                         FROM UNNEST(CAST($1 AS bigint[]), CAST($2 AS bigint[])) AS k (at, band)
                         CROSS JOIN LATERAL (
                             SELECT first.comment_id FROM fingerprint_bands first
                             WHERE first.band = k.band ORDER BY first.comment_id LIMIT 16) b
                     ) AS found
                     CROSS JOIN LATERAL (
                         SELECT * FROM fingerprints f WHERE f.comment_id = found.comment_id LIMIT 1) f
                     ORDER BY found.at, f.comment_id",
                )
                .bind(at)
                .bind(bands);
                super::pool::asked!(lease, connection => query.fetch_all(connection))?
            }
        };
        candidates
            .into_iter()
            .map(|candidate| Ok((position(candidate.at)?, candidate.signature)))
            .collect()
    }

    /// What a verdict needs to know of each of these clusters, in their order. `without` is left out of them: a comment
    /// is no copy of itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cluster_facts(
        &mut self,
        clusters: &[Uuid],
        without: Option<CommentId>,
    ) -> Result<Vec<ClusterFacts>, StoreError> {
        let mut facts = vec![
            ClusterFacts {
                oldest: None,
                approved: false,
                hidden: false,
            };
            clusters.len()
        ];
        if clusters.is_empty() {
            return Ok(facts);
        }
        let text = sql::by_engine!(
            &*self,
            sqlite: "SELECT k.key AS at, f.comment_id, f.exact, f.signature,
                         EXISTS (SELECT 1 FROM fingerprints a
                                 WHERE a.cluster_id = unhex(k.value, '-') AND a.approved = 1 AND a.comment_id <> $2) AS approved,
                         EXISTS (SELECT 1 FROM fingerprints h
                                 WHERE h.cluster_id = unhex(k.value, '-') AND h.hidden = 1 AND h.comment_id <> $2) AS hidden
                     FROM json_each($1) AS k LEFT JOIN fingerprints f ON f.comment_id = (
                         SELECT o.comment_id FROM fingerprints o CROSS JOIN comments c ON c.id = o.comment_id
                         WHERE o.cluster_id = unhex(k.value, '-') AND c.status <> 'deleted' AND o.comment_id <> $2
                         ORDER BY o.comment_id LIMIT 1)",
            postgres: "SELECT k.at - 1 AS at, f.comment_id, f.exact, f.signature,
                           CASE WHEN EXISTS (SELECT 1 FROM fingerprints a
                                             WHERE a.cluster_id = CAST(k.value AS uuid) AND a.approved = 1 AND a.comment_id <> $2)
                           THEN CAST(1 AS BIGINT) ELSE 0 END AS approved,
                           CASE WHEN EXISTS (SELECT 1 FROM fingerprints h
                                             WHERE h.cluster_id = CAST(k.value AS uuid) AND h.hidden = 1 AND h.comment_id <> $2)
                           THEN CAST(1 AS BIGINT) ELSE 0 END AS hidden
                       FROM json_array_elements_text(CAST($1 AS json)) WITH ORDINALITY AS k (value, at)
                       LEFT JOIN LATERAL (
                           SELECT o.comment_id, o.exact, o.signature
                           FROM fingerprints o JOIN comments c ON c.id = o.comment_id
                           WHERE o.cluster_id = CAST(k.value AS uuid) AND c.status <> 'deleted' AND o.comment_id <> $2
                           ORDER BY o.comment_id LIMIT 1) f ON true",
        );
        let clusters = sql::to_json(&clusters)?;
        let without = without.map_or(Uuid::nil(), |comment| comment.0);
        for row in sql::fetch_all!(self, FactsRow, text, &clusters, without)? {
            if let Some(facts) = facts.get_mut(position(row.at)?) {
                facts.approved = row.approved != 0;
                facts.hidden = row.hidden != 0;
                facts.oldest = match (row.comment_id, row.exact, row.signature) {
                    (Some(id), Some(exact), Some(signature)) => {
                        Some((CommentId(id), exact, signature))
                    }
                    _ => None,
                };
            }
        }
        Ok(facts)
    }

    /// Notes what a human's decision says of a comment's text to its later copies: nothing, unless it is to approve or to
    /// hide.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_judged(
        &mut self,
        comment: CommentId,
        standing: Option<Action>,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "UPDATE fingerprints SET approved = $2, hidden = $3
             WHERE comment_id = $1 AND (approved <> $2 OR hidden <> $3)",
            comment.0,
            i64::from(standing == Some(Action::Approve)),
            i64::from(standing == Some(Action::Hide))
        )?;
        Ok(())
    }

    /// The cluster a comment is in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cluster_of(&mut self, comment: CommentId) -> Result<Option<Uuid>, StoreError> {
        Ok(sql::fetch_optional!(
            self,
            (Uuid,),
            "SELECT cluster_id FROM fingerprints WHERE comment_id = $1",
            comment.0
        )?
        .map(|(cluster,)| cluster))
    }

    /// How many comments are in each of these clusters.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cluster_sizes(
        &mut self,
        clusters: impl IntoIterator<Item = Uuid>,
    ) -> Result<Vec<(Uuid, i64)>, StoreError> {
        let mut select =
            sql::Select::new("SELECT cluster_id, COUNT(*) FROM fingerprints WHERE cluster_id IN ");
        select.list(clusters).push(" GROUP BY cluster_id");
        select.fetch_all(self).await
    }
}
