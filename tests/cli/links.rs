//! Links and messages that ask for a run.

use crate::env::TestEnv;
use std::io::Write as _;
use std::process::Stdio;

const ARN: &str = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:shop-orders-down";

fn project() -> TestEnv {
    let env = TestEnv::new();
    env.write(
        "estates/shop.yaml",
        "apiVersion: drctl/v1\nkind: Estate\nname: shop\ndatabases: { orders: { instance: shop-orders } \
         }\nalarms: { down: { name: shop-orders-down, follows: orders } }\nenvironments:\n  sim: { type: \
         simulated, account: \"123456789012\", region: us-east-1 }\n",
    );
    env.write(
        "runbooks/look.yaml",
        "apiVersion: drctl/v1\nkind: Runbook\nname: look\ntitle: Look\nparameters:\n  note: { type: \
         string, default: none }\n  key: { type: secret, required: false }\nsteps:\n  - { id: wait, uses: \
         gate.wait_until, with: { for: 1m }, timeout: 10m }\n",
    );
    env
}

fn piped(env: &TestEnv, args: &[&str], text: &str) -> crate::env::Output {
    let mut command = env.command(args);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(text.as_bytes()).expect("it reads");
    drop(stdin);
    crate::env::finished(child.wait_with_output().expect("it ends"))
}

#[test]
fn a_link_that_was_printed_runs_what_it_says() {
    let env = project();
    let made = env.run(&["link", "look", "--env", "sim", "-p", "note=a & b"]).expect(0);
    let link = made.stdout.trim().to_owned();
    assert!(link.starts_with("drctl://run/look?env=sim&estate=shop&p.note=a"), "{link}");
    let ran = env.run(&["run", &link, "--output", "json"]).expect(0);
    let ran = ran.says(&["it asks for runbook look in environment sim", "note = a & b"]);
    assert_eq!(ran.json()["parameters"]["note"], "a & b");
    // An alarm in it is looked at like one on the command line.
    let made = env.line("link look --env sim --alarm down").expect(0);
    let link = made.stdout.trim().to_owned();
    env.run(&["run", &link]).expect(17).says(&["is OK since"]);
    env.run(&["run", &link, "--alarm-ok", "--alarm", "down"]).expect(0);
}

#[test]
fn what_contradicts_a_link_or_is_secret_is_refused() {
    let env = project();
    let run = |args: &[&str]| env.run(&[&["run"], args].concat()).expect(2);
    run(&["drctl://run/look?env=sim", "--env", "other"]).says(&["says environment and parameters"]);
    run(&["drctl://run/look?env=sim", "-p", "note=x"]).says(&["says environment and parameters"]);
    run(&["drctl://run/look?env=sim&p.key=x"]).says(&["no link carries one"]);
    run(&["drctl://run/look?env=sim&yes=1"]).says(&["it says `yes`"]);
    run(&["drctl://run/nothing?env=sim"]).says(&["no runbook called `nothing`"]);
    run(&["drctl://run/look?env=nowhere"]).says(&["no environment `nowhere`"]);
    run(&["drctl://run/look?env=sim&p.other=x"]).says(&["other"]);
    run(&["look"]).says(&["the environment is always explicit"]);
    env.line("link look --env sim -p key=x").expect(2).says(&["no link carries one"]);
    env.line("link look --env sim -p other=x").expect(2);
    env.line("link nothing --env sim").expect(2);
    env.line("link look --env nowhere").expect(2);
    assert_eq!(env.runs(), Vec::<String>::new());
}

#[test]
fn a_message_is_shown_and_nothing_runs_before_a_person_agrees() {
    let env = project();
    let alarm = format!(
        r#"{{"AlarmName":"shop-orders-down","AlarmArn":"{ARN}","NewStateValue":"ALARM",
            "AlarmDescription":"drctl://run/look?env=sim&p.note=hello"}}"#
    );
    let envelope = serde_json::json!({ "Type": "Notification", "Message": alarm }).to_string();
    let asked = piped(&env, &["run", "--from-message", "-"], &envelope).expect(12);
    asked.says(&["a message asks for `Look` in `sim`", "note=hello", &format!("because of {ARN}")]);
    assert_eq!(env.runs(), Vec::<String>::new());
    // A dry run changes nothing, and needs nobody; the alarm is read from CloudWatch, not believed.
    let dry = ["run", "--from-message", "-", "--dry-run"];
    piped(&env, &dry, &envelope).expect(17).says(&["is OK since"]);
    let dry = ["run", "--from-message", "-", "--dry-run", "--alarm-ok"];
    piped(&env, &dry, &envelope).expect(0).shows(&["DRY RUN"]);
    piped(&env, &["run", "--from-message", "-", "--yes"], &envelope).expect(2);
    // Whoever names the runbook takes only the alarm from it.
    let own = ["run", "look", "--env", "sim", "--from-message", "-", "--dry-run", "--alarm-ok"];
    piped(&env, &own, &envelope).expect(0).shows(&["DRY RUN"]);
    for (text, why) in [
        ("hello", "neither a link of drctl nor an alarm"),
        ("drctl://run/look?env=sim drctl://run/other?env=sim", "2 different links"),
        ("drctl://run/look?env=sim&p.note=%1b%5b2J", "hidden characters"),
        ("drctl://run/../../etc/passwd?env=sim", "names no runbook"),
    ] {
        piped(&env, &["run", "--from-message", "-"], text).expect(2).says(&[why]);
    }
    let file = env.write("message.txt", "drctl://run/look?env=sim");
    let file = file.to_str().expect("text");
    env.run(&["run", "--from-message", file, "--dry-run"]).expect(0);
    env.run(&["run", "--from-message", "/nowhere"]).expect(2);
    assert_eq!(env.runs(), Vec::<String>::new());
}
