//! The feature table: name, formula and unit of every lexical feature, in column order.
//!
//! This is the only place where a feature is declared; the column numbers, [`FEATURES`] and [`FEATURE_COUNT`] follow
//! from it. Notation: `#x` is the number of x, and every count or length n enters as `ln(1 + n)`, which keeps one very
//! long URL from ruling a linear model. "Letters" and "digits" are ASCII; a "token" is a longest run of them. Shares of
//! nothing are 0.

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureDoc {
    /// Column name, unique.
    pub name: &'static str,
    /// How the value is computed from the URL text.
    pub formula: &'static str,
    /// Unit of the value.
    pub unit: &'static str,
}

macro_rules! feature_table {
    ($($column:ident, $name:literal, $formula:literal, $unit:literal;)+) => {
        /// Column of a feature; `as usize` gives its place in a row.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Column { $($column),+ }

        /// Every feature, in column order.
        pub const FEATURES: &[FeatureDoc] =
            &[$(FeatureDoc { name: $name, formula: $formula, unit: $unit }),+];
    };
}

/// Width of a feature row.
pub const FEATURE_COUNT: usize = FEATURES.len();

feature_table! {
    // the whole text
    UrlLength, "url_length", "ln(1 + bytes)", "ln bytes";
    UrlDigits, "url_digits", "ln(1 + #digits)", "ln count";
    UrlUppercase, "url_uppercase", "ln(1 + #upper-case letters)", "ln count";
    UrlHyphens, "url_hyphens", "ln(1 + #'-')", "ln count";
    UrlUnderscores, "url_underscores", "ln(1 + #'_')", "ln count";
    UrlDots, "url_dots", "ln(1 + #'.')", "ln count";
    UrlSlashes, "url_slashes", "ln(1 + #'/')", "ln count";
    UrlQuestionMarks, "url_question_marks", "ln(1 + #'?')", "ln count";
    UrlEquals, "url_equals", "ln(1 + #'=')", "ln count";
    UrlAmpersands, "url_ampersands", "ln(1 + #'&')", "ln count";
    UrlPercents, "url_percents", "ln(1 + #'%')", "ln count";
    UrlAts, "url_ats", "ln(1 + #'@')", "ln count";
    UrlTildes, "url_tildes", "ln(1 + #'~')", "ln count";
    UrlPluses, "url_pluses", "ln(1 + #'+')", "ln count";
    UrlOtherMarks, "url_other_marks", "ln(1 + #printable ASCII marks not counted above)", "ln count";
    UrlControls, "url_controls", "ln(1 + #spaces and control bytes)", "ln count";
    UrlNonAscii, "url_non_ascii", "ln(1 + #bytes >= 128)", "ln bytes";
    UrlDigitShare, "url_digit_share", "#digits / bytes", "share";
    UrlUppercaseShare, "url_uppercase_share", "#upper-case letters / bytes", "share";
    UrlMarkShare, "url_mark_share", "#bytes that are neither letter nor digit / bytes", "share";
    UrlVowelShare, "url_vowel_share", "#vowels (a e i o u y) / #letters", "share";
    UrlEntropy, "url_entropy", "Shannon entropy of the bytes, letters in lower case", "bits per byte";
    UrlTokens, "url_tokens", "ln(1 + #tokens)", "ln count";
    UrlLongestToken, "url_longest_token", "ln(1 + bytes of the longest token)", "ln bytes";
    UrlMixedTokens, "url_mixed_tokens", "ln(1 + #tokens with both letters and digits)", "ln count";
    UrlLongestDigits, "url_longest_digits", "ln(1 + longest run of digits)", "ln bytes";
    UrlLongestConsonants, "url_longest_consonants", "ln(1 + longest run of consonants)", "ln bytes";
    UrlLetterDigitTurns, "url_letter_digit_turns", "ln(1 + #places where a letter meets a digit)", "ln count";
    UrlEscapedAmpersands, "url_escaped_ampersands", "ln(1 + #'&amp;')", "ln count";
    UrlDoubleSlashes, "url_double_slashes", "ln(1 + #'//' after the authority)", "ln count";
    UrlHexToken, "url_hex_token", "1 where a mixed token of 16 or more is all hexadecimal digits", "0 or 1";
    UrlEmail, "url_email", "1 where '@' or '%40' stands after the authority", "0 or 1";

    // scheme and authority
    SchemeHttps, "scheme_https", "1 where the scheme is https", "0 or 1";
    SchemeAbsent, "scheme_absent", "1 where there is no '://'", "0 or 1";
    HostLength, "host_length", "ln(1 + bytes of the host)", "ln bytes";
    HostDigits, "host_digits", "ln(1 + #digits in the host)", "ln count";
    HostHyphens, "host_hyphens", "ln(1 + #'-' in the host)", "ln count";
    HostLabels, "host_labels", "ln(1 + #labels of the host)", "ln count";
    HostSubdomains, "host_subdomains", "ln(1 + #labels left of the domain, a leading www not counted)", "ln count";
    HostWww, "host_www", "1 where the first label is www", "0 or 1";
    HostIp, "host_ip", "1 where the host is an IP address or a bare number", "0 or 1";
    HostPort, "host_port", "1 where a port is given", "0 or 1";
    HostUserinfo, "host_userinfo", "1 where the authority holds '@'", "0 or 1";
    HostPunycode, "host_punycode", "1 where a label starts with xn--", "0 or 1";
    HostLongestLabel, "host_longest_label", "ln(1 + bytes of the longest label)", "ln bytes";
    HostLongestConsonants, "host_longest_consonants", "ln(1 + longest run of consonants in the host)", "ln bytes";
    HostEntropy, "host_entropy", "Shannon entropy of the host", "bits per byte";
    DomainLength, "domain_length", "ln(1 + bytes of the registrable label)", "ln bytes";
    DomainDigits, "domain_digits", "ln(1 + #digits in the registrable label)", "ln count";
    DomainHyphens, "domain_hyphens", "ln(1 + #'-' in the registrable label)", "ln count";
    DomainVowelShare, "domain_vowel_share", "#vowels / #letters of the registrable label", "share";
    TldLength, "tld_length", "ln(1 + bytes of the last label, 0 for an IP host)", "ln bytes";
    TldCom, "tld_com", "1 where the last label is com", "0 or 1";
    TldOrg, "tld_org", "1 where the last label is org", "0 or 1";
    TldNet, "tld_net", "1 where the last label is net", "0 or 1";
    TldSchool, "tld_school", "1 for edu, gov, mil, int, or their second levels (ac.uk)", "0 or 1";
    TldCountry, "tld_country", "1 where the last label has two letters", "0 or 1";
    TldCheap, "tld_cheap", "1 for a suffix that is free or nearly so (tk, xyz, top, ...)", "0 or 1";
    HostPlatform, "host_platform", "1 where the host names a free hosting platform", "0 or 1";
    HostShortener, "host_shortener", "1 where the host is a known URL shortener", "0 or 1";
    DomainBrand, "domain_brand", "1 where the registrable label is exactly a well-known brand", "0 or 1";
    HostBrands, "host_brands", "ln(1 + #brand words in the host outside an exact brand label)", "ln count";
    HostAccountWords, "host_account_words", "ln(1 + #account words (login, secure, ...) in the host)", "ln count";
    HostReadingWords, "host_reading_words", "ln(1 + #host tokens for reading (blog, wiki, forum, ...))", "ln count";

    // path
    PathLength, "path_length", "ln(1 + bytes of the path)", "ln bytes";
    PathDepth, "path_depth", "ln(1 + #non-empty path segments)", "ln count";
    PathNone, "path_none", "1 where the path is empty or '/'", "0 or 1";
    PathOneSegment, "path_one_segment", "1 where the path has exactly one segment", "0 or 1";
    PathFolder, "path_folder", "1 where a path that is more than '/' ends in '/'", "0 or 1";
    PathLastSegment, "path_last_segment", "ln(1 + bytes of the last segment)", "ln bytes";
    PathLongestSegment, "path_longest_segment", "ln(1 + bytes of the longest segment)", "ln bytes";
    PathDigits, "path_digits", "ln(1 + #digits in the path)", "ln count";
    PathHyphens, "path_hyphens", "ln(1 + #'-' in the path)", "ln count";
    PathDots, "path_dots", "ln(1 + #'.' in the path)", "ln count";
    PathEntropy, "path_entropy", "Shannon entropy of the path", "bits per byte";
    PathVowelShare, "path_vowel_share", "#vowels / #letters of the path", "share";
    PathPhp, "path_php", "1 where the last segment ends in .php", "0 or 1";
    PathHtml, "path_html", "1 where the last segment ends in .htm or .html", "0 or 1";
    PathDocument, "path_document", "1 where the last segment ends in a document suffix (pdf, doc, ...)", "0 or 1";
    PathScript, "path_script", "1 where the last segment ends in .asp, .aspx, .jsp or .cgi", "0 or 1";
    PathOtherSuffix, "path_other_suffix", "1 where the last segment has another suffix of 1 to 5 letters or digits", "0 or 1";
    PathIndex, "path_index", "1 where the last segment starts with index", "0 or 1";
    PathBrands, "path_brands", "ln(1 + #brand words in path, query and fragment)", "ln count";
    PathAccountWords, "path_account_words", "ln(1 + #account words in path, query and fragment)", "ln count";
    PathSiteParts, "path_site_parts", "ln(1 + #path tokens for parts of a site (wp, includes, images, ...))", "ln count";
    PathReadingWords, "path_reading_words", "ln(1 + #path tokens for reading (article, wiki, news, ...))", "ln count";
    PathPlainWords, "path_plain_words", "ln(1 + #path tokens that are function words (and, the, of, ...))", "ln count";

    // query and fragment
    QueryPresent, "query_present", "1 where there is a '?' before any '#'", "0 or 1";
    QueryLength, "query_length", "ln(1 + bytes of the query)", "ln bytes";
    QueryParameters, "query_parameters", "ln(1 + #non-empty '&'-separated parts of the query)", "ln count";
    QueryEntropy, "query_entropy", "Shannon entropy of the query", "bits per byte";
    QueryDigitShare, "query_digit_share", "#digits / bytes of the query", "share";
    FragmentPresent, "fragment_present", "1 where there is a '#'", "0 or 1";
}
