//! Parameters that several routes share, as the API's document describes them; [`super::extract`] reads them.

#![expect(dead_code, reason = "these are described, never held")]

use utoipa::IntoParams;

use crate::domain::{AuthorId, CommentId, Cursor, ModelVersion, SiteSlug, ThreadKey};

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ThreadPath {
    /// The site's own id of the page, percent-encoded.
    #[param(inline)]
    key: ThreadKey,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CommentPath {
    /// The comment.
    #[param(inline)]
    id: CommentId,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AuthorPath {
    /// The site's own id of the reader, percent-encoded.
    #[param(inline)]
    author: AuthorId,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SitePath {
    /// The site.
    #[param(inline)]
    slug: SiteSlug,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ModelPath {
    /// The model.
    #[param(inline)]
    version: ModelVersion,
}

/// Of requests that are about one site.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfOneSite {
    /// The site it is about. Needed unless the token is for exactly one.
    #[param(inline)]
    site: Option<SiteSlug>,
}

/// Of lists that may span sites.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfSites {
    /// Only of this site; all sites of the token if absent.
    #[param(inline)]
    site: Option<SiteSlug>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// The most items of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// The `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}
