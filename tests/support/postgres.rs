//! PostgreSQL clusters of the tests' own, from the installed programs: no port, no service, nothing left behind.

use std::{
    env,
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::LazyLock,
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

/// The user and group `nobody`: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65_534;

/// PostgreSQL's own: sockets in folders of their own don't meet.
const PORT: u16 = 5_432;

/// The role that owns the tests' databases. It has no other rights.
const OWNER: &str = "calls";

static SHARED: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(&[]));

/// A running cluster. It ends with the process, whichever way that ends.
pub(crate) struct Cluster {
    folder: PathBuf,
    /// In the name of its socket, and on the network where it listens there.
    port: u16,
    programs: PathBuf,
    as_nobody: bool,
    /// Ends the cluster when its standard input does: our end of the pipe closes with us.
    _watchdog: Child,
}

impl Cluster {
    /// One for all tests of a binary, each with a database of its own.
    pub(crate) fn shared() -> &'static Self {
        &SHARED
    }

    /// Whether PostgreSQL's programs are on this machine.
    pub(crate) fn is_installed() -> bool {
        programs().is_some()
    }

    /// A cluster for one test, with these settings.
    pub(crate) fn start(settings: &[&str]) -> Self {
        Self::start_on(PORT, settings)
    }

    /// The same on a port of its own.
    pub(crate) fn start_on(port: u16, settings: &[&str]) -> Self {
        let cluster = Self::empty(port);
        cluster.run(
            "initdb",
            &[
                "-D",
                "data",
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "--no-sync",
                "--wal-segsize=1",
            ],
        );
        let mut configuration = format!(
            "listen_addresses = ''\nport = {port}\nunix_socket_directories = '{}'\nfsync = on\nshared_buffers = 16MB\n\
             max_connections = 200\n",
            cluster.folder.display()
        );
        configuration.push_str(&settings.join("\n"));
        let path = cluster.folder.join("data/postgresql.auto.conf");
        fs::write(path, configuration).unwrap();
        cluster.start_server();
        let host = cluster.folder.display().to_string();
        let port = port.to_string();
        cluster.run(
            "createuser",
            &["-h", &host, "-p", &port, "-U", "postgres", OWNER],
        );
        cluster
    }

    /// A hot standby of this cluster, which follows it and takes no writes.
    pub(crate) fn start_standby(&self) -> Self {
        let standby = Self::empty(self.port);
        let primary = self.folder.display().to_string();
        let port = self.port.to_string();
        standby.run(
            "pg_basebackup",
            &[
                "-D",
                "data",
                "-h",
                &primary,
                "-p",
                &port,
                "-U",
                "postgres",
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--no-sync",
            ],
        );
        let path = standby.folder.join("data/postgresql.auto.conf");
        let copied = fs::read_to_string(&path).unwrap();
        let socket = standby.folder.display();
        let configuration = format!("{copied}\nunix_socket_directories = '{socket}'\n");
        fs::write(path, configuration).unwrap();
        standby.start_server();
        standby
    }

    /// Makes a primary of a standby.
    pub(crate) fn promote(&self) {
        self.run("pg_ctl", &["-D", "data", "-w", "promote"]);
    }

    /// A folder for a cluster, which goes with the process.
    fn empty(port: u16) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("pg-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .unwrap()
            .keep();
        let as_nobody = fs::metadata("/proc/self").unwrap().uid() == 0;
        if as_nobody {
            chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let Some(programs) = programs() else {
            panic!("PostgreSQL is missing: apt-get install postgresql, or set POSTGRES_BIN");
        };
        let watchdog = command("sh", &folder, as_nobody)
            .args([
                "-c",
                r#"cat; "$0/pg_ctl" -D data -m immediate stop; rm -rf "$PWD""#,
            ])
            .arg(&programs)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            folder,
            port,
            programs,
            as_nobody,
            _watchdog: watchdog,
        }
    }

    pub(crate) fn start_server(&self) {
        self.run("pg_ctl", &["-D", "data", "-l", "log", "-w", "start"]);
    }

    /// Stops it: `fast` cuts connections and shuts down, `immediate` is as good as a power cut.
    pub(crate) fn stop_server(&self, mode: &str) {
        self.run("pg_ctl", &["-D", "data", "-m", mode, "-w", "stop"]);
    }

    /// Stops the processes of the server where they are: connections stay, and nobody answers.
    pub(crate) fn freeze(&self) -> Frozen {
        let path = self.folder.join("data/postmaster.pid");
        let postmaster = fs::read_to_string(path).unwrap();
        let postmaster = postmaster.lines().next().unwrap();
        // It first, so that it makes no more of them.
        signal("-STOP", postmaster);
        let mut processes = vec![postmaster.to_owned()];
        let path = format!("/proc/{postmaster}/task/{postmaster}/children");
        let children = fs::read_to_string(path).unwrap();
        processes.extend(children.split_whitespace().map(str::to_owned));
        for process in &processes {
            signal("-STOP", process);
        }
        Frozen(processes)
    }

    pub(crate) fn reload(&self) {
        self.run("pg_ctl", &["-D", "data", "reload"]);
    }

    /// What no file of the server may grow beyond from its next start on: as near to a full disk as one gets without
    /// one. In KiB; `unlimited` takes it back.
    pub(crate) fn start_server_with_file_limit(&self, limit: &str) {
        let start = format!(r#"ulimit -f {limit}; exec "$0/pg_ctl" -D data -l log -w start"#);
        let status = command("bash", &self.folder, self.as_nobody)
            .args(["-c", &start])
            .arg(&self.programs)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Adds settings that need no restart.
    pub(crate) fn configure(&self, settings: &str) {
        let path = self.folder.join("data/postgresql.auto.conf");
        let old = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{old}\n{settings}\n")).unwrap();
        self.reload();
    }

    /// Writes a file of the server's own beside its data, as none but its user may read.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        if self.as_nobody {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    /// Adds a line that decides before all others who is let in.
    pub(crate) fn admit(&self, line: &str) {
        let path = self.folder.join("data/pg_hba.conf");
        let old = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{line}\n{old}")).unwrap();
        self.reload();
    }

    /// A new database, and its name.
    pub(crate) async fn create_database(&self) -> String {
        self.create_database_with("").await
    }

    /// The same with options of `CREATE DATABASE`.
    pub(crate) async fn create_database_with(&self, options: &str) -> String {
        let name = format!("calls_{}", Uuid::new_v4().simple());
        let statement = format!("CREATE DATABASE {name} OWNER {OWNER} {options}");
        let mut admin = self.admin("postgres").await;
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut admin)
            .await
            .unwrap();
        name
    }

    /// The address of a database, as its owner.
    pub(crate) fn url(&self, database: &str) -> String {
        self.url_as(OWNER, database)
    }

    /// The same as another user, perhaps with a password.
    pub(crate) fn url_as(&self, user: &str, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://{user}@{folder}:{}/{database}", self.port)
    }

    /// The superuser's connection to a database.
    pub(crate) async fn admin(&self, database: &str) -> PgConnection {
        PgConnection::connect(&self.url_as("postgres", database))
            .await
            .unwrap()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = command(self.programs.join(program), &self.folder, self.as_nobody)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{program}: {}\n{}",
            String::from_utf8_lossy(&output.stderr),
            fs::read_to_string(self.folder.join("log")).unwrap_or_default()
        );
    }
}

/// A server that stands still for as long as this lives.
pub(crate) struct Frozen(Vec<String>);

impl Drop for Frozen {
    fn drop(&mut self) {
        for process in &self.0 {
            signal("-CONT", process);
        }
    }
}

/// A process that has ended since is as good as one that has the signal.
fn signal(name: &str, process: &str) {
    let _ = Command::new("kill").args([name, process]).status();
}

fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path, as_nobody: bool) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    if as_nobody {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// The folder of the newest installed programs, if there are any.
#[expect(
    clippy::disallowed_methods,
    reason = "where the programs are is the machine's to say"
)]
fn programs() -> Option<PathBuf> {
    if let Some(folder) = env::var_os("POSTGRES_BIN") {
        return Some(PathBuf::from(folder));
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| {
            let path = version.ok()?.path();
            let number = path.file_name()?.to_str()?.parse().ok()?;
            let programs = path.join("bin");
            programs
                .join("initdb")
                .exists()
                .then_some((number, programs))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, newest)| newest)
}
