//! Cursors: where a page ended, as an opaque text bound to the filter it was made for.
//!
//! A cursor names the last row shown (its sort key), not an offset, so that a row inserted meanwhile neither repeats nor
//! hides another. It carries a digest of its filter and position; a cursor from another list, or one that was changed,
//! is refused instead of answering something surprising.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

const DIGEST_BYTES: usize = 8;

/// A text that is no cursor of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a cursor of this list with these filters; begin again without it")]
pub struct InvalidCursor;

/// An opaque cursor: where the next page begins. It is bound to its list and filters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
pub struct Cursor(String);

impl Cursor {
    /// A cursor after `position` in the list that `filter` describes.
    pub fn new<F: Serialize, P: Serialize>(filter: &F, position: &P) -> Self {
        let position = serde_json::to_vec(position).unwrap_or_default();
        let mut bytes = digest(filter, &position).to_vec();
        bytes.extend(position);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads back the position, if `text` is a cursor of the list that `filter` describes.
    ///
    /// # Errors
    /// When it is not.
    pub fn read<F: Serialize, P: DeserializeOwned>(
        text: &str,
        filter: &F,
    ) -> Result<P, InvalidCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        let (claimed, position) = bytes.split_at_checked(DIGEST_BYTES).ok_or(InvalidCursor)?;
        if claimed != digest(filter, position) {
            return Err(InvalidCursor);
        }
        serde_json::from_slice(position).map_err(|_| InvalidCursor)
    }
}

fn digest<F: Serialize>(filter: &F, position: &[u8]) -> [u8; DIGEST_BYTES] {
    let filter = serde_json::to_vec(filter).unwrap_or_default();
    let hash = Sha256::new()
        .chain_update(filter.len().to_le_bytes())
        .chain_update(filter)
        .chain_update(position)
        .finalize();
    let mut digest = [0; DIGEST_BYTES];
    digest.copy_from_slice(&hash[..DIGEST_BYTES]);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back(key in any::<i64>(), id in any::<[u8; 16]>(), filter in any::<String>()) {
            let cursor = Cursor::new(&filter, &(key, id));
            prop_assert_eq!(Cursor::read::<_, (i64, [u8; 16])>(&cursor.0, &filter), Ok((key, id)));
        }

        #[test]
        fn any_text_is_read_without_panic(text in any::<String>()) {
            prop_assert!(Cursor::read::<_, i64>(&text, &"queue").is_err());
        }

        #[test]
        fn one_changed_character_is_refused(key in any::<i64>(), at in any::<prop::sample::Index>(), by in any::<char>()) {
            let text = Cursor::new(&"queue", &key).0;
            let mut chars: Vec<char> = text.chars().collect();
            let at = at.index(chars.len());
            chars[at] = by;
            let changed: String = chars.into_iter().collect();
            prop_assume!(changed != text);
            prop_assert_eq!(Cursor::read::<_, i64>(&changed, &"queue"), Err(InvalidCursor));
        }
    }

    #[test]
    fn a_cursor_of_another_filter_is_refused() {
        let cursor = Cursor::new(&("queue", "threat"), &7);
        assert_eq!(
            Cursor::read::<_, i32>(&cursor.0, &("queue", "spam")),
            Err(InvalidCursor)
        );
    }
}
