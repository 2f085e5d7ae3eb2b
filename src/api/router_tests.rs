//! Whether the endpoints fit together.

use super::*;

#[test]
fn no_two_endpoints_claim_one_path() {
    // axum panics on a path that is claimed twice, and on variables of one place with two names.
    let router = endpoints();
    assert!(router.has_routes());
}
