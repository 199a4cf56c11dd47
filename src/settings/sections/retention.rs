//! `retention.*`

use crate::settings::{
    Retention, forms,
    key::{Default::Value, Key, Spec},
    reader::{Noted, Reader},
};

static DAYS: Key<u32> = Key::new(
    "retention.days",
    &forms::count::<1, 3_650>(),
    Value("30"),
    "Days that calls and their events are kept.",
);

pub(in crate::settings) static KEYS: &[&Spec] = &[&DAYS.spec];

pub(in crate::settings) fn read(reader: &mut Reader) -> Result<Retention, Noted> {
    Ok(Retention {
        days: reader.value(&DAYS)?,
    })
}
