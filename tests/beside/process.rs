//! Real programs: obedient ones, and those that do not end, do not stop talking, or tell secrets.
//!
//! **Invariant:** nothing that a test starts is left running.

use drctl::base::clock::Clock;
use drctl::base::digest::Digest;
use drctl::base::secret::Secret;
use drctl::cloud::process::{Command, Finished, LocalProcesses, ProcessError, Processes as _};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// Longer than any of these tests takes.
const LONG: Duration = Duration::from_secs(60);

fn command(words: &[&str]) -> Command {
    Command {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        directory: None,
        variables: Vec::new(),
        timeout: LONG,
        rehearsal: None,
    }
}

fn script(text: &str) -> Command {
    command(&["sh", "-c", text])
}

async fn run_in(root: &Path, command: &Command) -> Result<Finished, ProcessError> {
    LocalProcesses::new(Clock::real(), root).run(command).await
}

async fn run(command: &Command) -> Result<Finished, ProcessError> {
    let root = TempDir::new().expect("a directory");
    run_in(root.path(), command).await
}

/// Whether a process of this number is there and no zombie.
fn is_alive(id: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", id.trim()));
    status.is_ok_and(|text| !text.contains("State:\tZ"))
}

#[tokio::test]
async fn a_program_has_an_exit_code_and_its_output() {
    let ended = run(&script("echo out; echo err >&2; exit 3")).await.expect("it ends");
    assert_eq!((ended.exit_code, ended.started), (3, true));
    assert_eq!((ended.stdout.shown.as_str(), ended.stderr.shown.as_str()), ("out\n", "err\n"));
    assert_eq!(ended.stdout.digest, Digest::of(b"out\n"));
    assert_eq!(run(&script("kill -SEGV $$")).await.expect("it ends").exit_code, 139);
}

#[tokio::test]
async fn words_reach_the_program_as_they_are_written() {
    let odd = ["a b", "*", "$HOME", "`id`", "; rm -rf x", "", "ä\n"];
    let words: Vec<&str> = ["printf", "%s|"].into_iter().chain(odd).collect();
    let ended = run(&command(&words)).await.expect("it ends");
    assert_eq!(ended.stdout.shown, odd.map(|word| format!("{word}|")).concat());
}

#[tokio::test]
async fn it_sees_the_variables_that_it_is_given_and_no_others() {
    let given = Command {
        variables: vec![("GREETING".to_owned(), Secret::from("hello"))],
        ..command(&["env"])
    };
    let ended = run(&given).await.expect("it ends");
    let names: Vec<&str> =
        ended.stdout.shown.lines().filter_map(|line| line.split('=').next()).collect();
    assert!(names.contains(&"GREETING") && names.contains(&"PATH"), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("CARGO")), "{names:?}");
    let nothing = run(&command(&["cat"])).await.expect("its input is empty");
    assert_eq!(nothing.stdout.bytes, 0);
}

#[tokio::test]
async fn secrets_in_its_output_are_hidden() {
    let given = Command {
        variables: vec![("TOKEN".to_owned(), Secret::from("hunter2-hunter2"))],
        ..script("echo $TOKEN; echo password=abc; printf 'a\\0b'; echo $TOKEN >&2")
    };
    let ended = run(&given).await.expect("it ends");
    assert_eq!(ended.stdout.shown, "(secret)\npassword=(secret)\na\u{fffd}b");
    assert_eq!(ended.stderr.shown, "(secret)\n");
    assert!(!format!("{ended:?} {given:?}").contains("hunter2"));
}

#[tokio::test]
async fn huge_output_is_bounded_and_its_digest_is_of_all() {
    let ended = run(&script("yes 'a line of text' | head -c 20000000")).await.expect("it ends");
    assert_eq!(ended.stdout.bytes, 20_000_000);
    assert!(ended.stdout.shown.len() < 70_000, "{}", ended.stdout.shown.len());
    assert!(ended.stdout.shown.contains("bytes left out"));
    let all: Vec<u8> = b"a line of text\n".iter().copied().cycle().take(20_000_000).collect();
    assert_eq!(ended.stdout.digest, Digest::of(&all));
}

