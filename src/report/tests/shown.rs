//! How reports look, side by side and scored. **Invariant:** simulated figures say so everywhere.

use super::*;
use crate::report::table::table;

#[test]
fn only_simulated_runs_are_called_simulated() {
    let mut plan = plan();
    for (simulated, count) in [(true, 1), (false, 0)] {
        plan.environment.simulated = simulated;
        let report = report(&whole(&plan));
        for text in [render_markdown(&report), render_summary(&report)] {
            assert_eq!(text.matches("SIMULATED").count(), count);
            assert_eq!(text.lines().nth(1).unwrap().contains("SIMULATED"), simulated);
        }
    }
}

#[test]
fn a_cell_cannot_break_its_table() {
    let text = table(&["a", "b"], &[vec!["x|y\nz".to_owned(), "1".to_owned()]]);
    assert_eq!(text, "| a      | b   |\n| ------ | --- |\n| x\\|y z | 1   |\n");
}

#[test]
#[expect(clippy::too_many_lines, reason = "the text of a whole report")]
fn golden_markdown() {
    let report = report(&whole(&plan()));
    let text = render_markdown(&report).replace(&report.run.journal_digest, "sha256:HEAD");
    insta::assert_snapshot!(text, @r"
# SUCCEEDED: objectives met
**SIMULATED: drctl's simulator answered; no figure here says anything about AWS.**

## Verdicts

| part       | verdict   | why                    |
| ---------- | --------- | ---------------------- |
| restore    | succeeded | 1 of 1 steps succeeded |
| validation | succeeded | 2 of 2 steps succeeded |
| clean-up   | succeeded | 1 of 1 steps succeeded |

## Run

- run: 01kf0e44m0sfsemr6mndp1kk3b
- title: Restore the orders database
- drill: restore-db
- environment: sim (account 123456789012, region eu-central-1)
- answered by: drctl simulator (seed 1)
- operator: alice
- started: 2026-01-15T09:00:00Z
- last event: 2026-01-15T09:11:40Z
- attempts: 1
- tool: drctl 0.1.0
- plan: sha256:0123456789abcdef
- journal: 20 events, sha256:HEAD

## Objectives

| objective      | promised | measured | status | why                            |
| -------------- | -------- | -------- | ------ | ------------------------------ |
| recovery time  | 15m00s   | 10m40s   | met    | 4m20s to spare, from run_start |
| recovery point | 1m00s    | 30s      | met    | 30s to spare, from run_start   |

## Recovery time

From 2026-01-15T09:00:00Z (run_start) to 2026-01-15T09:10:40Z (recovered): 10m40s.

| phase     | time   | share |
| --------- | ------ | ----- |
| decide    | 4.0s   | 0%    |
| provision | 10m01s | 93%   |
| verify    | 34s    | 5%    |
| tool      | 1.0s   | 0%    |

- clean-up, not counted: 1m00s
- available after: 9m56s
- storage loaded after: -
- storage: storage was still initializing when the run ended; not measured

## Recovery point

- counted from: 2026-01-15T09:00:00Z (run_start)
- restored to: 2026-01-15T08:59:40Z
- claimed loss: 20s
- newest data read back: 2026-01-15T08:59:30Z
- proven loss: 30s
- note: the newest heartbeat read back is of 2026-01-15T08:59:30Z

## Findings

None.

## Steps

| step      | action                       | phase     | outcome   | time   | notes |
| --------- | ---------------------------- | --------- | --------- | ------ | ----- |
| source    | rds.check_source             | decide    | succeeded | 4.0s   |       |
| restore   | rds.restore_to_point_in_time | provision | succeeded | 10m01s |       |
| heartbeat | sql.heartbeat                | verify    | succeeded | 4.0s   |       |
| verify    | sql.check                    | verify    | succeeded | 30s    |       |
| delete    | rds.delete_instance          | cleanup   | succeeded | 1m00s  |       |

## Who approved what

| at                   | who   | what            | decision |
| -------------------- | ----- | --------------- | -------- |
| 2026-01-15T09:00:00Z | alice | started the run |          |

## Prediction

- 7 of 7 predictions held

## Evidence

| step      | fact                | value                | read from | event |
| --------- | ------------------- | -------------------- | --------- | ----- |
| heartbeat | heartbeat.newest_at | 2026-01-15T08:59:30Z | SQL       | 12    |

## Origin

- runbook: restore-db.yaml, sha256:0
- estate: techcorp.yaml, sha256:0
- to check: `drctl journal verify 01kf0e44m0sfsemr6mndp1kk3b --expect sha256:HEAD`

## Timeline

| #   | at                   | step      | event                                                          |
| --- | -------------------- | --------- | -------------------------------------------------------------- |
| 1   | 2026-01-15T09:00:00Z |           | run started by alice                                           |
| 2   | 2026-01-15T09:00:00Z |           | attempt 1 started by alice                                     |
| 3   | 2026-01-15T09:00:00Z | source    | started                                                        |
| 4   | 2026-01-15T09:00:04Z | source    | succeeded                                                      |
| 5   | 2026-01-15T09:00:04Z | restore   | started                                                        |
| 6   | 2026-01-15T09:00:05Z | restore   | about to call rds:RestoreDBInstanceToPointInTime on db (try 1) |
| 7   | 2026-01-15T09:00:06Z | restore   | accepted                                                       |
| 8   | 2026-01-15T09:00:10Z | restore   | seen: creating                                                 |
| 9   | 2026-01-15T09:10:00Z | restore   | seen: available, reached available                             |
| 10  | 2026-01-15T09:10:05Z | restore   | succeeded                                                      |
| 11  | 2026-01-15T09:10:06Z | heartbeat | started                                                        |
| 12  | 2026-01-15T09:10:10Z | heartbeat | succeeded                                                      |
| 13  | 2026-01-15T09:10:10Z | verify    | started                                                        |
| 14  | 2026-01-15T09:10:40Z | verify    | succeeded                                                      |
| 15  | 2026-01-15T09:10:40Z | delete    | started                                                        |
| 16  | 2026-01-15T09:10:41Z | delete    | about to call rds:DeleteDBInstance on db (try 1)               |
| 17  | 2026-01-15T09:10:42Z | delete    | accepted                                                       |
| 18  | 2026-01-15T09:11:40Z | delete    | succeeded                                                      |
| 19  | 2026-01-15T09:11:40Z |           | 7 of 7 predictions held                                        |
| 20  | 2026-01-15T09:11:40Z |           | run succeeded                                                  |
");
}

#[test]
fn golden_terminal() {
    let report = report(&whole(&plan()));
    let text = render_summary(&report).replace(&report.run.journal_digest, "sha256:HEAD");
    insta::assert_snapshot!(text, @r"
SUCCEEDED: objectives met
SIMULATED: drctl's simulator answered; no figure here says anything about AWS.
run 01kf0e44m0sfsemr6mndp1kk3b in sim (answered by drctl simulator (seed 1))
restore succeeded, validation succeeded, clean-up succeeded

 objective       promised  measured  status
 recovery time   15m00s    10m40s    met
 recovery point  1m00s     30s       met

recovery time 10m40s = decide 4.0s + provision 10m01s + verify 34s + tool 1.0s
  (clean-up 1m00s not counted)
recovery point 30s proven, 20s claimed, counted from run_start

prediction: 7 of 7 held

journal: 20 events, sha256:HEAD
");
}
