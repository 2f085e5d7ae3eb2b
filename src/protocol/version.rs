//! The rules of each room version, 1 to 12, and of one that a proposal describes.
//!
//! Spec: <https://spec.matrix.org/v1.19/rooms/>. What ruma's [`RoomVersionRules`] says is read there;
//! this adds what ruma leaves to the homeserver.

use std::sync::LazyLock;

use ruma::RoomVersionId;
use ruma::room_version_rules::{
    EventIdFormatVersion, EventsReferenceFormatVersion, RoomIdFormatVersion, RoomVersionRules,
};

/// The version of a new room when its creator names none.
pub const DEFAULT_ROOM_VERSION: RoomVersionId = RoomVersionId::V12;

/// Which state resolution algorithm a room version uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateResolution {
    /// Room version 1.
    V1,
    /// Room versions 2 to 11.
    V2,
    /// Room version 12: v2 that starts from empty state and takes in the conflicted subgraph.
    V2_1,
}

/// How a room version writes event ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventIdFormat {
    /// `$opaque:server`, a field of the event (versions 1 and 2).
    Opaque,
    /// `$` and the reference hash in standard base64 (version 3).
    Base64,
    /// `$` and the reference hash in URL-safe base64 (from version 4).
    UrlSafe,
}

/// Everything that depends on the version of a room.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, named as ruma names its own")]
pub struct RoomRules {
    /// Which version this is.
    pub version: RoomVersionId,
    /// ruma's rules: authorisation, redaction, signatures, formats.
    pub ruma: RoomVersionRules,
    /// The state resolution algorithm.
    pub state_resolution: StateResolution,
    /// Events must be canonical JSON: integers only, within ±(2^53−1) (from version 6).
    pub strict_json: bool,
    /// How event ids are made.
    pub event_id_format: EventIdFormat,
    /// `prev_events` and `auth_events` are pairs of id and hashes (versions 1 and 2), not plain ids.
    pub references_with_hashes: bool,
    /// The room id is the reference hash of the create event, which itself has none (from version 12).
    pub room_id_is_create_hash: bool,
    /// `redacts` stands in `content` (from version 11), not at the top level.
    pub redacts_in_content: bool,
    /// The 255 of type, state key and ids are bytes (from version 11); before, code points.
    ///
    /// The specification says bytes for all versions, but events that were accepted while servers
    /// counted code points are part of older rooms.
    pub sizes_in_bytes: bool,
    /// The largest `depth` an event may have.
    pub depth_max: u64,
    /// State whose key is a user id and a suffix belongs to that user, and to those with more power (MSC3757).
    pub owned_state: bool,
}

impl RoomRules {
    fn new(version: RoomVersionId, ruma: RoomVersionRules) -> Self {
        let state_resolution = match ruma.state_res.v2_rules() {
            None => StateResolution::V1,
            Some(v2) if v2.consider_conflicted_state_subgraph => StateResolution::V2_1,
            Some(_) => StateResolution::V2,
        };
        let strict_json = ruma.authorization.strict_canonical_json;
        let event_id_format = match ruma.event_id_format {
            EventIdFormatVersion::V1 => EventIdFormat::Opaque,
            EventIdFormatVersion::V2 => EventIdFormat::Base64,
            _ => EventIdFormat::UrlSafe,
        };
        Self {
            state_resolution,
            strict_json,
            event_id_format,
            references_with_hashes: ruma.events_reference_format == EventsReferenceFormatVersion::V1,
            room_id_is_create_hash: ruma.room_id_format == RoomIdFormatVersion::V2,
            redacts_in_content: ruma.redaction.content_field_redacts,
            sizes_in_bytes: ruma.redaction.content_field_redacts,
            depth_max: if strict_json { (1 << 53) - 1 } else { i64::MAX.unsigned_abs() },
            owned_state: false,
            version,
            ruma,
        }
    }
}

static RULES: LazyLock<[RoomRules; 12]> = LazyLock::new(|| {
    [
        RoomRules::new(RoomVersionId::V1, RoomVersionRules::V1),
        RoomRules::new(RoomVersionId::V2, RoomVersionRules::V2),
        RoomRules::new(RoomVersionId::V3, RoomVersionRules::V3),
        RoomRules::new(RoomVersionId::V4, RoomVersionRules::V4),
        RoomRules::new(RoomVersionId::V5, RoomVersionRules::V5),
        RoomRules::new(RoomVersionId::V6, RoomVersionRules::V6),
        RoomRules::new(RoomVersionId::V7, RoomVersionRules::V7),
        RoomRules::new(RoomVersionId::V8, RoomVersionRules::V8),
        RoomRules::new(RoomVersionId::V9, RoomVersionRules::V9),
        RoomRules::new(RoomVersionId::V10, RoomVersionRules::V10),
        RoomRules::new(RoomVersionId::V11, RoomVersionRules::V11),
        RoomRules::new(RoomVersionId::V12, RoomVersionRules::V12),
    ]
});

/// Room version 10 with owned state (MSC3757).
pub const OWNED_STATE_VERSION: &str = "org.matrix.msc3757.10";

static OWNED_STATE: LazyLock<Option<RoomRules>> = LazyLock::new(|| {
    let version = RoomVersionId::try_from(OWNED_STATE_VERSION).ok()?;
    Some(RoomRules { owned_state: true, ..RoomRules::new(version, RoomVersionRules::V10) })
});

/// The rules of every room version of the specification, oldest first.
#[must_use]
pub fn list_rules() -> &'static [RoomRules] {
    &*RULES
}

/// The rules of `version`, or `None` when this server does not know it.
#[must_use]
pub fn rules_of(version: &RoomVersionId) -> Option<&'static RoomRules> {
    RULES.iter().chain(OWNED_STATE.as_ref()).find(|rules| rules.version == *version)
}

#[cfg(test)]
#[path = "version_tests.rs"]
mod tests;
