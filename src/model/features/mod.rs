//! Features: the numbers that stand for one URL text when a model reads it.
//!
//! Extraction is a pure function of the text exactly as sent: nothing is decoded, resolved or normalised, because the
//! same text is the key of the result table. It is defined and finite for any string. The features themselves are listed
//! in [`FEATURES`]; they follow the lexical families of Sahingoz et al. 2019 (Expert Systems with Applications 117).

mod lexicon;
mod measure;
mod parts;
mod table;

use lexicon::LEXICON;
use measure::{Profile, count_of, flag, is_consonant, log_count, longest_run, share, tokens_of};
use parts::{Labels, Parts, is_ip};
use table::Column as C;

pub use table::{FEATURE_COUNT, FEATURES, FeatureDoc};

/// Version of the feature table, of the n-grams and of the rules behind them.
///
/// Raise it whenever any feature of any text changes: a model trained on other features is refused, not misread.
pub const FEATURE_SCHEMA_VERSION: u32 = 2;

/// One URL as numbers, in the order of [`FEATURES`].
pub type FeatureRow = [f64; FEATURE_COUNT];

/// Turns URL texts into feature rows; reuse one for many texts, since it keeps its buffer.
#[derive(Debug, Default)]
pub struct Extractor {
    lower: Vec<u8>,
}

impl Extractor {
    /// The features of `url`. Every value is finite, whatever the text.
    pub fn extract(&mut self, url: &str) -> FeatureRow {
        self.lower.clear();
        self.lower.extend_from_slice(url.as_bytes());
        self.lower.make_ascii_lowercase();

        let mut row = [0.0; FEATURE_COUNT];
        let parts = Parts::split(&self.lower);
        text_features(&mut row, url.as_bytes(), &self.lower, &parts);
        host_features(&mut row, &parts);
        path_features(&mut row, &parts);
        query_features(&mut row, &parts);
        row
    }

    /// The last text in lower case.
    pub(super) fn lower(&self) -> &[u8] {
        &self.lower
    }
}

/// Whether a column comes from a word list. The lists were chosen by looking at training data, so cross-validation on
/// those data flatters them; n-grams know the words anyway.
pub(super) fn is_word_list(column: usize) -> bool {
    const WORD_LISTS: [C; 12] = [
        C::TldCheap,
        C::HostPlatform,
        C::HostShortener,
        C::DomainBrand,
        C::HostBrands,
        C::HostAccountWords,
        C::HostReadingWords,
        C::PathBrands,
        C::PathAccountWords,
        C::PathSiteParts,
        C::PathReadingWords,
        C::PathPlainWords,
    ];
    WORD_LISTS.iter().any(|&list| list as usize == column)
}

/// What tells one site from another: the registrable part of the host in lower case (`example.co.uk`), or the whole host
/// where it is an IP address or has a single label.
pub(super) fn site_of(url: &str) -> String {
    let lower = url.to_ascii_lowercase();
    let host = Parts::split(lower.as_bytes()).host;
    let labels = Labels::split(host);
    let kept = if is_ip(host) || labels.count < 2 { host } else { labels.site(host) };
    // cut at dots, so it is whole characters
    String::from_utf8_lossy(kept).into_owned()
}

/// Scheme and last label of the host in lower case, each empty where there is none; `IP address` for such a host.
#[must_use]
pub fn scheme_and_tld(url: &str) -> (String, String) {
    let lower = url.to_ascii_lowercase();
    let parts = Parts::split(lower.as_bytes());
    let tld = if is_ip(parts.host) { b"IP address" } else { Labels::split(parts.host).tld };
    // cut at ASCII marks, so both are whole characters
    let [scheme, tld] = [parts.scheme.unwrap_or_default(), tld].map(|part| String::from_utf8_lossy(part).into_owned());
    (scheme, tld)
}

