//! The keys file: a line a key, `name scope,scope sha256`; what begins with `#` is a comment. No message repeats what a
//! line holds: somebody may have put a key there.

use crate::domain::hex;

use super::{Hash, Holder, Scope};

/// Longest name of a key, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// What to do about a file without good lines.
const REMEDY: &str = "lines are made by `augur keygen`";

/// A key that is admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) hash: Hash,
    pub(super) holder: Holder,
}

/// Reads a keys file.
///
/// # Errors
/// What is wrong with it, with the line's number.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let entry = parse_line(line).map_err(|reason| format!("line {number}: {reason}: {REMEDY}"))?;
        if entries.iter().any(|known| known.holder.name == entry.holder.name) {
            return Err(format!("line {number}: its name stands in a line before"));
        }
        if entries.iter().any(|known| known.hash == entry.hash) {
            return Err(format!("line {number}: its key stands in a line before"));
        }
        entries.push(entry);
    }
    // Also what a reader sees of a file that is just being rewritten.
    if entries.is_empty() {
        return Err(format!("it holds no key: {REMEDY}"));
    }
    Ok(entries)
}

fn parse_line(line: &str) -> Result<Entry, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, scopes, digits] = words[..] else {
        return Err("a line is a name, scopes with commas between them, and the key's SHA-256".to_owned());
    };
    check_name(name)?;
    let scopes = scopes.split(',').map(str::parse).collect::<Result<Vec<Scope>, String>>()?;
    let hash = parse_hash(digits).ok_or("the third word is not the 64 hexadecimal digits of a SHA-256")?;
    let id = hex(&hash[..4]);
    Ok(Entry { hash, holder: Holder { name: name.to_owned(), id, scopes } })
}

fn check_name(name: &str) -> Result<(), String> {
    let sane = |b: u8| b.is_ascii_alphanumeric() || b"._-@".contains(&b);
    if (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(sane) {
        Ok(())
    } else {
        Err(format!("a key's name is 1 to {MAX_NAME_BYTES} letters, digits, `.`, `_`, `-` or `@`"))
    }
}

fn parse_hash(digits: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if digits.len() != 2 * hash.len() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(hash)
}

/// The line of a key.
///
/// # Errors
/// Where the name cannot stand in a line, or there are no scopes.
pub(super) fn line(name: &str, scopes: &[Scope], hash: &Hash) -> Result<String, String> {
    check_name(name)?;
    if scopes.is_empty() {
        return Err("a key needs a scope".to_owned());
    }
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    Ok(format!("{name} {} {}", scopes.join(","), hex(hash)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HASH: &str = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

    #[test]
    fn comments_blank_lines_and_spaces_are_passed_over() {
        let text = format!("# of 2026\n\n  ops \t results:read,predict  {HASH}\r\n");
        let entries = parse(&text).expect("a key");
        assert_eq!((entries[0].holder.name.as_str(), entries[0].holder.id.as_str()), ("ops", "00112233"));
        assert!(entries[0].holder.may(Scope::ResultsRead) && entries[0].holder.may(Scope::Predict));
        assert!(!entries[0].holder.may(Scope::ResultsWrite));
    }

    #[test]
    fn a_bad_line_is_named_and_not_repeated() {
        for bad in [
            "secret".to_owned(),
            format!("secret {HASH}"),
            format!("a secret {HASH}"),
            format!("a predict, {HASH}"),
            format!("a predict {HASH}0"),
            format!("a predict {HASH} more"),
            format!("a'b predict {HASH}"),
            "a predict augur_secret".to_owned(),
            format!("ops predict {}", "0".repeat(64)),
            format!("b predict {}", HASH.to_lowercase()),
        ] {
            let reason = parse(&format!("ops predict {HASH}\n{bad}\n")).expect_err(&bad);
            assert!(reason.starts_with("line 2: ") && !reason.contains("secret"), "{reason}");
        }
        assert!(parse("# nothing\n").is_err());
    }

    proptest! {
        #[test]
        fn a_line_reads_back_as_what_it_was_made_of(name in "[a-zA-Z0-9._@-]{1,64}", hash in any::<Hash>()) {
            let line = line(&name, &[Scope::Predict, Scope::ResultsWrite], &hash).expect("a line");
            let entry = parse(&line).expect("a key").remove(0);
            prop_assert_eq!(entry.hash, hash);
            prop_assert_eq!(entry.holder.scopes, [Scope::Predict, Scope::ResultsWrite]);
            prop_assert_eq!(entry.holder.name, name);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = parse(&text);
            let _ = parse(&format!("a predict {text}"));
        }
    }
}
