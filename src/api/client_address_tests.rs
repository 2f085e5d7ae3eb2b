//! Which of several forwarded addresses counts.

use http::HeaderValue;

use super::*;

fn headers(values: &[&'static str]) -> HeaderMap {
    values
        .iter()
        .map(|value| (FORWARDED_FOR.parse().expect("a header name"), HeaderValue::from_static(value)))
        .collect()
}

#[test]
fn only_what_the_nearest_proxy_wrote_counts() {
    let address = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
    assert_eq!(forwarded_for(&headers(&["192.0.2.1"])), address("192.0.2.1"));
    assert_eq!(forwarded_for(&headers(&["198.51.100.7, 192.0.2.1"])), address("192.0.2.1"));
    assert_eq!(forwarded_for(&headers(&["2001:db8::1"])), address("2001:db8::1"));
    assert_eq!(forwarded_for(&headers(&["192.0.2.1", "192.0.2.2"])), address("192.0.2.2"));
    assert_eq!(forwarded_for(&headers(&["192.0.2.1, unknown"])), None);
    assert_eq!(forwarded_for(&headers(&[])), None);
}