fn text_features(row: &mut FeatureRow, text: &[u8], lower: &[u8], parts: &Parts<'_>) {
    let all = Profile::of(lower);
    let uppercase = text.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    row[C::UrlLength as usize] = log_count(lower.len());
    row[C::UrlDigits as usize] = log_count(all.digits);
    row[C::UrlUppercase as usize] = log_count(uppercase);
    let mut named_marks = 0;
    for (column, mark) in [
        (C::UrlHyphens, b'-'),
        (C::UrlUnderscores, b'_'),
        (C::UrlDots, b'.'),
        (C::UrlSlashes, b'/'),
        (C::UrlQuestionMarks, b'?'),
        (C::UrlEquals, b'='),
        (C::UrlAmpersands, b'&'),
        (C::UrlPercents, b'%'),
        (C::UrlAts, b'@'),
        (C::UrlTildes, b'~'),
        (C::UrlPluses, b'+'),
    ] {
        let count = all.count(mark);
        named_marks += count;
        row[column as usize] = log_count(count);
    }
    let marks = lower.len() - all.letters - all.digits;
    let non_ascii = lower.iter().filter(|byte| !byte.is_ascii()).count();
    let controls = lower.iter().filter(|&&byte| byte <= b' ' || byte == 127).count();
    row[C::UrlOtherMarks as usize] = log_count(marks - named_marks - non_ascii - controls);
    row[C::UrlControls as usize] = log_count(controls);
    row[C::UrlNonAscii as usize] = log_count(non_ascii);
    row[C::UrlDigitShare as usize] = share(all.digits, lower.len());
    row[C::UrlUppercaseShare as usize] = share(uppercase, lower.len());
    row[C::UrlMarkShare as usize] = share(marks, lower.len());
    row[C::UrlVowelShare as usize] = share(all.vowels(), all.letters);
    row[C::UrlEntropy as usize] = all.entropy(lower);

    let (mut tokens, mut longest, mut mixed, mut has_hex) = (0, 0, 0, false);
    for token in tokens_of(lower) {
        tokens += 1;
        longest = longest.max(token.len());
        let digits = token.iter().filter(|byte| byte.is_ascii_digit()).count();
        if digits > 0 && digits < token.len() {
            mixed += 1;
            has_hex |= token.len() >= 16 && token.iter().all(u8::is_ascii_hexdigit);
        }
    }
    row[C::UrlTokens as usize] = log_count(tokens);
    row[C::UrlLongestToken as usize] = log_count(longest);
    row[C::UrlMixedTokens as usize] = log_count(mixed);
    row[C::UrlLongestDigits as usize] = log_count(longest_run(lower, |byte| byte.is_ascii_digit()));
    row[C::UrlLongestConsonants as usize] = log_count(longest_run(lower, is_consonant));
    let turns = lower
        .windows(2)
        .filter(|pair| {
            (pair[0].is_ascii_digit() && pair[1].is_ascii_lowercase())
                || (pair[0].is_ascii_lowercase() && pair[1].is_ascii_digit())
        })
        .count();
    row[C::UrlLetterDigitTurns as usize] = log_count(turns);
    row[C::UrlEscapedAmpersands as usize] = log_count(count_of(lower, b"&amp;"));
    row[C::UrlDoubleSlashes as usize] = log_count(count_of(parts.tail, b"//"));
    row[C::UrlHexToken as usize] = flag(has_hex);
    row[C::UrlEmail as usize] = flag(parts.tail.contains(&b'@') || count_of(parts.tail, b"%40") > 0);
}

fn host_features(row: &mut FeatureRow, parts: &Parts<'_>) {
    let host = parts.host;
    let is_ip = is_ip(host);
    let profile = Profile::of(host);
    row[C::SchemeHttps as usize] = flag(parts.scheme == Some(b"https"));
    row[C::SchemeAbsent as usize] = flag(parts.scheme.is_none());
    row[C::HostLength as usize] = log_count(host.len());
    row[C::HostDigits as usize] = log_count(profile.digits);
    row[C::HostHyphens as usize] = log_count(profile.count(b'-'));
    row[C::HostIp as usize] = flag(is_ip);
    row[C::HostPort as usize] = flag(parts.has_port);
    row[C::HostUserinfo as usize] = flag(parts.has_userinfo);
    row[C::HostLongestConsonants as usize] = log_count(longest_run(host, is_consonant));
    row[C::HostEntropy as usize] = profile.entropy(host);
    // the labels of an address are numbers, not names
    if is_ip || host.is_empty() {
        return;
    }

    let labels = Labels::split(host);
    row[C::HostLabels as usize] = log_count(labels.count);
    row[C::HostSubdomains as usize] = log_count(labels.subdomains);
    row[C::HostWww as usize] = flag(labels.has_www);
    row[C::HostPunycode as usize] = flag(labels.has_punycode);
    row[C::HostLongestLabel as usize] = log_count(labels.longest);
    let domain = Profile::of(labels.domain);
    row[C::DomainLength as usize] = log_count(labels.domain.len());
    row[C::DomainDigits as usize] = log_count(domain.digits);
    row[C::DomainHyphens as usize] = log_count(domain.count(b'-'));
    row[C::DomainVowelShare as usize] = share(domain.vowels(), domain.letters);

    let is_school = |label: &[u8]| matches!(label, b"edu" | b"gov" | b"mil" | b"int");
    row[C::TldLength as usize] = log_count(labels.tld.len());
    row[C::TldCom as usize] = flag(labels.tld == b"com");
    row[C::TldOrg as usize] = flag(labels.tld == b"org");
    row[C::TldNet as usize] = flag(labels.tld == b"net");
    row[C::TldSchool as usize] =
        flag(is_school(labels.tld) || is_school(labels.second_level) || labels.second_level == b"ac");
    row[C::TldCountry as usize] = flag(labels.tld.len() == 2);
    row[C::TldCheap as usize] = flag(LEXICON.cheap_tlds.contains(labels.tld));

    let is_brand = LEXICON.brands.contains(labels.domain);
    let (brands, accounts) = LEXICON.count_words(host);
    row[C::HostPlatform as usize] = flag(LEXICON.platforms.contains(labels.domain));
    row[C::HostShortener as usize] = flag(LEXICON.shorteners.contains(host.strip_prefix(b"www.").unwrap_or(host)));
    row[C::DomainBrand as usize] = flag(is_brand);
    row[C::HostBrands as usize] = log_count(brands.saturating_sub(usize::from(is_brand)));
    row[C::HostAccountWords as usize] = log_count(accounts);
    row[C::HostReadingWords as usize] = log_count(tokens_of(host).filter(|t| LEXICON.reading.contains(t)).count());
}

