//! What a client offers, kept as it was sent: of most hellos nobody asks what it was.
//!
//! Kept is one block of some hundred bytes, at most 9.3 KiB; who asks for the names and
//! the fingerprint pays for them. Only where a hello lists far more than any client knows, its
//! fingerprint is made at once.

use smallvec::SmallVec;

use super::{
    TlsCarrier, TlsVersion,
    extension::{self, number},
    ja4,
    names::is_grease,
};

/// The lists of a hello, as they were sent; empty where there is none.
#[derive(Clone, Copy, Default)]
pub(super) struct Lists<'a> {
    /// Numbers of versions; `None` where the client lists none.
    pub(super) versions: Option<&'a [u8]>,
    /// Names of protocols, each behind its length.
    pub(super) protocols: &'a [u8],
    /// Numbers of cipher suites.
    pub(super) ciphers: &'a [u8],
    /// Numbers of the extensions.
    pub(super) extensions: &'a [u8],
    /// Numbers of signature algorithms.
    pub(super) signatures: &'a [u8],
}

/// What a client offers.
///
/// ```text
/// versions | protocols | ciphers     | extensions | signatures
///                      | fingerprint |            |              where it was made at once
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Offer {
    bytes: Box<[u8]>,
    /// Where each part but the last ends.
    ends: [u16; 4],
    /// The version of the hello itself.
    version: TlsVersion,
    carrier: TlsCarrier,
    /// The client lists its versions.
    listed: bool,
    /// The fingerprint was made at once.
    made: bool,
}

impl Offer {
    pub(super) fn of(lists: &Lists<'_>, version: TlsVersion, carrier: TlsCarrier) -> Self {
        let Lists { versions, protocols, ciphers, extensions, signatures } = *lists;
        let listed = versions.is_some();
        let versions = cut(versions.unwrap_or_default(), VERSIONS_BYTES_MAX);
        let protocols = cut(protocols, PROTOCOLS_BYTES_MAX);
        let made = ciphers.len() + extensions.len() + signatures.len() > NUMBERS_BYTES_MAX;
        let offer = |parts| Self::laid(parts, (version, carrier), (listed, made));
        if made {
            let told = fingerprint(lists, version, carrier);
            offer([versions, protocols, told.as_bytes(), &[], &[]])
        } else {
            offer([versions, protocols, ciphers, extensions, signatures])
        }
    }

    fn laid(
        parts: [&[u8]; 5],
        (version, carrier): (TlsVersion, TlsCarrier),
        (listed, made): (bool, bool),
    ) -> Self {
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        let mut ends = [0; 4];
        for (at, part) in parts.into_iter().enumerate() {
            bytes.extend_from_slice(part);
            if let Some(end) = ends.get_mut(at) {
                *end = bytes.len() as u16;
            }
        }
        Self { bytes: bytes.into_boxed_slice(), ends, version, carrier, listed, made }
    }

    /// The versions offered, in the client's order, without GREASE.
    pub(super) fn versions(&self) -> impl Iterator<Item = TlsVersion> + use<'_> {
        let own = (!self.listed).then_some(self.version);
        extension::offered_versions(self.part(0)).chain(own)
    }

    /// The application protocols offered, in the client's order, without GREASE.
    pub(super) fn protocols(&self) -> impl Iterator<Item = &[u8]> {
        extension::protocol_names(self.part(1)).filter(|name| !extension::is_grease_name(name))
    }

    /// The JA4 fingerprint.
    pub(super) fn ja4(&self) -> String {
        if self.made {
            return String::from_utf8_lossy(self.part(2)).into_owned();
        }
        let lists = Lists {
            versions: self.listed.then(|| self.part(0)),
            protocols: self.part(1),
            ciphers: self.part(2),
            extensions: self.part(3),
            signatures: self.part(4),
        };
        fingerprint(&lists, self.version, self.carrier)
    }

    /// Bytes held on the heap.
    pub(super) const fn held_bytes(&self) -> usize {
        self.bytes.len()
    }

    fn part(&self, at: usize) -> &[u8] {
        let begins = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let begins = usize::from(begins.unwrap_or_default());
        let ends = self.ends.get(at).map_or(self.bytes.len(), |end| usize::from(*end));
        self.bytes.get(begins..ends).unwrap_or_default()
    }
}

