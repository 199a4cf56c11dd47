//! The service as a process: its log, its address, signals.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use crate::place::Place;

/// Nothing that is waited for takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Service {
    child: Child,
    lines: Receiver<String>,
    /// Everything logged so far, as far as it was waited for.
    pub(crate) log: String,
    pub(crate) url: String,
}

impl Service {
    /// Starts `serve` and waits until it listens.
    pub(crate) fn start(place: &Place) -> Self {
        Self::spawn(place.command(&["serve"]))
    }

    /// The same with a command that runs `serve` in its own way.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let ready_users = "CLICK_TO_CALL__VISITORS__READY_USERS";
        if !command.get_envs().any(|(name, _)| name == ready_users) {
            // Or it would ask Vonage for them at once.
            command.env(ready_users, "0");
        }
        let mut child = command.env("PORT", "0").spawn().unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut service = Self {
            child,
            lines,
            log: String::new(),
            url: String::new(),
        };
        let line = service.wait_for("listening on http://");
        let address = line.split("listening on ").nth(1).unwrap();
        let url = address.split(['"', ' ']).next().unwrap().to_owned();
        service.url = url;
        service
    }

    /// Waits for a line of the log that has this text.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no line with {text:?} in:\n{}", self.log));
            self.log.push_str(&line);
            self.log.push('\n');
            if line.contains(text) {
                return line;
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for the end, and returns the exit code and the rest of the log.
    pub(crate) fn end(&mut self) -> Option<i32> {
        let status = self.child.wait().unwrap();
        while let Ok(line) = self.lines.recv() {
            self.log.push_str(&line);
            self.log.push('\n');
        }
        status.code()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
