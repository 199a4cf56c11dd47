//! Everything that people put in the place of the application's key.

use std::fs;

use rsa::{
    pkcs1::{RsaPrivateKey, UintRef, der::EncodePem},
    pkcs8::LineEnding,
};

use crate::place::{Place, private_key, set_mode};

#[track_caller]
fn refused(text: &str, words: &str) {
    let place = Place::ready();
    place.write_key(text);
    let run = place.run(&["config", "check"]).failed();
    assert!(
        run.err.starts_with("error: there is 1 fault"),
        "{}",
        run.err
    );
    assert!(
        run.err.contains("private key file private.key: "),
        "{}",
        run.err
    );
    assert!(run.err.contains(words), "{words:?} is not in {}", run.err);
}

/// What openssl makes of these arguments.
fn made(args: &str) -> String {
    Place::empty().openssl(args)
}

/// What openssl makes of the good key with these arguments.
fn derived(args: &str) -> String {
    let place = Place::empty();
    place.write_key(private_key());
    place.openssl(args)
}

#[test]
fn both_encodings_are_taken() {
    let pkcs1 = derived("rsa -in private.key -traditional");
    assert!(pkcs1.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
    for text in [
        private_key().to_owned(),
        pkcs1,
        private_key().replace('\n', "\r\n"),
        format!("\u{feff}{}", private_key()),
        private_key().replace('\n', " "),
    ] {
        let place = Place::ready();
        place.write_key(&text);
        place.run(&["config", "check"]).done();
    }
}

#[test]
fn a_variable_can_hold_the_key() {
    let mut place = Place::ready();
    fs::remove_file(place.path("private.key")).unwrap();
    place.set("VONAGE_PRIVATE_KEY", &private_key().replace('\n', "\\n"));
    place.run(&["config", "check"]).done();
    place.set("VONAGE_PRIVATE_KEY", "/run/secrets/private.key");
    place
        .run(&["config", "check"])
        .failed()
        .says("vonage.private_key (VONAGE_PRIVATE_KEY): looks like the path of a file")
        .says("put the path in VONAGE_PRIVATE_KEY_FILE");
}

#[test]
fn other_things_in_its_place_are_named() {
    refused("", "is empty");
    refused(
        include_str!("../../private.key.example"),
        "is the example that is shipped",
    );
    refused(
        "/run/secrets/private.key\n",
        "looks like the path of a file",
    );
    refused("\u{0}\u{1}", "is not in PEM form");
    refused(&derived("pkey -in private.key -pubout"), "is a public key");
    refused(
        &derived("req -x509 -new -key private.key -subj /CN=example -days 1"),
        "is a certificate",
    );
    refused(&private_key().repeat(2), "has 2 PEM blocks");
}

#[test]
fn locked_and_foreign_formats_are_named() {
    refused(
        &derived("pkcs8 -topk8 -in private.key -passout pass:word"),
        "is protected by a password",
    );
    refused(
        &derived("rsa -in private.key -traditional -aes128 -passout pass:word"),
        "is protected by a password",
    );
    refused(
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
        "is in OpenSSH's format",
    );
}

#[test]
fn other_algorithms_are_named() {
    refused(
        &made("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
        "is an EC key",
    );
    refused(&made("ecparam -name prime256v1 -genkey"), "is an EC key");
    refused(&made("genpkey -algorithm ED25519"), "is an Ed25519 key");
    refused(
        &made("genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048"),
        "PSS only",
    );
}

#[test]
fn lengths_out_of_bounds_are_named() {
    refused(
        &made("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024"),
        "has 1024 bits, which is too weak",
    );
    // Judged by its length alone: to make a real one takes minutes.
    let modulus = [0xff; 2048];
    let number = UintRef::new(&modulus).unwrap();
    let huge = RsaPrivateKey {
        modulus: number,
        public_exponent: UintRef::new(&[1, 0, 1]).unwrap(),
        private_exponent: number,
        prime1: number,
        prime2: number,
        exponent1: number,
        exponent2: number,
        coefficient: number,
        other_prime_infos: None,
    };
    refused(
        &huge.to_pem(LineEnding::LF).unwrap(),
        "has 16384 bits; at most 4096 are taken",
    );
}

#[test]
fn damage_is_told() {
    let lines: Vec<&str> = private_key().lines().collect();
    refused(
        &lines[..20].join("\n"),
        "is cut off: its END line is missing",
    );
    let short: Vec<&str> = lines
        .iter()
        .enumerate()
        .filter(|(i, _)| *i != 9)
        .map(|(_, l)| *l)
        .collect();
    refused(&short.join("\n"), "is cut off or changed");
    let mut changed = lines.clone();
    changed.swap(9, 10);
    refused(&changed.join("\n"), "its numbers don't belong together");
    refused(
        &lines.join("\n").replace("MIIE", "!IIE"),
        "is cut off or changed",
    );
}

#[test]
fn the_mode_of_the_file_matters() {
    let place = Place::ready();
    let path = place.path("private.key");
    for mode in [0o400, 0o600] {
        set_mode(&path, mode);
        assert_eq!(place.run(&["config", "check"]).done().err, "");
    }
    for mode in [0o440, 0o444, 0o644] {
        set_mode(&path, mode);
        // Which mode is right hangs on who runs the service.
        let run = place
            .run(&["config", "check"])
            .done()
            .says(&format!("can be read by others (mode 0{mode:o})"))
            .says("`click-to-call doctor` says whether the service needs that");
        assert!(!run.err.contains("chmod"), "{}", run.err);
    }
    for mode in [0o620, 0o606, 0o666] {
        set_mode(&path, mode);
        place
            .run(&["config", "check"])
            .failed()
            .says(&format!("can be written by others (mode 0{mode:o})"))
            .says("`click-to-call doctor` names the command that ends it");
    }
}

#[test]
fn what_is_no_file_or_too_long_is_told() {
    let place = Place::ready();
    let path = place.path("private.key");
    fs::write(&path, private_key().repeat(50)).unwrap();
    place
        .run(&["config", "check"])
        .failed()
        .says("which is no key");
    fs::remove_file(&path).unwrap();
    place
        .run(&["config", "check"])
        .failed()
        .says("there is no such file");
    fs::create_dir(&path).unwrap();
    place
        .run(&["config", "check"])
        .failed()
        .says("is not a file");
}
