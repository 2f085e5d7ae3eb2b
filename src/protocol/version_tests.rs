//! What each room version says.

use super::*;

#[test]
fn twelve_versions_and_a_proposal_are_known_and_no_other() {
    assert_eq!(list_rules().len(), 12);
    for (at, rules) in list_rules().iter().enumerate() {
        assert_eq!(rules.version.as_str(), (at + 1).to_string());
        assert_eq!(rules_of(&rules.version).map(|found| &found.version), Some(&rules.version));
    }
    for unknown in ["0", "13", "org.example.room"] {
        assert!(rules_of(&RoomVersionId::try_from(unknown).unwrap()).is_none(), "{unknown}");
    }
    assert!(rules_of(&DEFAULT_ROOM_VERSION).is_some());
    let proposed = rules_of(&RoomVersionId::try_from(OWNED_STATE_VERSION).unwrap()).unwrap();
    assert_eq!((proposed.version.as_str(), proposed.owned_state), (OWNED_STATE_VERSION, true));
    assert!(list_rules().iter().all(|rules| !rules.owned_state));
}

/// One row a version: state resolution, strict JSON, id format, pairs as references, room id by hash,
/// `redacts` in content, sizes in bytes.
#[test]
fn rules_change_where_the_specification_says() {
    use EventIdFormat::{Base64, Opaque, UrlSafe};
    use StateResolution::{V1, V2, V2_1};
    let expected = [
        (V1, false, Opaque, true, false, false, false),
        (V2, false, Opaque, true, false, false, false),
        (V2, false, Base64, false, false, false, false),
        (V2, false, UrlSafe, false, false, false, false),
        (V2, false, UrlSafe, false, false, false, false),
        (V2, true, UrlSafe, false, false, false, false),
        (V2, true, UrlSafe, false, false, false, false),
        (V2, true, UrlSafe, false, false, false, false),
        (V2, true, UrlSafe, false, false, false, false),
        (V2, true, UrlSafe, false, false, false, false),
        (V2, true, UrlSafe, false, false, true, true),
        (V2_1, true, UrlSafe, false, true, true, true),
    ];
    for (rules, expected) in list_rules().iter().zip(expected) {
        let found = (
            rules.state_resolution,
            rules.strict_json,
            rules.event_id_format,
            rules.references_with_hashes,
            rules.room_id_is_create_hash,
            rules.redacts_in_content,
            rules.sizes_in_bytes,
        );
        assert_eq!(found, expected, "version {}", rules.version);
    }
}

#[test]
fn depth_is_smaller_in_strict_versions() {
    let depth_max = |at: usize| list_rules()[at].depth_max;
    assert_eq!((depth_max(4), depth_max(5)), (9_223_372_036_854_775_807, 9_007_199_254_740_991));
}