fn cut(list: &[u8], bytes_max: usize) -> &[u8] {
    list.get(..bytes_max).unwrap_or(list)
}

fn fingerprint(lists: &Lists<'_>, version: TlsVersion, carrier: TlsCarrier) -> String {
    let numbers = |list| extension::numbers(list).filter(|number| !is_grease(*number));
    let numbers = |list| numbers(list).collect::<SmallVec<[u16; 64]>>();
    let extensions = numbers(lists.extensions);
    let versions = extension::offered_versions(lists.versions.unwrap_or_default());
    let mut protocols = extension::protocol_names(lists.protocols);
    ja4::fingerprint(&ja4::Offer {
        carrier,
        version: versions.max().unwrap_or(version),
        named: extensions.contains(&number::SERVER_NAME),
        ciphers: &numbers(lists.ciphers),
        extensions: &extensions,
        signature_algorithms: &numbers(lists.signatures),
        first_alpn: protocols.find(|name| !extension::is_grease_name(name)).unwrap_or_default(),
    })
}

/// The list has one byte for its length.
const VERSIONS_BYTES_MAX: usize = 255;

/// As many names as are read, and their lengths.
const PROTOCOLS_BYTES_MAX: usize = extension::ALPN_NAMES_MAX * 256;

/// Clients send about a hundred.
const NUMBERS_BYTES_MAX: usize = 1 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn offer(lists: &Lists<'_>) -> Offer {
        Offer::of(lists, TlsVersion::TLS12, TlsCarrier::Tcp)
    }

    #[test]
    fn without_a_list_of_versions_there_is_one() {
        let versions = |listed| offer(&Lists { versions: listed, ..Lists::default() });
        let told = |listed| versions(listed).versions().collect::<Vec<_>>();
        assert_eq!(told(None), [TlsVersion::TLS12]);
        assert_eq!(told(Some(&[])), []);
        assert_eq!(told(Some(&[0x1a, 0x1a, 3, 4, 3])), [TlsVersion::TLS13]);
        assert!(versions(Some(&[3, 4])).ja4().starts_with("t13"));
        assert!(versions(None).ja4().starts_with("t12"));
    }

    #[test]
    fn what_no_client_lists_is_bounded() {
        let long = vec![0x13; 1 << 16];
        let lists = Lists {
            versions: Some(&long),
            protocols: &long,
            ciphers: &long,
            extensions: &long,
            signatures: &long,
        };
        let offer = offer(&lists);
        assert!(offer.held_bytes() <= 9_500);
        assert!(offer.ja4().starts_with("t00i9999"));
        assert_eq!((offer.versions().count(), offer.protocols().count()), (32, 32));
    }

    proptest! {
        /// Also where the fingerprint is made at once.
        #[test]
        fn what_is_told_later_is_what_was_sent(
            versions in prop::option::of(prop::collection::vec(any::<u8>(), 0..80)),
            protocols in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..40),
            lists: [Vec<u8>; 3],
            times in 1_usize..12,
        ) {
            let [ciphers, extensions, signatures] = lists.map(|list| list.repeat(times));
            let named = |name: &Vec<u8>| [&[name.len() as u8][..], name].concat();
            let sent: Vec<u8> = protocols.iter().flat_map(named).collect();
            let lists = Lists {
                versions: versions.as_deref(),
                protocols: &sent,
                ciphers: &ciphers,
                extensions: &extensions,
                signatures: &signatures,
            };
            let offer = offer(&lists);
            prop_assert_eq!(offer.ja4(), fingerprint(&lists, TlsVersion::TLS12, TlsCarrier::Tcp));
            let listed = versions.as_deref().map(extension::offered_versions);
            let listed = listed.map_or(vec![TlsVersion::TLS12], Iterator::collect);
            prop_assert_eq!(offer.versions().collect::<Vec<_>>(), listed);
            let names = protocols.iter().take(extension::ALPN_NAMES_MAX);
            let names: Vec<_> = names.filter(|name| !extension::is_grease_name(name)).collect();
            prop_assert_eq!(offer.protocols().collect::<Vec<_>>(), names);
        }
    }
}
