//! Parts: where scheme, authority, path, query and fragment of a URL text lie.
//!
//! Total on purpose: any bytes split into parts, since the server scores whatever text it is sent. The cuts are those of
//! RFC 3986, appendix B, except that a text without `://` counts as starting with the authority (`example.com/x`).

/// Slices of one URL text; absent parts are empty unless an `Option` says that absence counts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// Before `://`, where that stands before any `/`, `?` or `#`.
    pub(super) scheme: Option<&'a [u8]>,
    pub(super) has_userinfo: bool,
    pub(super) has_port: bool,
    /// Without user, port and one trailing dot.
    pub(super) host: &'a [u8],
    pub(super) path: &'a [u8],
    pub(super) query: Option<&'a [u8]>,
    pub(super) fragment: Option<&'a [u8]>,
    /// Path, query and fragment together with their marks.
    pub(super) tail: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(super) fn split(text: &'a [u8]) -> Self {
        let (scheme, rest) = split_scheme(text);
        let authority_end = position(rest, |byte| matches!(byte, b'/' | b'?' | b'#'));
        let (authority, tail) = rest.split_at(authority_end);

        let (before_fragment, fragment) = split_once(tail, b'#');
        let (path, query) = split_once(before_fragment, b'?');

        let at = authority.iter().rposition(|&byte| byte == b'@');
        let host_and_port = at.map_or(authority, |at| &authority[at + 1..]);
        let (host, has_port) = split_port(host_and_port);

        Parts {
            scheme,
            has_userinfo: at.is_some(),
            has_port,
            host: host.strip_suffix(b".").unwrap_or(host),
            path,
            query,
            fragment,
            tail,
        }
    }
}

fn split_scheme(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let end = position(text, |byte| matches!(byte, b':' | b'/' | b'?' | b'#'));
    match text[end..].strip_prefix(b"://") {
        Some(rest) => (Some(&text[..end]), rest),
        None => (None, text.strip_prefix(b"//").unwrap_or(text)),
    }
}

/// Cuts `:8080` off; the colons inside `[::1]` are not a port.
fn split_port(host: &[u8]) -> (&[u8], bool) {
    let Some(colon) = host.iter().rposition(|&byte| byte == b':') else {
        return (host, false);
    };
    let port = &host[colon + 1..];
    if port.iter().all(u8::is_ascii_digit) { (&host[..colon], !port.is_empty()) } else { (host, false) }
}

fn split_once(text: &[u8], mark: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == mark) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// Index of the first byte that `stops`, or the length.
fn position(text: &[u8], stops: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|&byte| stops(byte)).unwrap_or(text.len())
}

/// The labels of a host that matter, for a host that is not an IP address.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Labels<'a> {
    pub(super) count: usize,
    pub(super) longest: usize,
    pub(super) has_www: bool,
    pub(super) has_punycode: bool,
    /// Labels left of the registrable one, a leading `www` not counted.
    pub(super) subdomains: usize,
    /// The label somebody registered: `example` in `www.example.co.uk`.
    pub(super) domain: &'a [u8],
    pub(super) tld: &'a [u8],
    /// The label before a two-letter suffix where that is a public second level (`co` in `co.uk`), else empty.
    pub(super) second_level: &'a [u8],
}

