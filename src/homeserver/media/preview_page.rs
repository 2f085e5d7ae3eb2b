//! What a web page says of itself: OpenGraph properties, else its title, description and first image.
//!
//! Pages come from anybody. They are read as a sequence of tags, never as a tree, so that no nesting is too deep;
//! and what is taken out of them is limited in number and length.

use encoding_rs::{Encoding, UTF_8};
use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

/// The longest text of a property, in characters.
const TEXT_CHARS_MAX: usize = 500;

/// The longest URL of a property, in bytes.
const URL_BYTES_MAX: usize = 4_096;

/// How many characters of a page's text make a description where it has none.
const EXCERPT_CHARS_MAX: usize = 300;

/// How far into a page its encoding may be declared, in bytes (HTML, "Determining the character encoding").
const DECLARATION_BYTES_MAX: usize = 1_024;

/// OpenGraph properties that are passed on.
const PROPERTIES: [&str; 7] =
    ["og:title", "og:type", "og:url", "og:image", "og:description", "og:site_name", "og:image:alt"];

/// Elements whose text is not the page's.
const NOT_TEXT: [&str; 12] = [
    "script", "style", "noscript", "template", "nav", "header", "footer", "aside", "svg", "iframe", "textarea", "title",
];

/// What a page says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PageFacts {
    /// OpenGraph properties with their values, each at most once.
    pub(super) properties: Vec<(&'static str, String)>,
}

impl PageFacts {
    pub(super) fn get(&self, property: &str) -> Option<&str> {
        self.properties.iter().find(|(name, _)| *name == property).map(|(_, value)| value.as_str())
    }

    /// Takes out a property.
    pub(super) fn take(&mut self, property: &str) -> Option<String> {
        let at = self.properties.iter().position(|(name, _)| *name == property)?;
        Some(self.properties.remove(at).1)
    }

    fn offer(&mut self, property: &'static str, value: &str) {
        let value = if property == "og:url" || property == "og:image" {
            let value = value.trim();
            if value.len() > URL_BYTES_MAX { String::new() } else { value.to_owned() }
        } else {
            one_line(value, TEXT_CHARS_MAX)
        };
        if !value.is_empty() && self.get(property).is_none() {
            self.properties.push((property, value));
        }
    }
}

/// The text without runs of spaces, cut.
fn one_line(text: &str, chars_max: usize) -> String {
    let mut line = String::new();
    let mut chars = 0;
    for word in text.split_whitespace() {
        let letters = word.chars().filter(|letter| !letter.is_control()).count();
        if chars + letters > chars_max {
            if line.is_empty() {
                line.extend(word.chars().filter(|letter| !letter.is_control()).take(chars_max));
            }
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|letter| !letter.is_control()));
        chars += letters + 1;
    }
    line
}

/// Reads a page in whatever encoding it has.
pub(super) fn read_page(bytes: &[u8], content_type: &str) -> PageFacts {
    let (text, _, _) = encoding_of(bytes, content_type).decode(bytes);
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut reading = Reading::default();
    for token in Tokenizer::new_with_emitter(text.as_ref(), emitter).flatten() {
        match token {
            Token::StartTag(tag) => reading.start(&tag),
            Token::EndTag(tag) => reading.end(&tag.name),
            Token::String(text) => reading.text(&text),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    reading.finish()
}

/// By the answer's header, else by the page's declaration, else UTF-8. A mark at the beginning wins (`decode`).
fn encoding_of(bytes: &[u8], content_type: &str) -> &'static Encoding {
    let declaration = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARATION_BYTES_MAX)]).to_ascii_lowercase();
    let label = charset(&content_type.to_ascii_lowercase()).or_else(|| charset(&declaration));
    label.and_then(|label| Encoding::for_label(label.as_bytes())).unwrap_or(UTF_8)
}

/// What stands behind `charset=`.
fn charset(text: &str) -> Option<String> {
    let (_, behind) = text.split_once("charset=")?;
    let behind = behind.trim_start_matches(['"', '\'']);
    let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && !"-_:.".contains(c)).unwrap_or(behind.len());
    Some(behind[..end].to_owned())
}

/// How far the reading of a page has come.
#[derive(Default)]
struct Reading {
    facts: PageFacts,
    description: String,
    first_image: String,
    title: String,
    excerpt: String,
    is_in_title: bool,
    is_in_body: bool,
    /// How many elements are open whose text is not the page's.
    hidden: usize,
}

