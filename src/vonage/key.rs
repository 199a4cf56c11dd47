//! The application's RSA private key: read once, checked, and kept ready to sign.
//!
//! The `rsa` crate only looks at the key's structure here; every signature is made by `aws-lc-rs`.

use std::{fmt, fs::File, io, io::Read, os::unix::fs::MetadataExt, path::Path};

use aws_lc_rs::signature::{KeyPair, RsaKeyPair};
use rsa::{
    RsaPublicKey,
    pkcs1::{self, DecodeRsaPublicKey, der::Decode},
    pkcs8::{EncodePublicKey, LineEnding, PrivateKeyInfo},
};
use secrecy::{
    ExposeSecret,
    zeroize::{Zeroize, Zeroizing},
};

use super::pem::{self, PemFault};
use crate::settings::PrivateKeySource;

/// Shorter keys are refused: below it RS256 is not to be used (RFC 7518 section 3.3).
const MIN_BITS: usize = 2048;
/// Longer keys are refused: a signature's cost grows with the cube of the length, and no visitor gains from it.
const MAX_BITS: usize = 4096;
/// A 4096-bit key in PEM has about 3 300 bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// The key pair of the Vonage application, ready to sign.
pub struct ApplicationKey {
    pair: RsaKeyPair,
    public_pem: String,
    bits: usize,
}

/// Why there is no usable key, and where it was looked for.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct KeyError {
    /// The file or the variable.
    pub place: String,
    /// What is wrong with it.
    pub fault: KeyFault,
}

/// What is wrong with a private key, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// There is no such file.
    #[error(
        "there is no such file; make a key with `click-to-call keygen`, or set VONAGE_PRIVATE_KEY_FILE to the file \
         that the Vonage dashboard gave you"
    )]
    Missing,
    /// The file can't be read.
    #[error("can't be read: {0}; it must be readable by the user that runs this service")]
    Unreadable(#[source] io::Error),
    /// A folder, a socket or the like. Container engines make a folder where a mounted file is missing.
    #[error(
        "is not a file (container engines make a folder where the file to be mounted is missing); put the key file there"
    )]
    NotAFile,
    /// Anybody of the group, or anybody at all, could put another key in its place.
    #[error(
        "can be written by others (mode {0:04o}); `click-to-call doctor` names the command that ends it and leaves the \
         service what it needs, doctor --fix runs it where it can"
    )]
    WritableByOthers(u32),
    /// No key is as long as that.
    #[error(
        "has more than {MAX_FILE_BYTES} bytes, which is no key; name the private key's own file"
    )]
    TooBig,
    /// The text is no PEM of a private key.
    #[error(transparent)]
    Pem(#[from] PemFault),
    /// The PEM frame is whole, what is in it isn't.
    #[error("the key between the PEM lines is cut off or changed; copy the file again, whole")]
    Damaged,
    /// A key of another algorithm.
    #[error(
        "is {0}, but Vonage signs with RSA; make an RSA key with `click-to-call keygen` and give its public half to the \
         application"
    )]
    NotRsa(&'static str),
    /// Fewer than 2048 bits.
    #[error(
        "has {0} bits, which is too weak; at least {MIN_BITS} are needed: make a new key with `click-to-call keygen`"
    )]
    TooShort(usize),
    /// More than 4096 bits.
    #[error(
        "has {0} bits; at most {MAX_BITS} are taken, as longer keys sign too slowly: make one with `click-to-call keygen`"
    )]
    TooLong(usize),
    /// The numbers of the key don't belong together.
    #[error("its numbers don't belong together ({0}); copy the file again, or make a new key")]
    Inconsistent(String),
}

impl ApplicationKey {
    /// Reads the key from where the settings say, with warnings about how it is kept.
    ///
    /// # Errors
    /// When it can't be read, could be changed by others, or is anything but an unencrypted RSA private key
    /// of 2048 to 4096 bits. The error names the place and the cure and never shows the content.
    pub fn load(source: &PrivateKeySource) -> Result<(Self, Vec<String>), KeyError> {
        match source {
            PrivateKeySource::Text(text) => match Self::parse(text.expose_secret()) {
                Ok(key) => Ok((key, Vec::new())),
                Err(fault) => Err(KeyError {
                    place: "vonage.private_key (VONAGE_PRIVATE_KEY)".to_owned(),
                    fault,
                }),
            },
            PrivateKeySource::File(path) => Self::load_file(path).map_err(|fault| KeyError {
                place: format!("private key file {}", path.display()),
                fault,
            }),
        }
    }

