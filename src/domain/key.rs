//! The key of a stored result: for `/url` the URL's text exactly as it was sent, for `/classify` the picture's digest.

use std::sync::Arc;

/// Text that a row is stored under: not empty, within the byte limit, free of control characters.
///
/// Nothing is normalised, since rows written by other programs must be found. Cloning is cheap: the text is shared.
/// Keys order by their bytes, which is the order rows are inserted in (ORA-00060 otherwise, see `store::oracle`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

/// Why a text cannot be a key. The messages are written for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is empty; Oracle would store it as NULL.
    #[error("must not be empty")]
    Empty,
    /// The text is longer than the limit.
    #[error("is {len_bytes} bytes long, the limit is {max_bytes}")]
    TooLong {
        /// Length of the text in bytes of UTF-8.
        len_bytes: usize,
        /// The limit in bytes of UTF-8.
        max_bytes: usize,
    },
    /// The text holds a NUL or another control character.
    #[error("holds the control character U+{:04X} at byte {at_byte}", u32::from(*.character))]
    ControlCharacter {
        /// The first such character.
        character: char,
        /// Where it stands, in bytes from the start.
        at_byte: usize,
    },
}

impl Key {
    /// Parses a key of at most `max_bytes` bytes of UTF-8.
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong with the text.
    pub fn parse(text: &str, max_bytes: usize) -> Result<Self, KeyError> {
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.len() > max_bytes {
            return Err(KeyError::TooLong { len_bytes: text.len(), max_bytes });
        }
        // Nearly always there is nothing but printable ASCII, which a look at all bytes tells at several a time.
        let is_printable_ascii = text.bytes().fold(true, |so_far, byte| so_far & matches!(byte, b' '..=b'~'));
        if !is_printable_ascii && let Some((at_byte, character)) = text.char_indices().find(|(_, c)| c.is_control()) {
            return Err(KeyError::ControlCharacter { character, at_byte });
        }
        Ok(Self(text.into()))
    }

    /// The key of what is known by its digest: the lower-case hexadecimal digits.
    #[must_use]
    pub fn of_digest(digest: &[u8]) -> Self {
        Self(super::hex(digest).into())
    }

    /// A key read back from the result table: whatever stands there is a key, also one of another program.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_is_the_text_as_sent() {
        let key = Key::parse(" HTTP://Example.COM/%7e ", 100).expect("a key");
        assert_eq!(key.as_str(), " HTTP://Example.COM/%7e ");
    }

    #[test]
    fn what_oracle_could_not_hold_is_refused() {
        assert_eq!(Key::parse("", 10), Err(KeyError::Empty));
        assert_eq!(Key::parse("häh", 3), Err(KeyError::TooLong { len_bytes: 4, max_bytes: 3 }));
        assert_eq!(Key::parse("a\0b", 10), Err(KeyError::ControlCharacter { character: '\0', at_byte: 1 }));
        assert_eq!(
            Key::parse("a\u{85}", 10).map_err(|e| e.to_string()),
            Err("holds the control character U+0085 at byte 1".to_owned())
        );
    }

    proptest! {
        #[test]
        fn every_parsed_key_keeps_the_promise(text in any::<String>(), max_bytes in 0_usize..64) {
            match Key::parse(&text, max_bytes) {
                Ok(key) => {
                    prop_assert_eq!(key.as_str(), &text);
                    prop_assert!(!text.is_empty() && text.len() <= max_bytes && !text.contains(char::is_control));
                }
                Err(_) => prop_assert!(text.is_empty() || text.len() > max_bytes || text.contains(char::is_control)),
            }
        }
    }
}