impl Reading {
    fn start(&mut self, tag: &StartTag<()>) {
        let attribute =
            |name: &str| tag.attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned());
        let name = String::from_utf8_lossy(&tag.name);
        match &*name {
            "meta" => {
                let property = attribute("property").or_else(|| attribute("name")).unwrap_or_default();
                self.meta(&property.trim().to_ascii_lowercase(), &attribute("content").unwrap_or_default());
            }
            "title" if self.title.is_empty() => self.is_in_title = true,
            "body" => self.is_in_body = true,
            "img" if self.first_image.is_empty() => self.first_image = attribute("src").unwrap_or_default(),
            _ => {}
        }
        if NOT_TEXT.contains(&&*name) && !tag.self_closing {
            self.hidden += 1;
        }
    }

    fn meta(&mut self, property: &str, content: &str) {
        // Some pages write `og:image:url`, which is the same.
        let property = if property == "og:image:url" { "og:image" } else { property };
        if let Some(known) = PROPERTIES.iter().find(|known| **known == property) {
            self.facts.offer(known, content);
        } else if property == "description" && self.description.is_empty() {
            content.clone_into(&mut self.description);
        }
    }

    fn end(&mut self, name: &[u8]) {
        let name = String::from_utf8_lossy(name);
        if name == "title" {
            self.is_in_title = false;
        }
        if NOT_TEXT.contains(&&*name) {
            self.hidden = self.hidden.saturating_sub(1);
        }
    }

    fn text(&mut self, text: &[u8]) {
        let into = if self.is_in_title {
            &mut self.title
        } else if self.is_in_body && self.hidden == 0 {
            &mut self.excerpt
        } else {
            return;
        };
        // More than enough for what is kept of it.
        if into.len() < TEXT_CHARS_MAX * 8 {
            into.push_str(&String::from_utf8_lossy(text));
            into.push(' ');
        }
    }

    fn finish(mut self) -> PageFacts {
        self.facts.offer("og:title", &self.title);
        self.facts.offer("og:description", &self.description);
        self.facts.offer("og:description", &one_line(&self.excerpt, EXCERPT_CHARS_MAX));
        self.facts.offer("og:image", &self.first_image);
        self.facts
    }
}

#[cfg(test)]
mod tests {
    use super::read_page;

    fn facts(html: &str) -> Vec<(&'static str, String)> {
        read_page(html.as_bytes(), "text/html").properties
    }

    fn pairs(expected: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        expected.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    #[test]
    fn what_the_page_says_of_itself_comes_first() {
        let html = "<html><head><title>Fallback</title><meta property=\"og:title\" content=\"The  Rock\n(1996) &amp; more\">\
                    <META NAME='OG:type' content=video.movie><meta property=og:video content=x>\
                    <meta property='og:image:url' content=' /a.png '><meta property='og:title' content='second'>\
                    <meta name=description content='About it'></head><body><img src=b.png>Text</body></html>";
        let expected = [
            ("og:title", "The Rock (1996) & more"),
            ("og:type", "video.movie"),
            ("og:image", "/a.png"),
            ("og:description", "About it"),
        ];
        assert_eq!(facts(html), pairs(&expected));
    }

    #[test]
    fn a_page_that_says_nothing_is_read() {
        let html = "<title> A page </title><body><script>var x = '<p>no</p>';</script><nav>Menu</nav>\
                    <p>First <b>words</b>.</p><style>p{}</style><img src='pic.jpg'>";
        let expected = [("og:title", "A page"), ("og:description", "First words ."), ("og:image", "pic.jpg")];
        assert_eq!(facts(html), pairs(&expected));
        assert_eq!(facts(""), pairs(&[]));
        assert_eq!(facts("no page at all"), pairs(&[]));
    }

    #[test]
    fn encodings_are_understood() {
        let latin = b"<meta charset=\"iso-8859-1\"><title>caf\xe9</title>";
        assert_eq!(read_page(latin, "text/html").properties, pairs(&[("og:title", "caf\u{e9}")]));
        let kanji = b"<title>\x93\xfa\x96{</title>";
        assert_eq!(
            read_page(kanji, "text/html; Charset=Shift_JIS").properties,
            pairs(&[("og:title", "\u{65e5}\u{672c}")])
        );
        assert_eq!(read_page(b"<title>\xff\xfe!</title>", "text/html").properties.len(), 1);
    }

    #[test]
    fn a_page_without_measure_is_cut() {
        let deep = "<div>".repeat(100_000) + "<title>deep</title>";
        assert_eq!(facts(&deep), pairs(&[("og:title", "deep")]));
        let long = format!("<title>{}</title><body>{}", "x".repeat(9_999), "word ".repeat(9_999));
        let long = facts(&long);
        assert_eq!(long[0].1.len(), 500);
        assert!(long[1].1.len() <= 300, "{}", long[1].1.len());
        assert_eq!(facts(&format!("<meta property=og:image content='{}'>", "x".repeat(5_000))), pairs(&[]));
    }
}
