//! The operator's rules of who may list rooms in the directory, and who may have which alias.
//!
//! A rule is a line: `allow` or `deny`, then conditions `user=`, `alias=`, `room=` with patterns in which `*` stands for
//! any text and `?` for one character. The first rule whose conditions all hold decides; without one the answer is no.

use ruma::{RoomAliasId, RoomId, UserId};
use thiserror::Error;

/// Rules that are read.
const RULES_MAX: usize = 1_000;

/// A rule that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no rule: expected `allow` or `deny`, then any of user=PATTERN, alias=PATTERN, room=PATTERN")]
pub struct BadRule(pub String);

/// An ordered list of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicationRules(Vec<Rule>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    is_allow: bool,
    user: Option<String>,
    alias: Option<String>,
    room: Option<String>,
}

impl PublicationRules {
    /// Reads the rules of the configuration.
    ///
    /// # Errors
    /// [`BadRule`] for the first line that is not understood.
    pub fn parse(lines: &[String]) -> Result<Self, BadRule> {
        if let Some(line) = lines.get(RULES_MAX) {
            return Err(BadRule(line.clone()));
        }
        lines
            .iter()
            .map(|line| parse_rule(line).ok_or_else(|| BadRule(line.clone())))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a user may list a room that has these aliases, or give it this one.
    #[must_use]
    pub fn allow(&self, user: &UserId, room: &RoomId, aliases: &[impl AsRef<RoomAliasId>]) -> bool {
        let holds = |rule: &&Rule| {
            let fits = |pattern: &Option<String>, text: &str| {
                pattern.as_ref().is_none_or(|pattern| matches(pattern.as_bytes(), text.as_bytes()))
            };
            fits(&rule.user, user.as_str())
                && fits(&rule.room, room.as_str())
                // A rule about aliases is met by any of them, one about every alias also by none.
                && (rule.alias.as_deref().is_none_or(|pattern| pattern == "*")
                    || aliases.iter().any(|alias| fits(&rule.alias, alias.as_ref().as_str())))
        };
        self.0.iter().find(holds).is_some_and(|rule| rule.is_allow)
    }
}

fn parse_rule(line: &str) -> Option<Rule> {
    let mut words = line.split_whitespace();
    let is_allow = match words.next()? {
        "allow" => true,
        "deny" => false,
        _ => return None,
    };
    let mut rule = Rule { is_allow, user: None, alias: None, room: None };
    for word in words {
        let (field, pattern) = word.split_once('=')?;
        let slot = match field {
            "user" => &mut rule.user,
            "alias" => &mut rule.alias,
            "room" => &mut rule.room,
            _ => return None,
        };
        if pattern.is_empty() || slot.replace(pattern.to_owned()).is_some() {
            return None;
        }
    }
    Some(rule)
}

/// Whether a whole text fits a pattern. Goes back to the last `*` only, so that no pattern is slow.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(b'?') => (at, from) = (at + 1, from + 1),
            Some(letter) if *letter == text[from] => (at, from) = (at + 1, from + 1),
            _ => match star {
                Some((behind, begun)) => {
                    star = Some((behind, begun + 1));
                    (at, from) = (behind + 1, begun + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use ruma::{OwnedRoomAliasId, room_alias_id, room_id, user_id};

    use super::{PublicationRules, matches};

    fn rules(lines: &[&str]) -> PublicationRules {
        PublicationRules::parse(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_first_rule_that_holds_decides() {
        let rules =
            rules(&["deny user=@eve:*", "allow room=!open:* user=@*:h.example", "allow alias=#pub_*:h.example"]);
        let none: [OwnedRoomAliasId; 0] = [];
        let (open, closed) = (room_id!("!open:h.example"), room_id!("!closed:h.example"));
        assert!(rules.allow(user_id!("@alice:h.example"), open, &none));
        assert!(!rules.allow(user_id!("@eve:h.example"), open, &none));
        assert!(!rules.allow(user_id!("@alice:h.example"), closed, &none));
        assert!(rules.allow(user_id!("@alice:h.example"), closed, &[room_alias_id!("#pub_1:h.example")]));
        assert!(!rules.allow(user_id!("@alice:h.example"), closed, &[room_alias_id!("#other:h.example")]));
    }

    #[test]
    fn a_room_without_aliases_meets_a_rule_about_all_of_them() {
        let none: [OwnedRoomAliasId; 0] = [];
        assert!(rules(&["allow alias=*"]).allow(user_id!("@a:h"), room_id!("!r:h"), &none));
        assert!(!rules(&[]).allow(user_id!("@a:h"), room_id!("!r:h"), &none));
    }

    #[test]
    fn what_is_no_rule_is_named() {
        for line in ["", "permit", "allow who=@a:b", "allow user=", "allow user=@a:b user=@c:d", "allow user"] {
            let error = PublicationRules::parse(&[line.to_owned()]).unwrap_err();
            assert_eq!(error.0, line);
        }
    }

    #[test]
    fn patterns_fit_whole_texts() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*aab", "aaaaaab", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), fits, "{pattern} {text}");
        }
    }
}
