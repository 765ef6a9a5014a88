//! Clusters of copies over HTTP.

use actix_web::{HttpResponse, web};

use super::{
    access::Asking,
    extract::{Id, Params},
    parameters::Paging,
    problem::Problem,
    queue::PAGE,
};
use crate::{
    domain::ClusterId,
    moderation::{Cluster, Moderation},
};

/// The members of a cluster of copies, the oldest first.
#[utoipa::path(
    get, path = "/v1/clusters/{id}", operation_id = "getCluster",
    params(("id" = inline(ClusterId), Path, description = "The cluster, as in `duplicates` of an item."), Paging),
    responses(
        (status = 200, description = "How many there are, and a page of them.", body = Cluster),
        (status = 404, description = "There is no such cluster."),
    ),
)]
pub async fn show(
    moderation: web::Data<Moderation>,
    Asking(caller): Asking,
    Id(id): Id<ClusterId>,
    params: Params,
) -> Result<HttpResponse, Problem> {
    let limit = params.limit(PAGE.0, PAGE.1)?;
    let cursor = params.cursor();
    let cluster = moderation
        .cluster(&caller, id, limit, cursor.as_deref())
        .await?;
    Ok(HttpResponse::Ok().json(cluster))
}
