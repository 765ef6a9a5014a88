//! Sites and their policies.

use uuid::Uuid;

use super::{Db, StoreError, sql};
use crate::domain::{Policy, Share, Site, SiteId, SiteSlug, Timestamp, Title};

#[derive(sqlx::FromRow)]
struct SiteRow {
    id: Uuid,
    slug: String,
    name: Option<String>,
    policy: String,
    policy_version: i64,
    created_at: i64,
}

impl TryFrom<SiteRow> for Site {
    type Error = StoreError;

    fn try_from(row: SiteRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: SiteId(row.id),
            slug: SiteSlug::stored(row.slug),
            name: row.name.map(Title::stored),
            policy: sql::from_json(&row.policy, "sites.policy")?,
            policy_version: row.policy_version,
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

/// A policy as it is stored: a share of samples that it need not say is left out, so that servers of the version before
/// can read it, which know no such field.
fn stored(policy: &Policy) -> Result<String, StoreError> {
    let mut fields = serde_json::to_value(policy).map_err(StoreError::Unwritable)?;
    if let Some(fields) = fields.as_object_mut()
        && policy.sample_share == Share::SAMPLED
    {
        fields.remove("sample_share");
    }
    sql::to_json(&fields)
}

impl Db<'_> {
    /// Adds a site.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the slug is taken.
    pub async fn insert_site(&mut self, site: &Site) -> Result<(), StoreError> {
        let policy = stored(&site.policy)?;
        sql::execute!(
            self,
            "INSERT INTO sites (id, slug, name, policy, policy_version, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
            site.id.0,
            site.slug.as_str(),
            site.name.as_ref().map(Title::as_str),
            &policy,
            site.policy_version,
            site.created_at.millis()
        )?;
        Ok(())
    }

    /// Gives a site another name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_site_name(
        &mut self,
        site: SiteId,
        name: Option<&Title>,
    ) -> Result<(), StoreError> {
        sql::execute!(
            self,
            "UPDATE sites SET name = $2 WHERE id = $1",
            site.0,
            name.map(Title::as_str)
        )?;
        Ok(())
    }

    /// Gives a site another policy.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_site_policy(
        &mut self,
        site: SiteId,
        policy: &Policy,
    ) -> Result<(), StoreError> {
        let policy = stored(policy)?;
        sql::execute!(
            self,
            "UPDATE sites SET policy = $2, policy_version = policy_version + 1 WHERE id = $1",
            site.0,
            &policy
        )?;
        Ok(())
    }

    /// The site of that slug.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn site_by_slug(&mut self, slug: &SiteSlug) -> Result<Option<Site>, StoreError> {
        sql::fetch_optional!(
            self,
            SiteRow,
            "SELECT id, slug, name, policy, policy_version, created_at FROM sites WHERE slug = $1",
            slug.as_str()
        )?
        .map(Site::try_from)
        .transpose()
    }

    /// The site of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn site(&mut self, id: SiteId) -> Result<Option<Site>, StoreError> {
        sql::fetch_optional!(
            self,
            SiteRow,
            "SELECT id, slug, name, policy, policy_version, created_at FROM sites WHERE id = $1",
            id.0
        )?
        .map(Site::try_from)
        .transpose()
    }

    /// Every site, by slug.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sites(&mut self) -> Result<Vec<Site>, StoreError> {
        sql::fetch_all!(
            self,
            SiteRow,
            "SELECT id, slug, name, policy, policy_version, created_at FROM sites ORDER BY slug"
        )?
        .into_iter()
        .map(Site::try_from)
        .collect()
    }
}
