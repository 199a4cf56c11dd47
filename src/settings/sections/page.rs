//! `page.*`

use std::path::PathBuf;

use crate::{
    domain::phone_number::PhoneNumber,
    settings::{
        Page, forms,
        key::{Default::Unset, Key, Spec},
        reader::{Noted, Reader},
    },
};

static PHONE_NUMBER: Key<PhoneNumber> = Key::new(
    "page.phone_number",
    &forms::phone_number(),
    Unset("\"448081570000\""),
    "The number that the page shows to those who can't call from the browser.",
);

static VIEWS_DIR: Key<PathBuf> = Key::new(
    "page.views_dir",
    &forms::folder(),
    Unset("\"/etc/click-to-call/views\""),
    "A folder with templates of your own; a file there wins over the built-in one of the same name.",
);

pub(in crate::settings) static KEYS: &[&Spec] = &[&PHONE_NUMBER.spec, &VIEWS_DIR.spec];

pub(in crate::settings) fn read(reader: &mut Reader) -> Result<Page, Noted> {
    let phone_number = reader.optional(&PHONE_NUMBER);
    let views_dir = reader.optional(&VIEWS_DIR);
    Ok(Page {
        phone_number: phone_number?,
        views_dir: views_dir?,
    })
}
