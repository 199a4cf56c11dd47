use std::io::{BufRead as _, BufReader, Read as _};

use crate::place::Place;

#[test]
fn shells_complete_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let run = Place::empty().run(&["completions", shell]).done();
        for command in ["setup", "numbers", "healthcheck"] {
            assert!(run.out.contains(command), "{shell}");
        }
    }
    assert_eq!(Place::empty().run(&["completions", "powershell"]).code, 2);
}

#[test]
fn every_command_has_a_manual_page() {
    let place = Place::empty();
    place.run(&["man"]).done().says("click\\-to\\-call");
    place.run(&["man", "numbers", "buy"]).done().says("COUNTRY");
    place
        .run(&["man", "telephone"])
        .failed()
        .says("there is no command \"telephone\"");
    place.run(&["man", "--out", "pages"]).done();
    assert!(place.path("pages/click-to-call.1").exists());
    assert!(place.path("pages/click-to-call-numbers-buy.1").exists());
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let place = Place::ready();
    // Both are longer than a pipe holds when nobody reads it.
    for args in [&["config", "manual"][..], &["completions", "bash"]] {
        let mut child = place.command(args).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::with_capacity(64, child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        drop(out);
        let status = child.wait().unwrap();
        let mut err = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .unwrap();
        assert_eq!((status.code(), err.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn a_mistyped_command_is_recognised() {
    Place::empty().run(&["setpu"]).says("setup");
    Place::empty()
        .run(&["numbers", "serach", "GB"])
        .says("search");
}
