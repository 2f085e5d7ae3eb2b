//! Uploading files, and the old paths of downloads, at which nobody says who they are.
//! [Client-Server API, "Content repository"]
//!
//! Only what was stored while `media.unauthenticated_access` was on is served here.
//!
//! [Client-Server API, "Content repository"]: https://spec.matrix.org/v1.19/client-server-api/#content-repository

#![expect(deprecated, reason = "ruma calls the old paths so; they are what is served here")]

use axum::{extract::State, response::Response};
use hearth_homeserver::media::{Access, Described, Media};
use http::HeaderMap;
use ruma::{
    MilliSecondsSinceUnixEpoch, UInt,
    api::client::media::{
        create_content, create_content_async, create_mxc_uri, get_content as download,
        get_content_as_filename as download_as, get_content_thumbnail as thumbnail, get_media_config,
        get_media_preview,
    },
};

use super::authed_content_repo::wanted_thumbnail;
use crate::{
    api_error::ApiError,
    caller::{ActiveCaller, GuestCaller},
    client_address::ClientAddress,
    extract::{Ruma, RumaFile},
    media_answer::FileAnswer,
    rate_limit::{Operation, RateLimits},
    reply::{JsonText, Reply, Result},
};

/// `POST /_matrix/media/v3/upload`
pub async fn upload_content(
    State(media): State<Media>,
    State(limits): State<RateLimits>,
    ActiveCaller(user): ActiveCaller,
    file: RumaFile<create_content::v3::Request>,
) -> Result<create_content::v3::Response> {
    limits.check_user(Operation::Upload, &user)?;
    let RumaFile { request, body, announced_bytes } = file;
    let about = Described { content_type: request.content_type, file_name: request.filename, announced_bytes };
    let uri = media.upload(&user, about, body).await?;
    Ok(Reply(create_content::v3::Response::new(uri)))
}

/// `PUT /_matrix/media/v3/upload/{serverName}/{mediaId}`
pub async fn upload_content_to_mxc(
    State(media): State<Media>,
    State(limits): State<RateLimits>,
    ActiveCaller(user): ActiveCaller,
    file: RumaFile<create_content_async::v3::Request>,
) -> std::result::Result<JsonText, ApiError> {
    limits.check_user(Operation::Upload, &user)?;
    let RumaFile { request, body, announced_bytes } = file;
    let about = Described { content_type: request.content_type, file_name: request.filename, announced_bytes };
    media.upload_to(&user, (&request.server_name, &request.media_id), about, body).await?;
    JsonText::of(&serde_json::json!({}))
}

/// `POST /_matrix/media/v1/create`
pub async fn create_content(
    State(media): State<Media>,
    State(limits): State<RateLimits>,
    ActiveCaller(user): ActiveCaller,
    Ruma(_): Ruma<create_mxc_uri::v1::Request>,
) -> Result<create_mxc_uri::v1::Response> {
    limits.check_user(Operation::Upload, &user)?;
    let created = media.create(&user).await?;
    let mut response = create_mxc_uri::v1::Response::new(created.uri);
    response.unused_expires_at = UInt::new(created.expires_ms).map(MilliSecondsSinceUnixEpoch);
    Ok(Reply(response))
}

/// `GET /_matrix/media/v3/download/{serverName}/{mediaId}`
pub async fn get_content(
    State(media): State<Media>,
    State(limits): State<RateLimits>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Ruma(request): Ruma<download::v3::Request>,
) -> std::result::Result<Response, ApiError> {
    limits.check_address(Operation::Download, address)?;
    let found =
        media.require_download(&request.server_name, &request.media_id, request.timeout_ms, Access::Public).await?;
    FileAnswer { headers: &headers, access: Access::Public, file_name: None }.send(&media, found).await
}

/// `GET /_matrix/media/v3/download/{serverName}/{mediaId}/{fileName}`
pub async fn get_content_override_name(
    State(media): State<Media>,
    State(limits): State<RateLimits>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Ruma(request): Ruma<download_as::v3::Request>,
) -> std::result::Result<Response, ApiError> {
    limits.check_address(Operation::Download, address)?;
    let found =
        media.require_download(&request.server_name, &request.media_id, request.timeout_ms, Access::Public).await?;
    let answer = FileAnswer { headers: &headers, access: Access::Public, file_name: Some(&request.filename) };
    answer.send(&media, found).await
}

/// `GET /_matrix/media/v3/thumbnail/{serverName}/{mediaId}`
pub async fn get_content_thumbnail(
    State(media): State<Media>,
    State(limits): State<RateLimits>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Ruma(request): Ruma<thumbnail::v3::Request>,
) -> std::result::Result<Response, ApiError> {
    limits.check_address(Operation::Download, address)?;
    let wanted = wanted_thumbnail(request.method.as_ref(), (request.width, request.height), request.animated)?;
    let (server, media_id) = (&request.server_name, &request.media_id);
    let found = media.require_thumbnail(server, media_id, wanted, request.timeout_ms, Access::Public).await?;
    FileAnswer { headers: &headers, access: Access::Public, file_name: None }.send(&media, found).await
}

/// `GET /_matrix/media/v3/preview_url`
pub async fn get_url_preview(
    State(media): State<Media>,
    State(limits): State<RateLimits>,
    GuestCaller(user): GuestCaller,
    Ruma(request): Ruma<get_media_preview::v3::Request>,
) -> std::result::Result<JsonText, ApiError> {
    limits.check_user(Operation::UrlPreview, &user)?;
    Ok(JsonText::new(media.require_preview(&request.url).await?))
}

/// `GET /_matrix/media/v3/config`
pub async fn get_config(
    State(media): State<Media>,
    GuestCaller(_): GuestCaller,
    Ruma(_): Ruma<get_media_config::v3::Request>,
) -> Result<get_media_config::v3::Response> {
    let upload_size = UInt::new_saturating(media.config().upload_bytes_max);
    Ok(Reply(get_media_config::v3::Response::new(upload_size)))
}
