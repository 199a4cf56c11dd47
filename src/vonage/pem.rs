//! Tells an RSA private key in PEM from everything that people put in its place.

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::zeroize::Zeroizing;

/// Stands in `private.key.example` between the PEM lines.
const EXAMPLE_MARK: &str = "PUT THE PRIVATE KEY OF YOUR VONAGE APPLICATION HERE";
const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// How the key is laid out inside the PEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// `BEGIN RSA PRIVATE KEY`, RFC 8017.
    Pkcs1,
    /// `BEGIN PRIVATE KEY`, RFC 5208.
    Pkcs8,
}

/// Why a text is no PEM of an RSA private key, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemFault {
    /// Nothing but blanks.
    #[error(
        "is empty; make a key with `click-to-call keygen`, or copy the one from the Vonage dashboard"
    )]
    Empty,
    /// The shipped `private.key.example`.
    #[error(
        "is the example that is shipped, not a key; put your application's key in its place: `click-to-call keygen` makes \
         one"
    )]
    Example,
    /// One line that looks like the name of a file.
    #[error(
        "looks like the path of a file, but the text of the key belongs here; put the path in VONAGE_PRIVATE_KEY_FILE"
    )]
    Path,
    /// No PEM line in it.
    #[error("is not in PEM form; it must begin with -----BEGIN PRIVATE KEY-----")]
    NotPem,
    /// The public half.
    #[error(
        "is a public key; the private half is needed here (the public half goes to the Vonage application)"
    )]
    PublicKey,
    /// An X.509 certificate.
    #[error("is a certificate; the application's private key is needed here")]
    Certificate,
    /// Protected by a password.
    #[error(
        "is protected by a password, which nobody can type at a start; unlock it with: openssl pkey -in FILE -out \
         private.key"
    )]
    Encrypted,
    /// OpenSSH's own format.
    #[error(
        "is in OpenSSH's format; turn a copy of it into PEM with: ssh-keygen -p -m pkcs8 -f FILE"
    )]
    OpenSsh,
    /// An EC key in its own frame.
    #[error(
        "is an EC key, but Vonage signs with RSA; make an RSA key with `click-to-call keygen` and give its public half to \
         the application"
    )]
    Ec,
    /// PEM of something else.
    #[error("is no private key; it must begin with -----BEGIN PRIVATE KEY-----")]
    Other,
    /// More than one PEM block.
    #[error("has {0} PEM blocks; leave only the application's private key")]
    Several(usize),
    /// The end is missing.
    #[error("is cut off: its END line is missing; copy the file again, whole")]
    Truncated,
    /// What stands between the lines is no base64.
    #[error("the text between the PEM lines is cut off or changed; copy the file again, whole")]
    Damaged,
}

/// Takes the DER out of the PEM. Blanks and line breaks inside it don't matter: they get lost and
/// added when a key travels through variables and forms.
pub(super) fn decode(text: &str) -> Result<(Encoding, Zeroizing<Vec<u8>>), PemFault> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(PemFault::Empty);
    }
    if text.contains(EXAMPLE_MARK) {
        return Err(PemFault::Example);
    }
    let Some((_preamble, from_label)) = text.split_once(BEGIN) else {
        return Err(if looks_like_path(text) {
            PemFault::Path
        } else {
            PemFault::NotPem
        });
    };
    let (label, rest) = from_label.split_once(DASHES).ok_or(PemFault::Truncated)?;
    let encoding = match label {
        "PRIVATE KEY" => Encoding::Pkcs8,
        "RSA PRIVATE KEY" => Encoding::Pkcs1,
        "ENCRYPTED PRIVATE KEY" => return Err(PemFault::Encrypted),
        "OPENSSH PRIVATE KEY" => return Err(PemFault::OpenSsh),
        "EC PRIVATE KEY" | "EC PARAMETERS" => return Err(PemFault::Ec),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => return Err(PemFault::PublicKey),
        "CERTIFICATE" | "TRUSTED CERTIFICATE" => return Err(PemFault::Certificate),
        _ => return Err(PemFault::Other),
    };
    let blocks = text.matches(BEGIN).count();
    if blocks > 1 {
        return Err(PemFault::Several(blocks));
    }
    let end = format!("-----END {label}{DASHES}");
    let (body, _epilogue) = rest.split_once(&end).ok_or(PemFault::Truncated)?;
    // RFC 1421 headers, the old way of OpenSSL to say so.
    if body.contains("ENCRYPTED") {
        return Err(PemFault::Encrypted);
    }
    let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
    base64.extend(body.split_ascii_whitespace());
    let der = STANDARD
        .decode(base64.as_bytes())
        .map_err(|_no_base64| PemFault::Damaged)?;
    Ok((encoding, Zeroizing::new(der)))
}

fn looks_like_path(text: &str) -> bool {
    let one_line = !text.contains('\n') && text.len() < 1024;
    let named_so = [".key", ".pem", ".txt"]
        .iter()
        .any(|end| text.ends_with(end));
    one_line && (text.starts_with(['/', '.', '~']) || named_so)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_example_is_recognised() {
        let example = include_str!("../../private.key.example");
        assert_eq!(decode(example).unwrap_err(), PemFault::Example);
        // Even without the check it could not be taken for a key.
        let unmarked = example.replace(EXAMPLE_MARK, "");
        assert_eq!(decode(&unmarked).unwrap_err(), PemFault::Damaged);
    }

    #[test]
    fn other_things_are_named() {
        let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        for (text, fault) in [
            (" \n".to_owned(), PemFault::Empty),
            ("/run/secrets/private.key".to_owned(), PemFault::Path),
            ("private.key".to_owned(), PemFault::Path),
            ("MIIEvQIBADANBgkqhki".to_owned(), PemFault::NotPem),
            (block("PUBLIC KEY"), PemFault::PublicKey),
            (block("CERTIFICATE"), PemFault::Certificate),
            (block("ENCRYPTED PRIVATE KEY"), PemFault::Encrypted),
            (block("OPENSSH PRIVATE KEY"), PemFault::OpenSsh),
            (block("EC PRIVATE KEY"), PemFault::Ec),
            (block("DH PARAMETERS"), PemFault::Other),
            (block("PRIVATE KEY").repeat(2), PemFault::Several(2)),
            (
                "-----BEGIN PRIVATE KEY-----\nAAAA".to_owned(),
                PemFault::Truncated,
            ),
            ("-----BEGIN PRIVATE K".to_owned(), PemFault::Truncated),
            (
                block("PRIVATE KEY").replace("AAAA", "AAA"),
                PemFault::Damaged,
            ),
        ] {
            assert_eq!(decode(&text).unwrap_err(), fault, "{text}");
        }
    }

    #[test]
    fn lost_and_added_line_breaks_do_not_matter() {
        let expected = vec![0; 6];
        for text in [
            "-----BEGIN PRIVATE KEY-----\r\nAAAA\r\nAAAA\r\n-----END PRIVATE KEY-----\r\n",
            "-----BEGIN PRIVATE KEY----- AAAA AAAA -----END PRIVATE KEY-----",
            "\u{feff}-----BEGIN PRIVATE KEY-----AAAAAAAA-----END PRIVATE KEY-----",
        ] {
            let (encoding, der) = decode(text).unwrap();
            assert_eq!(
                (encoding, der.to_vec()),
                (Encoding::Pkcs8, expected.clone())
            );
        }
    }
}