fn path_features(row: &mut FeatureRow, parts: &Parts<'_>) {
    let path = parts.path;
    let profile = Profile::of(path);
    let (mut depth, mut longest) = (0, 0);
    let mut last: &[u8] = b"";
    for segment in path.split(|&byte| byte == b'/') {
        depth += usize::from(!segment.is_empty());
        longest = longest.max(segment.len());
        last = segment;
    }
    row[C::PathLength as usize] = log_count(path.len());
    row[C::PathDepth as usize] = log_count(depth);
    row[C::PathNone as usize] = flag(depth == 0);
    row[C::PathOneSegment as usize] = flag(depth == 1);
    row[C::PathFolder as usize] = flag(depth > 0 && path.ends_with(b"/"));
    row[C::PathLastSegment as usize] = log_count(last.len());
    row[C::PathLongestSegment as usize] = log_count(longest);
    row[C::PathDigits as usize] = log_count(profile.digits);
    row[C::PathHyphens as usize] = log_count(profile.count(b'-'));
    row[C::PathDots as usize] = log_count(profile.count(b'.'));
    row[C::PathEntropy as usize] = profile.entropy(path);
    row[C::PathVowelShare as usize] = share(profile.vowels(), profile.letters);

    let suffix = last.iter().rposition(|&byte| byte == b'.').map_or(&b""[..], |dot| &last[dot + 1..]);
    let column = match suffix {
        b"php" => Some(C::PathPhp),
        b"htm" | b"html" => Some(C::PathHtml),
        b"pdf" | b"doc" | b"docx" | b"ppt" | b"pptx" | b"xls" | b"xlsx" | b"ps" | b"txt" | b"rtf" => {
            Some(C::PathDocument)
        }
        b"asp" | b"aspx" | b"jsp" | b"cgi" => Some(C::PathScript),
        _ if (1..=5).contains(&suffix.len()) && suffix.iter().all(u8::is_ascii_alphanumeric) => {
            Some(C::PathOtherSuffix)
        }
        _ => None,
    };
    if let Some(column) = column {
        row[column as usize] = 1.0;
    }
    row[C::PathIndex as usize] = flag(last.starts_with(b"index"));

    let (brands, accounts) = LEXICON.count_words(parts.tail);
    row[C::PathBrands as usize] = log_count(brands);
    row[C::PathAccountWords as usize] = log_count(accounts);
    let (mut site_parts, mut reading, mut plain) = (0, 0, 0);
    for token in tokens_of(path) {
        site_parts += usize::from(LEXICON.site_parts.contains(token));
        reading += usize::from(LEXICON.reading.contains(token));
        plain += usize::from(LEXICON.plain.contains(token));
    }
    row[C::PathSiteParts as usize] = log_count(site_parts);
    row[C::PathReadingWords as usize] = log_count(reading);
    row[C::PathPlainWords as usize] = log_count(plain);
}

fn query_features(row: &mut FeatureRow, parts: &Parts<'_>) {
    row[C::QueryPresent as usize] = flag(parts.query.is_some());
    row[C::FragmentPresent as usize] = flag(parts.fragment.is_some());
    if let Some(query) = parts.query {
        let profile = Profile::of(query);
        let parameters = query.split(|&byte| byte == b'&').filter(|part| !part.is_empty()).count();
        row[C::QueryLength as usize] = log_count(query.len());
        row[C::QueryParameters as usize] = log_count(parameters);
        row[C::QueryEntropy as usize] = profile.entropy(query);
        row[C::QueryDigitShare as usize] = share(profile.digits, query.len());
    }
}

#[cfg(test)]
mod tests;