impl<'a> Labels<'a> {
    pub(super) fn split(host: &'a [u8]) -> Self {
        let (mut count, mut longest, mut has_punycode) = (0, 0, false);
        // the last three labels, newest last
        let mut last: [&[u8]; 3] = [b"", b"", b""];
        for label in host.split(|&byte| byte == b'.') {
            count += 1;
            longest = longest.max(label.len());
            has_punycode |= label.starts_with(b"xn--");
            last = [last[1], last[2], label];
        }
        let [third, second, tld] = last;
        // a short list instead of the Public Suffix List: it covers what is common and needs no upkeep
        let is_public = count >= 3
            && tld.len() == 2
            && matches!(second, b"co" | b"com" | b"net" | b"org" | b"gov" | b"gob" | b"gouv" | b"edu" | b"ac" | b"mil");
        let (domain, second_level, suffix_labels) = match (is_public, count) {
            (true, _) => (third, second, 3),
            (false, 1) => (tld, &b""[..], 1),
            (false, _) => (second, &b""[..], 2),
        };
        let has_www = count >= 2 && host.starts_with(b"www.");
        let left = count - suffix_labels;
        Labels {
            count,
            longest,
            has_www,
            has_punycode,
            subdomains: left - usize::from(has_www && left > 0),
            domain,
            tld: if count == 1 { b"" } else { tld },
            second_level,
        }
    }

    /// The registrable label and its suffix, within `host`.
    pub(super) fn site(&self, host: &'a [u8]) -> &'a [u8] {
        let suffix = if self.second_level.is_empty() { 0 } else { self.second_level.len() + 1 };
        let bytes = self.domain.len() + 1 + suffix + self.tld.len();
        &host[host.len().saturating_sub(bytes)..]
    }
}

/// Whether a host is an IP address, or a bare or hexadecimal number that browsers read as one.
pub(super) fn is_ip(host: &[u8]) -> bool {
    let is_number = |label: &[u8]| {
        let hexadecimal = label.strip_prefix(b"0x");
        hexadecimal.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            || (!label.is_empty() && label.iter().all(u8::is_ascii_digit))
    };
    host.starts_with(b"[") || (!host.is_empty() && host.split(|&byte| byte == b'.').all(is_number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_of(url: &str) -> String {
        String::from_utf8_lossy(Parts::split(url.as_bytes()).host).into_owned()
    }

    #[test]
    fn every_part_of_a_full_url_is_found() {
        let parts = Parts::split(b"https://me@www.example.com.:8080/a/b?c=d#e");
        assert_eq!(
            parts,
            Parts {
                scheme: Some(b"https"),
                has_userinfo: true,
                has_port: true,
                host: b"www.example.com",
                path: b"/a/b",
                query: Some(b"c=d"),
                fragment: Some(b"e"),
                tail: b"/a/b?c=d#e",
            }
        );
    }

    #[test]
    fn the_host_is_found_in_unusual_urls() {
        let cases = [
            ("example.com/login", "example.com"),
            ("//example.com/x", "example.com"),
            ("http://", ""),
            ("", ""),
            ("http://[2001:db8::1]/x", "[2001:db8::1]"),
            ("http://[2001:db8::1]:80/x", "[2001:db8::1]"),
            ("http://a@b@example.org?x", "example.org"),
            ("/path?u=http://example.com", ""),
        ];
        for (url, host) in cases {
            assert_eq!(host_of(url), host, "{url}");
        }
    }

    #[test]
    fn the_registrable_label_is_the_one_before_the_suffix() {
        let cases: [(&str, &str, usize); 6] = [
            ("www.example.co.uk", "example", 0),
            ("a.b.example.com", "example", 2),
            ("www.a.example.com", "example", 1),
            ("example.com", "example", 0),
            ("localhost", "localhost", 0),
            ("www.com", "www", 0),
        ];
        for (host, domain, subdomains) in cases {
            let labels = Labels::split(host.as_bytes());
            assert_eq!(labels.domain, domain.as_bytes(), "{host}");
            assert_eq!(labels.subdomains, subdomains, "{host}");
        }
    }

    #[test]
    fn numbers_as_hosts_count_as_ip_addresses() {
        for host in ["192.0.2.1", "[::1]", "3221225985", "0xc0.0.2.1"] {
            assert!(is_ip(host.as_bytes()), "{host}");
        }
        for host in ["", "example.com", "1.example", "10.example.com"] {
            assert!(!is_ip(host.as_bytes()), "{host}");
        }
    }
}
