//! A shared journal in the region that a runbook assumes lost: asked at each way into a run.
//!
//! **Invariant:** no open run is recorded where its own runbook says that nothing will be.

use crate::shared::{BUCKET, REGION, Team};
use crate::survive::RUNBOOK;

#[test]
fn an_open_run_is_neither_brought_nor_gone_on_with_where_its_region_may_be_lost() {
    let team = Team::new();
    let a = team.machine();
    let endpoint = format!("endpoint: 'http://{}'", team.served.address);
    let asks =
        "steps:\n  - { id: first, uses: gate.approve, with: { message: go on? }, timeout: 12h }\n";
    let runbook = |lost: &str| {
        let text =
            RUNBOOK.replace("steps:\n", asks).replace("measure:", &format!("{lost}measure:"));
        a.env.write("runbooks/survive.yaml", &text);
    };
    let assumes = format!("assumes_lost: {REGION}\n");
    // Begun on this machine alone: it may go on here, and its journal may not be brought there.
    a.config("");
    runbook(&assumes);
    a.line("drill survive --pace 2000").expect(13);
    let there = format!("journal: {{ store: 's3://{BUCKET}/dr', {endpoint} }}\n");
    a.config(&there);
    a.line("journal push last").expect(2).says(&["assumes lost", BUCKET]);
    a.line("resume last --yes --pace 2000").expect(0).says(&["run succeeded"]);
    a.line("journal push last").expect(0).shows(&["chain whole"]);
    // Begun in the bucket, and its runbook comes to assume that region lost.
    let b = team.machine();
    b.env.write("runbooks/survive.yaml", &RUNBOOK.replace("steps:\n", asks));
    b.line("drill survive --pace 2000").expect(13);
    let text = RUNBOOK.replace("steps:\n", asks).replace("measure:", &format!("{assumes}measure:"));
    b.env.write("runbooks/survive.yaml", &text);
    let out = b.line("resume last --yes --pace 2000").expect(17);
    out.says(&["assumes_lost (none) -> \"eu-west-1\""]);
    let out = b.line("resume last --yes --accept-changes --pace 2000").expect(2);
    out.says(&["assumes lost", BUCKET]);
    b.line("resume last --yes --keep-plan --pace 2000").expect(0).says(&["run succeeded"]);
}
