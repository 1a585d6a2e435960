//! A real file system without room: the run stops before what it could not record, and goes on when there
//! is room again.

use crate::env::TestEnv;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory with little room.
struct Tmpfs(PathBuf);

impl Tmpfs {
    /// Mounts one; `None` where this process may not.
    fn mount(at: &Path, kib: u32) -> Option<Self> {
        fs::create_dir_all(at).expect("a directory");
        let options = format!("size={kib}k");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(at)
            .output()
            .is_ok_and(|ended| ended.status.success());
        mounted.then(|| Self(at.to_owned()))
    }

    /// Makes room, or takes it.
    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let ended = Command::new("mount").args(["-o", &options]).arg(&self.0).output();
        assert!(ended.expect("mount starts").status.success(), "{options}");
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn skipped() {
    eprintln!("SKIPPED: no file system can be mounted here (needs root)");
}

#[test]
fn a_full_disk_stops_the_run_and_room_lets_it_go_on() {
    let (mut before, mut midway) = (0, 0);
    for kib in (16..2_000).step_by(8) {
        let env = TestEnv::new();
        let runs = env.state().join("runs");
        let Some(disk) = Tmpfs::mount(&runs, kib) else { return skipped() };
        let out = env.line("drill restore-db");
        if out.code == 0 {
            env.assert_clean();
            assert!(before > 0 && midway > 5, "{before} before the run and {midway} in it");
            return;
        }
        let out = out.expect(16);
        let told = ["no room left", "No space left", "cannot"];
        assert!(told.iter().any(|part| out.stderr.contains(part)), "{kib} KiB: {}", out.stderr);
        assert!(!out.stderr.contains("panicked"), "{kib} KiB: {}", out.stderr);
        disk.remount("size=8m");
        let begun = env.line("journal show").code == 0
            && env.line("journal export").stdout.contains("run_started");
        if begun {
            midway += 1;
            env.line("resume").expect(0).says(&["run succeeded"]);
        } else {
            before += 1;
            assert_eq!(env.mutations(), Vec::<String>::new(), "{kib} KiB");
            env.line("drill restore-db").expect(0);
        }
        env.assert_clean();
        env.line("journal verify").expect(0);
    }
    panic!("2 MB were not enough for a drill");
}

#[test]
fn a_file_system_that_turned_read_only_refuses_to_go_on() {
    let env = TestEnv::new();
    let Some(disk) = Tmpfs::mount(&env.state().join("runs"), 8_000) else { return skipped() };
    let mut drill = crate::interrupted::Watched::start(&env, "drill restore-db --pace 5000");
    drill.until("restore: creating");
    drill.kill();
    disk.remount("ro");
    let before = env.mutations();
    let refused = env.line("resume").expect(16);
    assert!(refused.stderr.to_lowercase().contains("read-only"), "{}", refused.stderr);
    assert_eq!(env.mutations(), before, "nothing was done");
    disk.remount("rw");
    env.line("resume").expect(0).says(&["run succeeded"]);
    env.assert_clean();
}
