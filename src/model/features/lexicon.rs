//! Lexicon: the word lists that some features count, and the matchers over them.
//!
//! Two kinds: substrings, for words that hide inside longer ones (`secure-paypal-login`), and whole names or tokens, for
//! words that would otherwise match by chance (`of`, `wp`). All lists are lower case, and so must be the text.

use std::sync::LazyLock;

/// Companies whose customers are often phished.
const BRANDS: &str = "adobe alibaba amazon americanexpress aol apple bankofamerica barclays blizzard chase dhl docusign
    dropbox ebay facebook fedex gdoc gmail googledoc googledrive hotmail hsbc icloud impots instagram itunes linkedin
    lloyds mastercard microsoft netflix office365 onedrive ourtime outlook paypal paypai santander sharepoint skype steam
    usaa visa wellsfargo whatsapp yahoo";

/// Words of signing in, paying or proving who one is; stems, to catch every ending.
const ACCOUNTS: &str = "abuse account assure authent banking billing compte confirm credential customer dispatch email
    identi invoice limited login logon mailbox modulo notification passw payment personal portal proposal recover refund
    restore secur session signin sign-in submit suspen token unlock update upgrade userid username validat verif wallet
    webmail webscr";

/// Tokens that name parts of a web site's own machinery; pages hidden in a broken-into site show them.
const SITE_PARTS: &str = "admin administrator assets backup cache cgi components config css db fonts images img inc
    includes js languages layouts lib libraries logs media modules plugins pomo simplepie system templates themes tmp
    upload uploads vendor wp";

/// Tokens of places where people read, ask and look things up.
const READING: &str = "about archive archives article articles blog blogs book books category course courses definition
    dictionary docs events faculty faq features forum forums game games guide help history howto jobs learn library
    magazine manual movies music news papers photos press products publications question questions research resources
    review reviews science search sports stories story tag tags topic topics tutorial tutorials video videos watch wiki";

/// Function words of English: a path that reads like a sentence is a headline.
const PLAIN: &str = "a an and are at best by can do for from how in is it new not of on or that the this to top vs what
    when which who why will with you your";

/// Suffixes that are free of charge or nearly so.
const CHEAP_TLDS: &str = "tk ml ga cf gq xyz top club online site website space info biz pw cc click link work win bid
    loan date review stream download science party racing trade webcam icu live buzz cam rest host press tech store
    shop";

/// Registrable labels of platforms where anybody may put a page for nothing.
const PLATFORMS: &str =
    "000webhostapp 16mb altervista angelfire blogspot bravesites byethost esy firebaseapp freehosting
    github glitch godaddysites herokuapp hol hostinger jimdo moonfruit myfreesites netlify pages seam sitey strikingly
    tripod tumblr ucoz vercel web weebly wix wixsite wordpress yolasite";

/// Hosts of services that make short links.
const SHORTENERS: &str = "adf.ly bit.ly bl.ink buff.ly cutt.ly goo.gl is.gd lnkd.in ow.ly qr.ae rb.gy rebrand.ly
    shorturl.at t.co tiny.cc tinyurl.com u.to v.gd";

/// Names to compare with as a whole, sorted.
pub(super) struct Names(Vec<&'static [u8]>);

impl Names {
    fn of(words: &'static str) -> Self {
        let mut names: Vec<_> = words.split_ascii_whitespace().map(str::as_bytes).collect();
        names.sort_unstable();
        Names(names)
    }

    pub(super) fn contains(&self, name: &[u8]) -> bool {
        self.0.binary_search(&name).is_ok()
    }
}

/// The substrings that start with one byte.
#[derive(Default)]
struct Substrings {
    /// Bit `b % 32` is set where byte b comes second in one of them, so that most places cost one look.
    seconds: u32,
    /// What follows the first byte, and whether the word is a brand; otherwise it is an account word.
    rests: Vec<(&'static [u8], bool)>,
}

/// The lists, made ready for matching.
pub(super) struct Lexicon {
    pub(super) brands: Names,
    pub(super) site_parts: Names,
    pub(super) reading: Names,
    pub(super) plain: Names,
    pub(super) cheap_tlds: Names,
    pub(super) platforms: Names,
    pub(super) shorteners: Names,
    /// By first byte.
    substrings: Vec<Substrings>,
}

/// The one lexicon; it costs a few microseconds at its first use.
pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut substrings: Vec<Substrings> = (0..256).map(|_| Substrings::default()).collect();
    for (words, is_brand) in [(BRANDS, true), (ACCOUNTS, false)] {
        for word in words.split_ascii_whitespace() {
            if let [first, rest @ ..] = word.as_bytes()
                && let [second, ..] = rest
            {
                let entry = &mut substrings[usize::from(*first)];
                entry.seconds |= 1 << (second % 32);
                entry.rests.push((rest, is_brand));
            }
        }
    }
    Lexicon {
        brands: Names::of(BRANDS),
        site_parts: Names::of(SITE_PARTS),
        reading: Names::of(READING),
        plain: Names::of(PLAIN),
        cheap_tlds: Names::of(CHEAP_TLDS),
        platforms: Names::of(PLATFORMS),
        shorteners: Names::of(SHORTENERS),
        substrings,
    }
});

impl Lexicon {
    /// How many brand and account words a text holds, in this order, each place counted by itself.
    pub(super) fn count_words(&self, text: &[u8]) -> (usize, usize) {
        let (mut brands, mut accounts) = (0, 0);
        for (place, pair) in text.windows(2).enumerate() {
            let entry = &self.substrings[usize::from(pair[0])];
            if entry.seconds & (1 << (pair[1] % 32)) == 0 {
                continue;
            }
            for &(rest, is_brand) in &entry.rests {
                if text[place + 1..].starts_with(rest) {
                    brands += usize::from(is_brand);
                    accounts += usize::from(!is_brand);
                }
            }
        }
        (brands, accounts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_inside_longer_words_are_counted() {
        assert_eq!(LEXICON.count_words(b"secure-paypal-login.example"), (1, 2));
        assert_eq!(LEXICON.count_words(b"www.example.com"), (0, 0));
    }

    #[test]
    fn every_list_is_lower_case_and_without_repeats() {
        for words in [BRANDS, ACCOUNTS, SITE_PARTS, READING, PLAIN, CHEAP_TLDS, PLATFORMS, SHORTENERS] {
            assert_eq!(words, words.to_lowercase());
            let mut names = Names::of(words).0;
            let all = names.len();
            names.dedup();
            assert_eq!(names.len(), all, "{words}");
        }
    }
}
