//! The shipped runbook and drill: they load without a warning and evaluate against an estate.

use crate::action::standard as actions;
use crate::base::form::Form;
use crate::base::value::{Value, Values};
use crate::estate;
use crate::runbook::{
    Phase, RunFacts, Scope, Template, bind_parameters, evaluate_inputs, load_drill, load_runbook,
    steps_needed_by,
};
use std::collections::BTreeMap;

const RUNBOOK: &str = include_str!("../../../runbooks/restore-db.yaml");
const DRILL: &str = include_str!("../../../drills/restore-db.yaml");

pub(super) const ESTATE: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: techcorp
databases:
  orders:
    instance: techcorp-orders
    security_groups: [sg-1, sg-2]
    deletion_protection: true
    secret: techcorp/orders
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1 }
  other: { type: aws, account: "123456789012", region: eu-west-1, protected: true }
"#;

pub(super) fn run_facts() -> RunFacts {
    RunFacts {
        id: "01j0000000000000000000abcd".to_owned(),
        short_id: "0000abcd".to_owned(),
        mode: "drill",
        keep: false,
        form: Form::Graceful,
        disaster_at: None,
        detected_at: None,
        alarm: None,
        started_at: None,
        status: None,
        failed_steps: None,
    }
}

#[test]
fn shipped_runbook_and_drill_agree() {
    let (runbook, warnings) =
        load_runbook("restore-db.yaml", RUNBOOK, &actions()).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(warnings.to_string(), "");
    let drill = load_drill("restore-db.yaml", DRILL).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(drill.runbook, runbook.name);
    let values = bind_parameters(&runbook, &drill.parameters).expect("the drill's parameters fit");
    assert_eq!(values["restore_time"], Value::text("latest"));
    assert_eq!(values["min_rows"], Value::Int(1));
    assert_eq!(values["class"], Value::Null);
    let order: Vec<&str> = runbook.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(order, ["check_source", "restore", "heartbeat", "verify", "delete"]);
    let upstream = steps_needed_by(&runbook, "verify");
    assert_eq!(upstream.into_iter().collect::<Vec<_>>(), ["check_source", "restore"]);
    assert_eq!(runbook.steps[4].phase, Phase::Cleanup);
    assert!(runbook.steps[4].always);
}

#[test]
fn shipped_runbook_evaluates_step_by_step() {
    let (runbook, _) = load_runbook("r.yaml", RUNBOOK, &actions()).expect("valid");
    let drill = load_drill("d.yaml", DRILL).expect("valid");
    let estate = estate::load("e.yaml", ESTATE).expect("valid");
    let params = bind_parameters(&runbook, &drill.parameters).expect("fits");
    let mut scope =
        Scope::of(params).with_estate(&estate, &estate.environments["sim"]).with_run(&run_facts());
    let catalogue = actions();
    let inputs = |id: &str, scope: &Scope| {
        let step = runbook.step(id).expect("exists");
        let spec = catalogue.spec(&step.uses).expect("exists");
        evaluate_inputs(&step.with, spec, scope).unwrap_or_else(|error| panic!("{id}: {error}"))
    };
    let check = inputs("check_source", &scope);
    assert_eq!(check["instance"], Value::text("techcorp-orders"));
    // Before the check ran, what depends on it is unknown, and everything else is there.
    let before = inputs("restore", &scope);
    assert!(matches!(before["source"], Value::Unknown(_)));
    assert_eq!(before["security_groups"], Value::from(vec!["sg-1".to_owned(), "sg-2".to_owned()]));
    assert_eq!(before["deletion_protection"], Value::Bool(false));
    assert_eq!(before["multi_az"], Value::Null);
    let outputs = Values::from([("instance".to_owned(), Value::text("techcorp-orders"))]);
    scope.set_step("check_source", Value::text("succeeded"), outputs);
    assert_eq!(inputs("restore", &scope)["source"], Value::text("techcorp-orders"));
    // The restore failed and said only what was known at plan: clean-up can be evaluated.
    let outputs = Values::from([("instance".to_owned(), Value::text("drctl-techcorp"))]);
    scope.set_step("restore", Value::text("failed"), outputs);
    assert_eq!(inputs("delete", &scope)["instance"], Value::text("drctl-techcorp"));
    let delete = runbook.step("delete").expect("exists");
    let when = delete.when.as_ref().expect("a condition");
    assert_eq!(when.evaluate(&scope), Ok(Value::Bool(true)));
}

#[test]
fn stored_steps_read_back() {
    let (runbook, _) = load_runbook("r.yaml", RUNBOOK, &actions()).expect("valid");
    for step in &runbook.steps {
        let stored: BTreeMap<&String, _> =
            step.with.iter().map(|(name, it)| (name, it.to_json())).collect();
        for (name, json) in stored {
            let again = Template::parse_json(&json).expect("was valid");
            assert_eq!(again, step.with[name]);
            assert_eq!(again.expressions(), step.with[name].expressions());
        }
    }
}