    /// Reads a PEM: PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`).
    ///
    /// # Errors
    /// When the text is anything but one unencrypted RSA private key of 2048 to 4096 bits.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let (encoding, der) = pem::decode(text)?;
        let (bits, pair) = match encoding {
            pem::Encoding::Pkcs1 => (check_pkcs1(&der)?, RsaKeyPair::from_der(&der)),
            pem::Encoding::Pkcs8 => (check_pkcs8(&der)?, RsaKeyPair::from_pkcs8(&der)),
        };
        let pair = pair.map_err(|rejected| KeyFault::Inconsistent(rejected.to_string()))?;
        let public_pem = RsaPublicKey::from_pkcs1_der(pair.public_key().as_ref())
            .ok()
            .and_then(|key| key.to_public_key_pem(LineEnding::LF).ok())
            .ok_or(KeyFault::Damaged)?;
        Ok(Self {
            pair,
            public_pem,
            bits,
        })
    }

    /// What signs.
    pub fn key_pair(&self) -> &RsaKeyPair {
        &self.pair
    }

    /// The public half as PEM (`BEGIN PUBLIC KEY`), which is what the Vonage application is given.
    pub fn public_key_pem(&self) -> String {
        self.public_pem.clone()
    }

    /// Length of the modulus: 2048 to 4096.
    pub fn bits(&self) -> usize {
        self.bits
    }

    fn load_file(path: &Path) -> Result<(Self, Vec<String>), KeyFault> {
        let file = File::open(path).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                KeyFault::Missing
            } else {
                KeyFault::Unreadable(error)
            }
        })?;
        // Asked of the open file, so that it can't be another one by the time it is read.
        let metadata = file.metadata().map_err(KeyFault::Unreadable)?;
        if !metadata.is_file() {
            return Err(KeyFault::NotAFile);
        }
        if metadata.len() > MAX_FILE_BYTES {
            return Err(KeyFault::TooBig);
        }
        let mode = metadata.mode() & 0o7777;
        if mode & 0o022 != 0 {
            return Err(KeyFault::WritableByOthers(mode));
        }
        let mut warnings = Vec::new();
        if mode & 0o044 != 0 {
            // Which of these rights the service itself needs hangs on owner and group: one place knows.
            warnings.push(format!(
                "private key file {} can be read by others (mode {mode:04o}); `click-to-call doctor` says whether the \
                 service needs that and, if not, names the command that ends it",
                path.display()
            ));
        }
        let text = read_to_wiped_string(file, metadata.len())?;
        Ok((Self::parse(&text)?, warnings))
    }
}

/// Reads into a buffer of the final size: a growing one would leave copies of the key behind.
fn read_to_wiped_string(file: File, length: u64) -> Result<Zeroizing<String>, KeyFault> {
    let capacity = usize::try_from(length).unwrap_or(0).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(MAX_FILE_BYTES)
        .read_to_end(&mut bytes)
        .map_err(KeyFault::Unreadable)?;
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            error.into_bytes().zeroize();
            Err(PemFault::NotPem.into())
        }
    }
}

fn check_pkcs8(der: &[u8]) -> Result<usize, KeyFault> {
    let info = PrivateKeyInfo::from_der(der).map_err(|_no_structure| KeyFault::Damaged)?;
    if info.algorithm.oid != pkcs1::ALGORITHM_OID {
        return Err(KeyFault::NotRsa(
            match info.algorithm.oid.to_string().as_str() {
                // RFC 5480, RFC 8410, RFC 4055.
                "1.2.840.10045.2.1" => "an EC key",
                "1.3.101.112" => "an Ed25519 key",
                "1.3.101.113" => "an Ed448 key",
                "1.2.840.113549.1.1.10" => "an RSA key that may sign with PSS only",
                _ => "a key of another algorithm",
            },
        ));
    }
    check_pkcs1(info.private_key)
}

/// The length is judged before the arithmetic: a check of a 16384-bit key takes minutes.
fn check_pkcs1(der: &[u8]) -> Result<usize, KeyFault> {
    let key = pkcs1::RsaPrivateKey::from_der(der).map_err(|_no_structure| KeyFault::Damaged)?;
    let modulus = key.modulus.as_bytes();
    let leading_zeros = modulus.first().map_or(0, |byte| byte.leading_zeros());
    let bits = modulus.len() * 8 - usize::try_from(leading_zeros).unwrap_or(0);
    match bits {
        ..MIN_BITS => Err(KeyFault::TooShort(bits)),
        MIN_BITS..=MAX_BITS => Ok(bits),
        _ => Err(KeyFault::TooLong(bits)),
    }
}

impl fmt::Debug for ApplicationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApplicationKey({} bits, [redacted])", self.bits)
    }
}
