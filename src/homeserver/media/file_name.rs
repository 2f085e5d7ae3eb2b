//! File names that users give: kept for showing, and never used as a path here.
//!
//! Whoever saves a download under its name must be safe too, so that nothing is left of folders, control
//! characters, and characters that turn the direction of writing (which make `exe.png` of `gnp.exe`).

/// The longest file name that is kept, in bytes: what file systems allow.
const FILE_NAME_BYTES_MAX: usize = 255;

/// The name without what could do harm; none if nothing is left.
pub fn clean_file_name(given: &str) -> Option<String> {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut name: String = last.chars().filter(|letter| !is_harmful(*letter)).collect();
    while name.len() > FILE_NAME_BYTES_MAX {
        name.pop();
    }
    let name = name.trim();
    let is_dots = name.bytes().all(|byte| byte == b'.');
    (!is_dots).then(|| name.to_owned())
}

/// Control characters, line separators, and marks of direction (Unicode, UAX #9, "Explicit Formatting Characters").
fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::clean_file_name;

    #[test]
    fn ordinary_names_stay() {
        for name in ["ascii", "name with spaces", "name;with;semicolons", "\u{1f414}", "a \"quoted\".txt", ".profile"] {
            assert_eq!(clean_file_name(name).as_deref(), Some(name));
        }
    }

    #[test]
    fn nothing_is_left_of_paths_and_control_characters() {
        let cases = [
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Windows\\win.ini", Some("win.ini")),
            ("a\r\nSet-Cookie: x", Some("aSet-Cookie: x")),
            ("photo\u{202e}gnp.exe", Some("photognp.exe")),
            ("..", None),
            ("/", None),
            ("\0", None),
        ];
        for (given, expected) in cases {
            assert_eq!(clean_file_name(given).as_deref(), expected, "{given:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_between_letters() {
        let name = clean_file_name(&"\u{e9}".repeat(300)).unwrap();
        assert_eq!(name.len(), 254);
    }
}
