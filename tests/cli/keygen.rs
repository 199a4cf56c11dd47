use std::{fs, os::unix::fs::PermissionsExt};

use crate::place::{Place, private_key, set_mode};

#[test]
fn a_new_key_is_private_and_openssl_agrees_with_it() {
    let place = Place::empty();
    let run = place.run(&["keygen"]).done();
    let path = place.path("private.key");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    assert_eq!(
        place.openssl("rsa -in private.key -check -noout").trim(),
        "RSA key ok"
    );
    assert_eq!(place.openssl("pkey -in private.key -pubout"), run.out);
    assert!(
        place
            .openssl("pkey -in private.key -text -noout")
            .contains("2048 bit")
    );
    assert!(run.err.contains("Next: give the public key"), "{}", run.err);
    let private = fs::read_to_string(path).unwrap();
    assert!(private.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let said = format!("{}{}", run.out, run.err);
    assert!(
        !private
            .lines()
            .skip(1)
            .take(25)
            .any(|line| said.contains(line))
    );
}

#[test]
fn a_file_that_is_there_is_never_overwritten() {
    let place = Place::empty();
    place.write("private.key", "mine");
    let run = place.run(&["keygen"]).failed().says("never overwritten");
    assert_eq!(run.out, "");
    assert_eq!(
        fs::read_to_string(place.path("private.key")).unwrap(),
        "mine"
    );
    // Not through a link that leads nowhere yet, either.
    std::os::unix::fs::symlink("nowhere", place.path("link")).unwrap();
    place.run(&["keygen", "--out", "link"]).failed();
    assert!(!place.path("nowhere").exists());
}

#[test]
fn the_new_key_works() {
    let place = Place::ready();
    fs::remove_file(place.path("private.key")).unwrap();
    place.run(&["keygen", "--bits", "3072"]).done();
    place.run(&["config", "check"]).done().says("3072 bits");
}

#[test]
fn public_prints_the_public_half_and_makes_nothing() {
    let place = Place::empty();
    place
        .run(&["keygen", "--public"])
        .failed()
        .says("there is no such file");
    assert!(!place.path("private.key").exists());
    set_mode(&place.write("my.key", private_key()), 0o600);
    let run = place.run(&["keygen", "--public", "--out", "my.key"]).done();
    assert_eq!(run.out, place.openssl("pkey -in my.key -pubout"));
    assert_eq!(run.err, "");
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    Place::empty()
        .run(&["keygen", "--out", "absent/private.key"])
        .failed()
        .says("absent/private.key can't be made");
}
