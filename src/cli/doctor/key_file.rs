//! The key file's rights, and which of them nobody needs.
//!
//! Whose the database is says who runs the service: its files are made by it. Another owner of the key file (a mounted
//! secret, a key that root put there) means that the service reads it by its group or as one of the others, and then
//! the file must not be closed to them.

use std::{
    fs,
    ops::RangeInclusive,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::settings::DatabaseUrl;

/// Reading by the group, and by everybody else.
const GROUP_READS: u32 = 0o040;
const OTHERS_READ: u32 = 0o004;
/// Writing by anybody but the owner, which no service needs.
const OTHERS_WRITE: u32 = 0o022;

/// Users that systemd gives to units with `DynamicUser=`: another one, maybe, at each start (systemd.io, "Users, Groups,
/// UIDs and GIDs on systemd Systems").
const PASSING_USERS: RangeInclusive<u32> = 61_184..=65_519;

/// User and group of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    fn of(metadata: &fs::Metadata) -> Self {
        Self {
            user: metadata.uid(),
            group: metadata.gid(),
        }
    }
}

/// The key file as it is found.
#[derive(Debug)]
pub(super) struct KeyFile {
    path: PathBuf,
    /// Permission bits, without the kind of file.
    mode: u32,
    owner: Owner,
    /// Who runs the service; `None` when the database does not tell.
    service: Option<Owner>,
}

impl KeyFile {
    /// `None` when there is no such file.
    pub(super) fn find(path: &Path, database: Option<&DatabaseUrl>) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            path: path.to_owned(),
            mode: metadata.mode() & 0o7777,
            owner: Owner::of(&metadata),
            service: database.and_then(who_runs_on),
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its permission bits.
    pub(super) fn mode(&self) -> u32 {
        self.mode
    }

    /// Who can read it without need, with the file's mode; `None` when nobody can.
    pub(super) fn problem(&self) -> Option<String> {
        let is_read_by = if self.mode & OTHERS_READ != 0 {
            "others"
        } else if self.mode & GROUP_READS != 0 && !self.is_read_by_group() {
            "its group"
        } else {
            return None;
        };
        Some(format!(
            "private key file {} can be read by {is_read_by} (mode {:04o})",
            self.path.display(),
            self.mode
        ))
    }

    /// The command that closes it without locking the service out.
    pub(super) fn remedy(&self) -> String {
        let path = self.path.display();
        match (self.service, self.safe_mode()) {
            (Some(service), _)
                if self.is_hidden_from(service) && PASSING_USERS.contains(&service.user) =>
            {
                format!(
                    "LoadCredential=private.key:{path} and Environment=VONAGE_PRIVATE_KEY_FILE=%d/private.key in the \
                     service's unit, then chmod 600 {path}: with DynamicUser= the service may be another user at each \
                     start, so that neither the mode nor an owner would do"
                )
            }
            (Some(service), _) if self.is_hidden_from(service) => {
                let Owner { user, group } = service;
                format!(
                    "chown {user}:{group} {path} && chmod 600 {path}: the service's database is that user's, the key file \
                     is not, so that the mode alone would lock the service out"
                )
            }
            (Some(_), Some(mode)) => format!("chmod {mode:o} {path}"),
            (_, _) => format!(
                "if the service runs as the owner of {path}: chmod 600 {path}; if it reads it by its group: chmod 640 {path}"
            ),
        }
    }

    /// The mode that takes from others what they don't need and leaves the service what it may; `None` when it is that
    /// already.
    pub(super) fn safe_mode(&self) -> Option<u32> {
        let kept = match self.service {
            Some(service) if service.user == self.owner.user => 0o600,
            Some(_) if self.is_read_by_group() => 0o640,
            _ => 0o777 & !OTHERS_WRITE,
        };
        let is_closed = self.mode & 0o077 & !kept == 0;
        (!is_closed).then_some(self.mode & kept)
    }

    /// Whether the service is another user and reads it as one of the file's group. Which groups the service is in besides
    /// its database's is not known, so the group's right alone counts where others have none.
    fn is_read_by_group(&self) -> bool {
        let Some(service) = self.service else {
            return false;
        };
        let may_be_in_group = service.group == self.owner.group || self.mode & OTHERS_READ == 0;
        service.user != self.owner.user && may_be_in_group && self.mode & GROUP_READS != 0
    }

    /// Whether the service would lose the file with the rights of others.
    fn is_hidden_from(&self, service: Owner) -> bool {
        service.user != self.owner.user && !self.is_read_by_group()
    }
}

