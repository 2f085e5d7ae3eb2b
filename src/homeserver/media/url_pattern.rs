//! Which URLs an operator means: `example.org`, `*.example.org`, `example.org/news`.

use crate::outbound::Url;

/// A host, or all hosts below a name, and the beginning of a path.
#[derive(Clone, Debug)]
pub(super) struct UrlPattern {
    host: String,
    /// The host is the end of a name, without the star and its dot.
    is_below: bool,
    path: String,
}

impl UrlPattern {
    /// Any text is a pattern; one that is no host matches nothing.
    pub(super) fn new(text: &str) -> Self {
        let text = text.trim();
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        let (host, path) =
            text.split_once('/').map_or((text, String::new()), |(host, path)| (host, format!("/{path}")));
        let host = host.to_ascii_lowercase();
        match host.strip_prefix("*.") {
            Some(below) => Self { host: below.to_owned(), is_below: true, path },
            None => Self { host, is_below: false, path },
        }
    }

    pub(super) fn matches(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        let is_host = if self.is_below {
            host.strip_suffix(&self.host).is_some_and(|before| before.ends_with('.'))
        } else {
            host == self.host
        };
        is_host && url.path().starts_with(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::UrlPattern;
    use crate::outbound::Url;

    #[test]
    fn hosts_names_below_and_paths_are_told_apart() {
        let cases = [
            ("example.org", "https://example.org/x", true),
            ("Example.org", "http://EXAMPLE.org:8080/", true),
            ("example.org", "https://www.example.org/", false),
            ("example.org", "https://example.org./", true),
            ("*.example.org", "https://a.b.example.org/", true),
            ("*.example.org", "https://example.org/", false),
            ("*.example.org", "https://badexample.org/", false),
            ("https://example.org/news", "https://example.org/news/1", true),
            ("example.org/news", "https://example.org/old", false),
            ("", "https://example.org/", false),
            ("[::1]", "http://[::1]/", true),
        ];
        for (pattern, url, expected) in cases {
            assert_eq!(UrlPattern::new(pattern).matches(&Url::parse(url).unwrap()), expected, "{pattern} {url}");
        }
    }
}
