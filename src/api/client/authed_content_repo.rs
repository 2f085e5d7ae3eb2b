//! Downloading files and thumbnails, for users only. [Client-Server API, "Content repository"]
//!
//! [Client-Server API, "Content repository"]: https://spec.matrix.org/v1.19/client-server-api/#content-repository

use axum::{extract::State, response::Response};
use hearth_homeserver::media::{Access, Media, Method, WantedThumbnail};
use http::HeaderMap;
use ruma::{
    UInt,
    api::client::authenticated_media::{
        get_content as download, get_content_as_filename as download_as, get_content_thumbnail as thumbnail,
        get_media_config, get_media_preview,
    },
    media::Method as WantedMethod,
};

use crate::{
    api_error::ApiError,
    caller::GuestCaller,
    extract::Ruma,
    media_answer::FileAnswer,
    rate_limit::{Operation, RateLimits},
    reply::{JsonText, Reply, Result},
};

/// `GET /_matrix/client/v1/media/download/{serverName}/{mediaId}`
pub async fn get_content_authed(
    State(media): State<Media>,
    State(limits): State<RateLimits>,
    GuestCaller(user): GuestCaller,
    headers: HeaderMap,
    Ruma(request): Ruma<download::v1::Request>,
) -> std::result::Result<Response, ApiError> {
    limits.check_user(Operation::Download, &user)?;
    let access = Access::Authenticated;
    let found = media.require_download(&request.server_name, &request.media_id, request.timeout_ms, access).await?;
    FileAnswer { headers: &headers, access, file_name: None }.send(&media, found).await
}

/// `GET /_matrix/client/v1/media/download/{serverName}/{mediaId}/{fileName}`
pub async fn get_content_override_name_authed(
    State(media): State<Media>,
    State(limits): State<RateLimits>,
    GuestCaller(user): GuestCaller,
    headers: HeaderMap,
    Ruma(request): Ruma<download_as::v1::Request>,
) -> std::result::Result<Response, ApiError> {
    limits.check_user(Operation::Download, &user)?;
    let access = Access::Authenticated;
    let found = media.require_download(&request.server_name, &request.media_id, request.timeout_ms, access).await?;
    FileAnswer { headers: &headers, access, file_name: Some(&request.filename) }.send(&media, found).await
}

/// `GET /_matrix/client/v1/media/thumbnail/{serverName}/{mediaId}`
pub async fn get_content_thumbnail_authed(
    State(media): State<Media>,
    State(limits): State<RateLimits>,
    GuestCaller(user): GuestCaller,
    headers: HeaderMap,
    Ruma(request): Ruma<thumbnail::v1::Request>,
) -> std::result::Result<Response, ApiError> {
    limits.check_user(Operation::Download, &user)?;
    let wanted = wanted_thumbnail(request.method.as_ref(), (request.width, request.height), request.animated)?;
    let (server, media_id) = (&request.server_name, &request.media_id);
    let access = Access::Authenticated;
    let found = media.require_thumbnail(server, media_id, wanted, request.timeout_ms, access).await?;
    FileAnswer { headers: &headers, access, file_name: None }.send(&media, found).await
}

/// `GET /_matrix/client/v1/media/preview_url`
pub async fn get_url_preview_authed(
    State(media): State<Media>,
    State(limits): State<RateLimits>,
    GuestCaller(user): GuestCaller,
    Ruma(request): Ruma<get_media_preview::v1::Request>,
) -> std::result::Result<JsonText, ApiError> {
    limits.check_user(Operation::UrlPreview, &user)?;
    Ok(JsonText::new(media.require_preview(&request.url).await?))
}

/// `GET /_matrix/client/v1/media/config`
pub async fn get_config_authed(
    State(media): State<Media>,
    GuestCaller(_): GuestCaller,
    Ruma(_): Ruma<get_media_config::v1::Request>,
) -> Result<get_media_config::v1::Response> {
    let upload_size = UInt::new_saturating(media.config().upload_bytes_max);
    Ok(Reply(get_media_config::v1::Response::new(upload_size)))
}

/// What a request for a thumbnail asks for; scaling unless it says otherwise.
///
/// # Errors
/// 400 `M_INVALID_PARAM` for a method that there is not.
pub(super) fn wanted_thumbnail(
    method: Option<&WantedMethod>,
    (width, height): (UInt, UInt),
    animated: Option<bool>,
) -> std::result::Result<WantedThumbnail, ApiError> {
    let method = match method {
        None | Some(WantedMethod::Scale) => Method::Scale,
        Some(WantedMethod::Crop) => Method::Crop,
        Some(_) => return Err(ApiError::invalid_param("The method is `crop` or `scale`.")),
    };
    let is_animated = animated.unwrap_or(false);
    Ok(WantedThumbnail { method, width: width.into(), height: height.into(), is_animated })
}
