//! How a section of the configuration is declared: a struct whose doc comments are the manual.
//!
//! A crate writes its section once, with [`settings!`](crate::settings!), beside the code that reads it.
//! The server crate collects the sections, reads file, environment and flags against them,
//! and generates the example file and the manual from them.
//!
//! Nothing here reads a file or the environment, and a section never looks at another one.

use std::path::PathBuf;

/// What a setting accepts, for checking and for the manual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number between the two bounds, both included.
    Integer(i64, i64),
    /// A number with a fraction.
    Float,
    /// Any text.
    Text,
    /// A path of a file or folder.
    Path,
    /// A list of one kind.
    List(Box<Kind>),
    /// A value that may be left out; the default is then described in the text.
    Optional(Box<Kind>),
    /// One of some words.
    Choice(&'static [Choice]),
}

/// One word that a [`Kind::Choice`] accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The word as it stands in the configuration.
    pub word: &'static str,
    /// What it means: the lines of its doc comment.
    pub doc: &'static [&'static str],
}

/// A type that a setting may have.
pub trait SettingKind {
    /// What is accepted.
    fn kind() -> Kind;
}

/// One setting of a section, as the manual shows it.
#[derive(Clone, Debug)]
pub struct SettingDoc {
    /// Its key within the section.
    pub key: &'static str,
    /// The lines of its doc comment.
    pub doc: &'static [&'static str],
    /// What it accepts.
    pub kind: Kind,
    /// Its default; null where there is none.
    pub default: serde_json::Value,
}

/// A section of the configuration, made by [`settings!`](crate::settings!).
pub trait Section: Default {
    /// The lines of the section's doc comment.
    const ABOUT: &'static [&'static str];

    /// All settings in the order of their declaration.
    fn list_settings() -> Vec<SettingDoc>;
}

/// The JSON form of a default, for the manual.
#[doc(hidden)]
pub fn default_to_json<T: serde::Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or(serde_json::Value::Null)
}

macro_rules! kinds {
    ($($type:ty => $kind:expr),* $(,)?) => {
        $(impl SettingKind for $type {
            fn kind() -> Kind {
                $kind
            }
        })*
    };
}

kinds! {
    bool => Kind::Bool,
    u8 => Kind::Integer(0, i64::from(u8::MAX)),
    u16 => Kind::Integer(0, i64::from(u16::MAX)),
    u32 => Kind::Integer(0, i64::from(u32::MAX)),
    u64 => Kind::Integer(0, i64::MAX),
    usize => Kind::Integer(0, i64::MAX),
    i64 => Kind::Integer(i64::MIN, i64::MAX),
    f64 => Kind::Float,
    String => Kind::Text,
    PathBuf => Kind::Path,
    ruma::RoomVersionId => Kind::Text,
}

impl<T: SettingKind> SettingKind for Vec<T> {
    fn kind() -> Kind {
        Kind::List(Box::new(T::kind()))
    }
}

impl<T: SettingKind> SettingKind for Option<T> {
    fn kind() -> Kind {
        Kind::Optional(Box::new(T::kind()))
    }
}

/// Declares a section: a struct with documented fields and their defaults.
///
/// ```
/// hearth_homeserver::settings! {
///     /// How rooms are kept.
///     pub struct RoomsConfig {
///         /// The longest topic, in bytes.
///         pub topic_bytes_max: u32 = 4096,
///     }
/// }
/// assert_eq!(RoomsConfig::default().topic_bytes_max, 4096);
/// ```
///
/// The crate that uses it needs `serde` as a dependency.
#[macro_export]
macro_rules! settings {
    (
        $(#[doc = $about:expr])*
        pub struct $name:ident {
            $($(#[doc = $doc:expr])* pub $field:ident: $kind:ty = $default:expr),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $doc])* pub $field: $kind,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::settings::Section for $name {
            const ABOUT: &'static [&'static str] = &[$($about),*];

            fn list_settings() -> Vec<$crate::settings::SettingDoc> {
                let defaults = Self::default();
                vec![$($crate::settings::SettingDoc {
                    key: stringify!($field),
                    doc: &[$($doc),*],
                    kind: <$kind as $crate::settings::SettingKind>::kind(),
                    default: $crate::settings::default_to_json(&defaults.$field),
                }),*]
            }
        }
    };
}

/// Declares the words that a setting accepts, as an enum.
///
/// ```
/// hearth_homeserver::choices! {
///     /// Who may register.
///     pub enum Registration {
///         /// Nobody.
///         Closed = "closed",
///         /// Everybody.
///         Open = "open",
///     }
/// }
/// ```
#[macro_export]
macro_rules! choices {
    (
        $(#[doc = $about:expr])*
        pub enum $name:ident {
            $($(#[doc = $doc:expr])* $variant:ident = $word:literal),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[doc = $doc])* #[serde(rename = $word)] $variant,)*
        }

        impl $crate::settings::SettingKind for $name {
            fn kind() -> $crate::settings::Kind {
                $crate::settings::Kind::Choice(&[
                    $($crate::settings::Choice { word: $word, doc: &[$($doc),*] }),*
                ])
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::{Kind, Section as _};

    crate::choices! {
        /// Colours.
        pub enum Colour {
            /// Like fire.
            Red = "red",
            /// Like ice.
            Blue = "blue",
        }
    }

    crate::settings! {
        /// A section.
        /// Its second line.
        pub struct Sample {
            /// How many.
            pub count_max: u16 = 3,
            /// Which.
            pub colour: Colour = Colour::Blue,
            /// Where, if anywhere.
            pub place: Option<String> = None,
        }
    }

    #[test]
    fn a_section_tells_its_docs_kinds_and_defaults() {
        assert_eq!(Sample::ABOUT, [" A section.", " Its second line."]);
        let settings = Sample::list_settings();
        assert_eq!(settings[0].key, "count_max");
        assert_eq!(settings[0].kind, Kind::Integer(0, 65535));
        assert_eq!(settings[0].default, serde_json::json!(3));
        assert_eq!(settings[1].default, serde_json::json!("blue"));
        let Kind::Choice(choices) = &settings[1].kind else { panic!("a choice") };
        assert_eq!((choices[0].word, choices[0].doc), ("red", &[" Like fire."][..]));
        assert_eq!(settings[2].kind, Kind::Optional(Box::new(Kind::Text)));
        assert!(settings[2].default.is_null());
    }

    #[test]
    fn missing_keys_take_their_defaults_and_unknown_ones_fail() {
        let read: Sample = serde_json::from_str(r#"{"colour":"red"}"#).unwrap();
        assert_eq!(read, Sample { colour: Colour::Red, ..Sample::default() });
        assert!(serde_json::from_str::<Sample>(r#"{"color":"red"}"#).is_err());
    }
}