/// Whose a SQLite file is or, before the first start, the folder that it will be made in. A folder farther up tells nothing:
/// those below it are made for the service, by root or by systemd.
fn who_runs_on(database: &DatabaseUrl) -> Option<Owner> {
    let DatabaseUrl::Sqlite(path) = database else {
        return None;
    };
    let folder = match path.parent()? {
        here if here.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    fs::metadata(path)
        .or_else(|_| fs::metadata(folder))
        .ok()
        .map(|metadata| Owner::of(&metadata))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: Owner = Owner { user: 0, group: 0 };
    const SERVICE: Owner = Owner {
        user: 10_001,
        group: 10_001,
    };

    fn file(mode: u32, owner: Owner, service: Option<Owner>) -> KeyFile {
        KeyFile {
            path: "private.key".into(),
            mode,
            owner,
            service,
        }
    }

    #[test]
    fn the_services_own_file_is_closed_to_everybody_else() {
        for mode in [0o644, 0o640, 0o660, 0o604] {
            let file = file(mode, SERVICE, Some(SERVICE));
            assert_eq!(file.safe_mode(), Some(0o600), "{mode:o}");
            assert_eq!(file.remedy(), "chmod 600 private.key");
        }
        let closed = file(0o600, SERVICE, Some(SERVICE));
        assert_eq!((closed.safe_mode(), closed.problem()), (None, None));
        assert_eq!(file(0o444, SERVICE, Some(SERVICE)).safe_mode(), Some(0o400));
    }

    #[test]
    fn a_secret_that_the_services_group_reads_stays_readable() {
        let shared = Owner {
            user: 0,
            group: SERVICE.group,
        };
        for mode in [0o440, 0o640] {
            let file = file(mode, shared, Some(SERVICE));
            assert_eq!((file.safe_mode(), file.problem()), (None, None), "{mode:o}");
        }
        let open = file(0o644, shared, Some(SERVICE));
        assert!(open.problem().unwrap().contains("others (mode 0644)"));
        assert_eq!(open.safe_mode(), Some(0o640));
        assert_eq!(open.remedy(), "chmod 640 private.key");
        assert_eq!(file(0o664, shared, Some(SERVICE)).safe_mode(), Some(0o640));
        // One of the service's other groups.
        let other_group = file(0o440, ROOT, Some(SERVICE));
        assert_eq!(
            (other_group.safe_mode(), other_group.problem()),
            (None, None)
        );
    }

    #[test]
    fn what_the_service_may_read_as_one_of_the_others_is_left_to_the_owner() {
        let open = file(0o644, ROOT, Some(SERVICE));
        assert!(open.problem().is_some());
        assert_eq!(open.safe_mode(), None);
        assert!(
            open.remedy()
                .starts_with("chown 10001:10001 private.key && chmod 600 private.key"),
            "{}",
            open.remedy()
        );
        // Writing is nothing that it needs.
        assert_eq!(file(0o666, ROOT, Some(SERVICE)).safe_mode(), Some(0o644));
    }

    #[test]
    fn a_user_for_one_start_is_not_made_the_owner() {
        let service = Owner {
            user: 61_184,
            group: 61_184,
        };
        let remedy = file(0o644, ROOT, Some(service)).remedy();
        assert!(remedy.starts_with("LoadCredential="), "{remedy}");
        assert!(!remedy.contains("chown"), "{remedy}");
    }

    #[test]
    fn only_the_database_or_its_own_folder_tells_who_runs_the_service() {
        let state = tempfile::tempdir().unwrap();
        let tell = |path: PathBuf| who_runs_on(&DatabaseUrl::Sqlite(path));
        let owner = Owner::of(&state.path().metadata().unwrap());
        let database = state.path().join("calls.db");
        assert_eq!(tell(database.clone()), Some(owner));
        fs::write(&database, "").unwrap();
        assert_eq!(tell(database), Some(owner));
        assert_eq!(tell("calls.db".into()), tell("./calls.db".into()));
        assert!(tell("calls.db".into()).is_some());
        // Not made yet: whose the folder above is says nothing.
        assert_eq!(tell(state.path().join("click-to-call/calls.db")), None);
        assert_eq!(tell("no-such-folder/calls.db".into()), None);
    }

    #[test]
    fn without_knowing_the_service_nothing_is_taken_that_it_may_need() {
        for mode in [0o640, 0o644] {
            let file = file(mode, ROOT, None);
            assert!(file.problem().is_some(), "{mode:o}");
            assert_eq!(file.safe_mode(), None, "{mode:o}");
            assert!(file.remedy().contains("chmod 640 private.key"));
        }
        assert_eq!(file(0o660, ROOT, None).safe_mode(), Some(0o640));
    }
}
