//! Fingerprints: which comments are copies of one another.
//!
//! A new text is first looked up by its exact hash, then by the bands of its MinHash signature. Copies share a cluster,
//! named by the first of them. An exact copy adds no bands: its text is found by those of the first. Near copies do add
//! theirs, so a look-up takes only the oldest few of each band, whatever a raid has put there.

use uuid::Uuid;

use super::{Db, StoreError, sql};
use crate::domain::{CommentId, SiteId, Status};

/// How many candidates of near copies each band gives; the oldest come first.
const CANDIDATES_PER_BAND: i64 = 16;

/// A new row of `fingerprints`.
pub struct Fingerprinted<'a> {
    pub comment: CommentId,
    pub site: SiteId,
    pub exact: i64,
    pub signature: &'a [u8],
    /// Where to look for near copies of it; empty for an exact copy.
    pub bands: &'a [i64],
    pub cluster: Uuid,
}

/// The signature of an earlier comment.
#[derive(Debug, sqlx::FromRow)]
pub struct StoredSignature {
    pub comment_id: Uuid,
    pub exact: i64,
    pub signature: Vec<u8>,
    pub cluster_id: Uuid,
}

/// What a verdict needs to know of a cluster.
#[derive(Debug)]
pub struct ClusterFacts {
    /// The oldest member that its author did not delete.
    pub oldest: Option<StoredSignature>,
    /// Whether a human's approval stands on a member.
    pub approved: bool,
}

impl Db<'_> {
    /// Lets one transaction at a time look up and store this text of a site, so that twins that arrive together see one
    /// another. On SQLite the write lock does that already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_text(&mut self, site: SiteId, exact: i64) -> Result<(), StoreError> {
        if let Self::Postgres(_) = self {
            sql::execute!(
                self,
                "SELECT pg_advisory_xact_lock($1)",
                exact ^ site.salt()
            )?;
        }
        Ok(())
    }

    /// Stores the fingerprint of a new comment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_fingerprint(
        &mut self,
        fingerprint: &Fingerprinted<'_>,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "INSERT INTO fingerprints (comment_id, site_id, exact, approved, signature, cluster_id)
             VALUES ($1, $2, $3, 0, $4, $5)",
            fingerprint.comment.0,
            fingerprint.site.0,
            fingerprint.exact,
            fingerprint.signature,
            fingerprint.cluster
        )?;
        if !fingerprint.bands.is_empty() {
            let bands = sql::to_json(&fingerprint.bands)?;
            let text = match self {
                Self::Sqlite(_) => {
                    "INSERT INTO fingerprint_bands (band, comment_id)
                     SELECT DISTINCT value, $2 FROM json_each($1)"
                }
                Self::Postgres(_) => {
                    "INSERT INTO fingerprint_bands (band, comment_id)
                     SELECT DISTINCT CAST(value AS BIGINT), $2 FROM json_array_elements_text(CAST($1 AS json)) AS value"
                }
            };
            sql::execute!(self, text, &bands, fingerprint.comment.0)?;
        }
        Ok(())
    }

    /// The cluster of a text that the site has seen before, to the letter but for what normalising takes away.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cluster_of_exact(
        &mut self,
        site: SiteId,
        exact: i64,
    ) -> Result<Option<Uuid>, StoreError> {
        Ok(sql::fetch_optional!(
            self,
            (Uuid,),
            "SELECT cluster_id FROM fingerprints WHERE site_id = $1 AND exact = $2 ORDER BY comment_id LIMIT 1",
            site.0,
            exact
        )?
        .map(|(cluster,)| cluster))
    }

    /// Earlier comments of the site that share a band: those worth comparing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn near_candidates(
        &mut self,
        site: SiteId,
        bands: &[i64],
    ) -> Result<Vec<StoredSignature>, StoreError> {
        if bands.is_empty() {
            return Ok(Vec::new());
        }
        let mut select = sql::Select::new(
            "SELECT f.comment_id, f.exact, f.signature, f.cluster_id FROM fingerprints f WHERE f.comment_id IN (",
        );
        for (at, band) in bands.iter().enumerate() {
            select
                .push(if at == 0 { "" } else { " UNION " })
                .push("SELECT comment_id FROM (SELECT comment_id FROM fingerprint_bands WHERE band = ")
                .bind(*band)
                .push(" ORDER BY comment_id LIMIT ")
                .bind(CANDIDATES_PER_BAND)
                .push(") AS one_band");
        }
        select
            .push(") AND f.site_id = ")
            .bind(site.0)
            .push(" ORDER BY f.comment_id");
        select.fetch_all(self).await
    }

    /// What a verdict needs to know of a cluster.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cluster_facts(&mut self, cluster: Uuid) -> Result<ClusterFacts, StoreError> {
        let oldest = sql::fetch_optional!(
            self,
            StoredSignature,
            "SELECT f.comment_id, f.exact, f.signature, f.cluster_id
             FROM fingerprints f JOIN comments c ON c.id = f.comment_id
             WHERE f.cluster_id = $1 AND c.status <> $2 ORDER BY f.comment_id LIMIT 1",
            cluster,
            Status::Deleted.as_str()
        )?;
        let approval = sql::fetch_optional!(
            self,
            (i64,),
            "SELECT approved FROM fingerprints WHERE cluster_id = $1 AND approved = 1 LIMIT 1",
            cluster
        )?;
        Ok(ClusterFacts {
            oldest,
            approved: approval.is_some(),
        })
    }

    /// Notes whether a human's approval stands on a comment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_approved(
        &mut self,
        comment: CommentId,
        approved: bool,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "UPDATE fingerprints SET approved = $2 WHERE comment_id = $1 AND approved <> $2",
            comment.0,
            i64::from(approved)
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
