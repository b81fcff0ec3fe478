//! Tensors of BYTES as the binary tensor extension writes them: each element is its length, four bytes little-endian, and then
//! its bytes; the elements follow each other without a gap.

/// Splits a tensor's bytes into its `count` elements; `None` where there are more or fewer, or their lengths do not add up.
pub(super) fn split(mut tensor: &[u8], count: usize) -> Option<Vec<&[u8]>> {
    let mut elements = Vec::new();
    while !tensor.is_empty() {
        if elements.len() == count {
            return None;
        }
        let (length, rest) = tensor.split_first_chunk()?;
        let (element, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        elements.push(element);
        tensor = rest;
    }
    (elements.len() == count).then_some(elements)
}

/// Appends an element.
pub(super) fn append(tensor: &mut Vec<u8>, element: &[u8]) {
    // Longer than 4 GiB is nothing that a result column holds.
    let length = u32::try_from(element.len()).unwrap_or(u32::MAX);
    tensor.extend_from_slice(&length.to_le_bytes());
    tensor.extend_from_slice(&element[..length as usize]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_add_up_is_no_tensor() {
        assert_eq!(split(&[], 0), Some(vec![]));
        assert_eq!(split(&[1, 0, 0, 0, b'a'], 1), Some(vec![&b"a"[..]]));
        assert_eq!(split(&[1, 0, 0, 0, b'a'], 0), None);
        assert_eq!(split(&[1, 0, 0, 0, b'a'], 2), None);
        for broken in [&[1][..], &[1, 0, 0], &[1, 0, 0, 0], &[2, 0, 0, 0, b'a'], &[255, 255, 255, 255, b'a']] {
            assert_eq!(split(broken, 1), None, "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn elements_come_back_as_they_were(elements in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..20)) {
            let mut tensor = Vec::new();
            elements.iter().for_each(|element| append(&mut tensor, element));
            prop_assert_eq!(split(&tensor, elements.len()).expect("a tensor"), elements);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100), count in 0..3_usize) {
            if let Some(elements) = split(&bytes, count) {
                let mut back = Vec::new();
                elements.iter().for_each(|element| append(&mut back, element));
                prop_assert_eq!(back, bytes);
            }
        }
    }
}
