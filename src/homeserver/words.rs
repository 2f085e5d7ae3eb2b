//! Text as words, the same for what is indexed and for what is asked.
//!
//! A word is folded: compatibility forms unified, lower case, without accents. Scripts that put no spaces between
//! words (Chinese, Japanese, Thai, and Korean with its particles) are indexed by single characters and by pairs, and
//! asked by pairs, so that any part of a sentence is found. There is no stemming: `run` does not find `running`.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

/// Different words of one event that are indexed; what comes after them is not found.
pub const WORDS_PER_EVENT_MAX: usize = 400;
/// Words of a question that are looked for; further ones are passed over.
pub const WORDS_PER_QUERY_MAX: usize = 16;
/// Words of one person's names.
pub const WORDS_PER_NAME_MAX: usize = 16;
/// Longest word in characters; of a longer one this much counts.
const WORD_CHARS_MAX: usize = 40;

/// The words of a text that is indexed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextWords {
    /// Each different word and how often it occurs, in order of the first occurrence.
    pub words: Vec<(String, u8)>,
    /// How many words there are altogether.
    pub total: u16,
}

/// The words by which a text is found.
#[must_use]
pub fn index_words(text: &str) -> TextWords {
    let mut found = TextWords::default();
    let mut places: HashMap<String, usize> = HashMap::new();
    for_each_word(text, Spread::SinglesAndPairs, &mut |word| {
        found.total = found.total.saturating_add(1);
        match places.get(&word) {
            Some(place) => found.words[*place].1 = found.words[*place].1.saturating_add(1),
            None if found.words.len() < WORDS_PER_EVENT_MAX => {
                places.insert(word.clone(), found.words.len());
                found.words.push((word, 1));
            }
            None => {}
        }
    });
    found
}

/// The different words of a question. All of them have to be in what is found.
#[must_use]
pub fn query_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for_each_word(text, Spread::Pairs, &mut |word| {
        if words.len() < WORDS_PER_QUERY_MAX && !words.contains(&word) {
            words.push(word);
        }
    });
    words
}

/// The words by which a person is found: those of the display name and of the user's name, and that as a whole.
#[must_use]
pub fn name_words(localpart: &str, display_name: Option<&str>) -> Vec<String> {
    let mut words = vec![fold(localpart)];
    for name in [Some(localpart), display_name].into_iter().flatten() {
        for (word, _) in index_words(name).words {
            if words.len() < WORDS_PER_NAME_MAX && !words.contains(&word) {
                words.push(word);
            }
        }
    }
    words
}

/// The words of a text as they are written there (in lower case) that a question with these folded words means.
#[must_use]
pub fn spellings(text: &str, asked: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for raw in text.unicode_words().flat_map(|word| word.split(is_joint)) {
        let folded: String = fold(raw).chars().take(WORD_CHARS_MAX).collect();
        if asked.contains(&folded) {
            found.push(raw.to_lowercase());
        }
    }
    found
}

/// Text in the form in which words are compared.
#[must_use]
pub fn fold(text: &str) -> String {
    let plain = text.nfkd().filter(|c| !is_accent(*c));
    let lower = plain.flat_map(char::to_lowercase).filter(|c| !is_accent(*c));
    let mut folded = String::with_capacity(text.len());
    for c in lower.nfc() {
        match c {
            'ß' => folded.push_str("ss"),
            // A sigma at the end of a word.
            'ς' => folded.push('σ'),
            c => folded.push(c),
        }
    }
    folded
}

/// How a run of characters without spaces becomes words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spread {
    SinglesAndPairs,
    Pairs,
}

fn for_each_word(text: &str, spread: Spread, give: &mut impl FnMut(String)) {
    let folded = fold(text);
    let mut rest = folded.as_str();
    while let Some(first) = rest.chars().next() {
        let unspaced = is_unspaced(first);
        let end = rest.find(|c| is_unspaced(c) != unspaced).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        if unspaced {
            spread_run(run, spread, give);
        } else {
            let parts = run.unicode_words().flat_map(|word| word.split(is_joint)).filter(|part| !part.is_empty());
            parts.for_each(|part| give(part.chars().take(WORD_CHARS_MAX).collect()));
        }
        rest = behind;
    }
}

fn spread_run(run: &str, spread: Spread, give: &mut impl FnMut(String)) {
    let mut chars = run.chars().peekable();
    let is_single = chars.clone().nth(1).is_none();
    while let Some(c) = chars.next() {
        if spread == Spread::SinglesAndPairs || is_single {
            give(c.into());
        }
        if let Some(next) = chars.peek() {
            give([c, *next].into_iter().collect());
        }
    }
}

/// What joins the parts of one word by the rules of Unicode, but not for who searches: `example.org`, `don't`, `a_b`.
fn is_joint(c: char) -> bool {
    matches!(c, '.' | '\'' | '\u{2019}' | ':' | '_' | '\u{b7}')
}

/// Marks that may be left out: accents, and the vowel points of Hebrew and Arabic.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}'
        | '\u{5c5}' | '\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Scripts without spaces between words (or, as in Korean, with endings that are not part of the word).
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}'          // Thai, Lao
        | '\u{1000}'..='\u{109f}'      // Burmese
        | '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7af}' // Korean
        | '\u{1780}'..='\u{17ff}'      // Khmer
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}'      // Japanese
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
