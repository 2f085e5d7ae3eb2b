//! What the walk over a body lets through, and what not.

use super::*;

fn nested(depth: usize) -> Vec<u8> {
    [vec![b'['; depth], vec![b']'; depth]].concat()
}

#[test]
fn ordinary_json_passes() {
    for text in [&b"{}"[..], b"[1,-2.5,true,null,\"\\u00e9\"]", b" {\"a\":{\"b\":[{}]}} ", b"7"] {
        assert_eq!(check_json(text), Ok(()), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn what_is_not_json_is_named_so() {
    let bad = [&b""[..], b"{", b"{\"a\":1}x", b"{'a':1}", b"{\"a\":\xff}", b"\"\xc3\"", b"nul"];
    for text in bad {
        assert_eq!(check_json(text), Err(JsonFault::NotJson), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn half_a_surrogate_pair_is_no_text() {
    assert_eq!(check_json(br#"{"a":"\ud800"}"#), Err(JsonFault::NotJson));
    assert_eq!(check_json(br#"{"\udc00":1}"#), Err(JsonFault::NotJson));
    assert_eq!(check_json(br#"{"a":"\ud83d\ude00"}"#), Ok(()));
}

#[test]
fn the_depth_limit_is_exact() {
    assert_eq!(check_json(&nested(JSON_DEPTH_MAX)), Ok(()));
    assert_eq!(check_json(&nested(JSON_DEPTH_MAX + 1)), Err(JsonFault::TooDeep));
    assert_eq!(check_json(&nested(100_000)), Err(JsonFault::TooDeep));
}
