//! Where the access token stands in a request.

use super::*;

fn parts(uri: &str, authorization: Option<&str>) -> Parts {
    let mut request = http::Request::builder().uri(uri);
    if let Some(value) = authorization {
        request = request.header(AUTHORIZATION, value);
    }
    request.body(()).expect("a request").into_parts().0
}

#[test]
fn the_header_comes_first() {
    let token = |uri, header| access_token(&parts(uri, header), true);
    assert_eq!(token("/x", Some("Bearer abc")).as_deref(), Some("abc"));
    assert_eq!(token("/x", Some("bearer  abc ")).as_deref(), Some("abc"));
    assert_eq!(token("/x?access_token=q", Some("Bearer abc")).as_deref(), Some("abc"));
    assert_eq!(token("/x?a=b&access_token=q%2B", None).as_deref(), Some("q+"));
    assert_eq!(token("/x?access_token=", None), None);
    assert_eq!(token("/x", Some("Basic abc")), None);
    assert_eq!(token("/x", None), None);
}

#[test]
fn the_query_can_be_forbidden() {
    assert_eq!(access_token(&parts("/x?access_token=q", None), false), None);
    assert_eq!(access_token(&parts("/x", Some("Bearer abc")), false).as_deref(), Some("abc"));
}
