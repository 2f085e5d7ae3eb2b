//! Limits of JSON from outside, and canonical JSON by the specification's examples.

use serde_json::Value;

use super::*;
use crate::version::list_rules;

/// Appendices, "Canonical JSON", "Examples"; the last one there is in `numbers_of_old_rooms`.
#[test]
fn examples_of_the_specification() {
    let examples = [
        ("{}", "{}"),
        (r#"{ "one": 1, "two": "Two" }"#, r#"{"one":1,"two":"Two"}"#),
        (r#"{ "b": "2", "a": "1" }"#, r#"{"a":"1","b":"2"}"#),
        (r#"{"b":"2","a":"1"}"#, r#"{"a":"1","b":"2"}"#),
        (
            r#"{"auth": {"success": true, "mxid": "@john.doe:example.com", "profile": {
                "display_name": "John Doe", "three_pids": [
                    {"medium": "email", "address": "john.doe@example.org"},
                    {"medium": "msisdn", "address": "123456789"}]}}}"#,
            r#"{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[{"address":"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"success":true}}"#,
        ),
        (r#"{ "a": "日本語" }"#, r#"{"a":"日本語"}"#),
        (r#"{ "本": 2, "日": 1 }"#, r#"{"日":1,"本":2}"#),
        (r#"{ "a": "\u65E5" }"#, r#"{"a":"日"}"#),
        (r#"{ "a": null }"#, r#"{"a":null}"#),
    ];
    for (input, expected) in examples {
        assert_eq!(canonical_json(input).as_deref(), Ok(expected));
        assert_eq!(canonical_json_lenient(input).as_deref(), Ok(expected));
    }
}

#[test]
fn keys_sort_by_code_point_and_the_last_of_equal_keys_counts() {
    // U+FFFF comes before U+10000, unlike in UTF-16.
    let cases = [
        ("{\"\u{10000}\":1,\"\u{ffff}\":2}", "{\"\u{ffff}\":2,\"\u{10000}\":1}"),
        (r#"{"b":1,"a":1,"b":2,"a":3,"b":4}"#, r#"{"a":3,"b":4}"#),
        (r#"{"a":1,"\u0061":2}"#, r#"{"a":2}"#),
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
    ];
    for (input, expected) in cases {
        assert_eq!(canonical_json(input).as_deref(), Ok(expected));
    }
}

#[test]
fn numbers_of_strict_rooms() {
    for fine in ["0", "-1", "9007199254740991", "-9007199254740991"] {
        assert_eq!(canonical_json(fine).as_deref(), Ok(fine));
    }
    for bad in [
        "9007199254740992",
        "-9007199254740992",
        "1.0",
        "1e3",
        "-0",
        "0.5",
        "-0.0",
        "1E400",
        "123456789012345678901234567890",
    ] {
        let expected = BadJson::Number { number: bad.to_owned() };
        assert_eq!(canonical_json(&format!("{{\"a\":[{bad}]}}")), Err(expected));
    }
}

/// As Python reads and writes them, since Synapse made the hashes. The specification's own example has
/// `10000000000` for `1e10`, which no server of these rooms writes.
#[test]
fn numbers_of_old_rooms() {
    let cases = [
        (r#"{"a": -0, "b": 1e10}"#, r#"{"a":0,"b":10000000000.0}"#),
        ("9007199254740992", "9007199254740992"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("-0.0", "-0.0"),
        ("1.50", "1.5"),
        ("0.1", "0.1"),
        ("1e15", "1000000000000000.0"),
        ("1e16", "1e+16"),
        ("123456789012345680000.0", "1.2345678901234568e+20"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("-1.5E-300", "-1.5e-300"),
        ("5e-324", "5e-324"),
        ("1e-999", "0.0"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("2.2250738585072011e-308", "2.225073858507201e-308"),
    ];
    for (input, expected) in cases {
        assert_eq!(canonical_json_lenient(input).as_deref(), Ok(expected));
    }
    assert!(matches!(canonical_json_lenient("1e400"), Err(BadJson::Number { .. })));
}

#[test]
fn depth_is_refused_from_the_limit_on() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let mixed = |depth: usize| r#"{"a":"#.repeat(depth) + "1" + &"}".repeat(depth);
    for text in [nested(5), mixed(5), r#"["]]]]", [[[[]]]], "[[[[\"[["]"#.to_owned()] {
        assert_eq!(check_depth(text.as_bytes(), 5), Ok(()), "{text}");
        assert!(parse_limited::<Value>(text.as_bytes(), 5).is_ok(), "{text}");
        assert_eq!(check_depth(text.as_bytes(), 4), Err(BadJson::TooDeep { depth_max: 4 }));
    }
    let deep = nested(FEDERATION_JSON_DEPTH_MAX + 1);
    let expected = BadJson::TooDeep { depth_max: FEDERATION_JSON_DEPTH_MAX };
    assert_eq!(canonical_json(&deep), Err(expected));
    assert!(parse_limited::<Value>(nested(120).as_bytes(), FEDERATION_JSON_DEPTH_MAX).is_ok());
    assert!(check_depth(nested(1_000_000).as_bytes(), 64).is_err());
}

#[test]
fn errors_tell_no_json_from_the_wrong_json() {
    let parse = |text: &str| parse_limited::<Vec<u8>>(text.as_bytes(), 8);
    assert_eq!(parse("[1, 2]"), Ok(vec![1, 2]));
    assert!(matches!(parse("[1, 2"), Err(BadJson::Syntax(_))));
    assert!(matches!(parse("[1, 2]]"), Err(BadJson::Syntax(_))));
    assert!(matches!(parse(r#"{"a":1}"#), Err(BadJson::Shape(_))));
    assert!(matches!(parse_limited::<Value>(b"\"\xff\"", 8), Err(BadJson::Syntax(_))));
}

#[test]
fn content_is_checked_by_room_version() {
    for rules in list_rules() {
        let check = |text: &str| check_content(rules, &RawValue::from_string(text.to_owned()).unwrap());
        assert_eq!(check(r#"{"a":1}"#), Ok(()));
        assert!(matches!(check("[]"), Err(BadJson::Shape(_))));
        for number in ["1.5", "9007199254740992"] {
            let result = check(&format!("{{\"a\":{{\"b\":{number}}}}}"));
            assert_eq!(result.is_ok(), !rules.strict_json, "version {}", rules.version);
        }
    }
}
