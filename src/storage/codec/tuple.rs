//! Tuples of keys: their parts one after the other.

use super::Key;
use crate::error::CodecError;

/// The empty key: the prefix of every row of a table, or the key of a table of one row.
impl Key for () {
    const LAYOUT: &'static str = "nothing";
    fn encode(&self, _out: &mut Vec<u8>) {}
    fn decode(_input: &mut &[u8]) -> Result<Self, CodecError> {
        Ok(())
    }
}

macro_rules! tuple_keys {
    ($(($($part:ident $at:tt),+))*) => {$(
        impl<$($part: Key),+> Key for ($($part,)+) {
            const LAYOUT: &'static str = "tuple";
            fn layout() -> String {
                [$($part::layout()),+].join(", ")
            }
            fn position(&self) -> Option<hearth_protocol::LanePos> {
                None$(.or(self.$at.position()))+
            }
            fn encode(&self, out: &mut Vec<u8>) {
                $(self.$at.encode(out);)+
            }
            fn decode(input: &mut &[u8]) -> Result<Self, CodecError> {
                Ok(($($part::decode(input)?,)+))
            }
        }
    )*};
}
tuple_keys! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}