#[tokio::test]
async fn a_program_that_does_not_end_is_ended_with_all_that_it_started() {
    let root = TempDir::new().expect("a directory");
    let stubborn = "trap '' TERM; (trap '' TERM; echo $$ > child; exec sleep 1000) & \
                    echo working >&2; while :; do sleep 1000; done";
    let asked = Command { timeout: Duration::from_millis(500), ..script(stubborn) };
    let error = run_in(root.path(), &asked).await.expect_err("it is ended");
    assert!(matches!(error, ProcessError::TimedOut { .. }), "{error}");
    assert!(error.to_string().contains("after 500ms; it said: working"), "{error}");
    let child = std::fs::read_to_string(root.path().join("child")).expect("it had started one");
    assert!(!is_alive(&child), "{child} is still there");
}

/// The test above where no program called `kill` can be found: this test runs itself again there.
#[tokio::test]
async fn a_group_is_ended_without_a_program_called_kill() {
    const WITHIN: &str = "DRCTL_TEST_WITHOUT_KILL";
    if std::env::var_os(WITHIN).is_none() {
        let name = "process::a_group_is_ended_without_a_program_called_kill";
        let itself = std::env::current_exe().expect("the tests' own path");
        let mut again = std::process::Command::new(itself);
        again.args(["--exact", name]).env("PATH", "/nowhere").env(WITHIN, "yes");
        let output = again.output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let root = TempDir::new().expect("a directory");
    let started = "(echo $$ > child; exec /bin/sleep 1000) & /bin/sleep 1000";
    let asked = Command {
        timeout: Duration::from_millis(500),
        ..command(&["/bin/sh", "-c", &format!("{started}; :")])
    };
    let error = run_in(root.path(), &asked).await.expect_err("it is ended");
    assert!(!error.to_string().contains("could not be ended"), "{error}");
    let running = std::fs::read_dir("/proc").expect("processes").flatten().filter(|entry| {
        let place = std::fs::read_link(entry.path().join("cwd"));
        place.is_ok_and(|place| place == root.path().canonicalize().expect("a directory"))
    });
    assert_eq!(running.count(), 0, "what it had started is gone");
}

#[tokio::test]
async fn a_program_that_obeys_is_not_waited_for_longer() {
    let polite = "trap 'echo good bye >&2; exit 0' TERM; while :; do sleep 0.05; done";
    let asked = Command { timeout: Duration::from_millis(300), ..script(polite) };
    let error = run(&asked).await.expect_err("it is ended");
    assert!(error.to_string().ends_with("good bye"), "{error}");
}

#[tokio::test]
async fn what_it_leaves_in_the_background_holds_nobody_up() {
    let root = TempDir::new().expect("a directory");
    let leaving = "sleep 30 & echo $! > child; echo done";
    let ended = run_in(root.path(), &script(leaving)).await.expect("it ends");
    assert_eq!((ended.exit_code, ended.stdout.shown.as_str()), (0, "done\n"));
    let child = std::fs::read_to_string(root.path().join("child")).expect("it had started one");
    assert!(is_alive(&child), "what was left on purpose stays");
    let _ = std::process::Command::new("kill").arg(child.trim()).status();
}

#[tokio::test]
async fn it_runs_inside_the_project_only() {
    let root = TempDir::new().expect("a directory");
    let project = root.path().join("project");
    std::fs::create_dir_all(project.join("scripts")).expect("directories");
    std::os::unix::fs::symlink(root.path(), project.join("out")).expect("a link");
    std::fs::write(project.join("file"), "").expect("a file");
    let within =
        |directory: &str| Command { directory: Some(directory.into()), ..command(&["pwd"]) };
    let ended = run_in(&project, &within("scripts")).await.expect("it ends");
    assert!(ended.stdout.shown.ends_with("/project/scripts\n"), "{}", ended.stdout.shown);
    for (directory, why) in [
        ("..", "outside the project"),
        ("out", "outside the project"),
        ("scripts/../../project2", "No such file"),
        ("/", "outside the project"),
        ("file", "no directory"),
    ] {
        let error = run_in(&project, &within(directory)).await.expect_err(directory);
        assert!(error.to_string().contains(why), "{directory}: {error}");
        assert!(matches!(error, ProcessError::NotStarted { .. }));
    }
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let root = TempDir::new().expect("a directory");
    std::fs::write(root.path().join("plain"), "#!/bin/sh\n").expect("a file");
    for (words, why) in [
        (&["no-such-program-anywhere"][..], "No such file"),
        (&["./plain"][..], "Permission denied"),
        (&["a\0b"][..], "nul byte"),
        (&[][..], "no program is named"),
    ] {
        let error = run_in(root.path(), &command(words)).await.expect_err("not started");
        assert!(error.to_string().contains(why), "{words:?}: {error}");
    }
}
