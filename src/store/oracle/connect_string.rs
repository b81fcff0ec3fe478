//! Connect strings: which kind one is, and the connect timeouts that an Easy Connect string should carry.

/// Adds `connect_timeout` and `transport_connect_timeout` to an Easy Connect string that lacks them: the default wait for
/// a TCP connect is 60 s, and a hung one holds one of r2d2's few threads. Only a 19c client or newer reads parameters
/// there; a descriptor or TNS alias is used as given.
pub(super) fn with_timeouts(connect_string: &str, client_major: i32) -> String {
    const FIRST_CLIENT_WITH_PARAMETERS: i32 = 19;
    if client_major < FIRST_CLIENT_WITH_PARAMETERS || !is_easy_connect(connect_string) {
        return connect_string.to_owned();
    }
    let mut out = connect_string.to_owned();
    for parameter in ["connect_timeout=5", "transport_connect_timeout=2"] {
        let name = parameter.split('=').next().unwrap_or(parameter);
        let query = connect_string.split_once('?').map_or("", |(_, query)| query);
        let given = query.split('&').any(|pair| pair.split('=').next().unwrap_or(pair).eq_ignore_ascii_case(name));
        if !given {
            out.push(if out.contains('?') { '&' } else { '?' });
            out.push_str(parameter);
        }
    }
    out
}

/// Whether the string says itself how long connecting may take.
pub(super) fn has_timeout(connect_string: &str) -> bool {
    connect_string.to_ascii_lowercase().contains("connect_timeout")
}

/// `[[protocol:]//]host[:port][/service...]` with a host or a port or a service said: a bare word is a TNS alias, and what
/// begins with a parenthesis is a descriptor.
pub(super) fn is_easy_connect(connect_string: &str) -> bool {
    let address = connect_string.split('?').next().unwrap_or(connect_string);
    if address.is_empty() || address.starts_with('(') || address.contains('=') {
        return false;
    }
    if address.contains("//") {
        return true;
    }
    let (host, service) = address.split_once('/').map_or((address, None), |(host, service)| (host, Some(service)));
    let port = host.rsplit_once(':').map(|(_, port)| port);
    match port {
        Some(port) => !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()),
        None => !host.is_empty() && service.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_easy_connect_strings_get_timeouts_and_only_those_they_lack() {
        let with = |text| with_timeouts(text, 19);
        assert_eq!(with("//db:1521/XE"), "//db:1521/XE?connect_timeout=5&transport_connect_timeout=2");
        assert_eq!(with("db/XE?Connect_Timeout=9"), "db/XE?Connect_Timeout=9&transport_connect_timeout=2");
        assert_eq!(with("tcps://db/XE"), "tcps://db/XE?connect_timeout=5&transport_connect_timeout=2");
        for as_given in ["xe", "(DESCRIPTION=(ADDRESS=(HOST=db)))", "", "/XE"] {
            assert_eq!(with(as_given), as_given);
        }
        assert_eq!(with_timeouts("//db/XE", 18), "//db/XE");
    }
}
