//! The reader against `serde_json`, on good and bad texts.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::json_canonical::write_value;

fn canonical(text: &str) -> Result<String, BadJson> {
    let mut value = parse(text, 64)?;
    value.settle_numbers(false)?;
    let mut out = String::new();
    write_value(&mut out, &value);
    Ok(out)
}

#[test]
fn texts_that_are_no_json() {
    for bad in [
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "nul",
        "nulll",
        "True",
        "NaN",
        "Infinity",
        "-",
        "+1",
        "01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "--1",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "\"\u{0}\"",
        "'a'",
        "1 2",
        "[]]",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800x\"",
        "/**/1",
        "\u{feff}1",
    ] {
        assert!(matches!(canonical(bad), Err(BadJson::Syntax(_))), "{bad:?}");
        assert!(serde_json::from_str::<Value>(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn escapes_become_characters() {
    let cases = [
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""\u0000\u001f\u007f\u00e9\ufffd""#, "\u{0}\u{1f}\u{7f}é\u{fffd}"),
        (r#""\ud83d\ude00x\uD83D\uDE00""#, "😀x😀"),
        (r#""plain""#, "plain"),
        (r#""é😀""#, "é😀"),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text, 1).unwrap().as_str(), Some(expected));
    }
}

#[test]
fn numbers_keep_their_text_unless_they_are_safe_integers() {
    assert_eq!(parse("9007199254740991", 1), Ok(Json::Int(9_007_199_254_740_991)));
    assert_eq!(parse("9007199254740992", 1), Ok(Json::Number("9007199254740992".into())));
    assert_eq!(parse("9007199254740992", 1).unwrap().as_u64(), Some(9_007_199_254_740_992));
    for no_integer in ["-1", "1.0", "1e3", "18446744073709551616", "\"1\"", "true", "null"] {
        assert_eq!(parse(no_integer, 1).unwrap().as_u64(), None, "{no_integer}");
    }
}

#[test]
fn objects_change_by_key() {
    let mut object = parse_object(r#"{"c":3,"a":1}"#, 1).unwrap();
    object.insert("b", Json::Int(2));
    object.insert("c", Json::Null);
    assert_eq!(object.remove("a"), Some(Json::Int(1)));
    assert_eq!(object.remove("a"), None);
    let entries: Vec<_> = object.iter().collect();
    assert_eq!(entries, [("b", &Json::Int(2)), ("c", &Json::Null)]);
    assert!(matches!(parse_object("[]", 1), Err(BadJson::Shape(_))));
}

/// Any JSON value without floats, not deep.
pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_judged_as_serde_json_judges_them(text in "\\PC*") {
        // What serde_json cannot hold in a float, we can as text, or refuse as a number.
        match canonical(&text) {
            Ok(_) => prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok()),
            Err(BadJson::Number { .. } | BadJson::TooDeep { .. }) => {}
            Err(_) => prop_assert!(serde_json::from_str::<Value>(&text).is_err()),
        }
    }

    #[test]
    fn json_like_bytes_are_judged_as_serde_json_judges_them(
        text in "[\\[\\]{}\",:\\\\ 0-9a-fun.eE+-]{0,24}",
    ) {
        match canonical(&text) {
            Ok(_) => prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok()),
            Err(BadJson::Number { .. } | BadJson::TooDeep { .. }) => {}
            Err(_) => prop_assert!(serde_json::from_str::<Value>(&text).is_err()),
        }
    }

    #[test]
    fn the_canonical_form_means_the_same_and_is_stable(value in any_value()) {
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let once = canonical(&pretty).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Value>(&once).unwrap(), &value);
        prop_assert_eq!(&canonical(&once).unwrap(), &once);
        // serde_json's map is sorted, and it writes the same few escapes.
        prop_assert_eq!(&serde_json::to_string(&value).unwrap(), &once);
    }

    #[test]
    fn the_canonical_form_is_that_of_ruma(value in any_value()) {
        let text = value.to_string();
        let theirs: ruma::CanonicalJsonValue = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(canonical(&text).unwrap(), theirs.to_string());
    }

    #[test]
    fn floats_read_back_as_they_were(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
        let text = format!("{number:?}");
        let once = canonical(&text).unwrap();
        prop_assert_eq!(once.parse::<f64>().unwrap().to_bits(), number.to_bits());
        prop_assert_eq!(&canonical(&once).unwrap(), &once);
    }
}
