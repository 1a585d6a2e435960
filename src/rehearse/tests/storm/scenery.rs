//! Random estates and runbooks for the storms.
//!
//! **Invariant:** every one is valid and can be planned; the same seed gives the same text.

use super::super::stage;
use crate::base::seed::Seed;
use crate::rehearse::{Mode, Stage};
use crate::runbook::load_drill;
use fastrand::Rng;
use std::fmt::Write as _;

const DRILL: &str = "apiVersion: drctl/v1\nkind: Drill\nname: storm\nrunbook: storm\nestate: storm\n\
                     environment: sim\n";

const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

const POLICIES: [&str; 4] = ["stop", "continue", "undo", "ask"];

fn chance(random: &mut Rng, percent: u32) -> bool {
    random.u32(..100) < percent
}

fn estate(random: &mut Rng, databases: usize) -> String {
    let mut text = "apiVersion: drctl/v1\nkind: Estate\nname: storm\ndatabases:\n".to_owned();
    for number in 0..databases {
        let region = REGIONS[random.usize(..REGIONS.len())];
        let class = ["db.t3.medium", "db.r6g.large"][random.usize(..2)];
        let multi_az = random.bool();
        writeln!(
            text,
            "  d{number}:\n    instance: storm-d{number}\n    region: {region}\n    \
             engine_version: \"15.3\"\n    class: {class}\n    storage_gib: {}\n    \
             multi_az: {multi_az}\n    kms_key: alias/storm\n    backup_retention_days: 7\n    \
             deletion_protection: true\n    subnet_group: storm-private\n    \
             security_groups: [sg-0a1b2c3d4e5f60001]\n    parameter_group: storm-postgres15\n    \
             database: data\n    user: admin\n    secret: storm/d{number}\n    dataset: {{ \
             heartbeat_every: 1s, tables: {{ orders: {{ rows: 10 }} }} }}",
            random.u32(20..400)
        )
        .expect("writing to text");
    }
    text + "environments:\n  sim: { type: simulated, account: \"123456789012\", region: us-east-1, \
            allowed_regions: [eu-west-1], topics: [alerts] }\n"
}

/// A text that grows step by step.
struct Script {
    text: String,
    /// Ids of all steps so far, and of those that do not always run.
    ids: Vec<String>,
    clean_up: String,
}

impl Script {
    /// Adds a step; `needs` come first, and by chance some of the others.
    fn step(&mut self, random: &mut Rng, id: &str, uses: &str, needs: &[&str], with: &str) {
        let mut needs: Vec<&str> = needs.to_vec();
        let others: Vec<String> = self.ids.clone();
        for other in &others {
            if !needs.contains(&other.as_str()) && chance(random, 12) {
                needs.push(other);
            }
        }
        let policy = POLICIES[random.usize(..POLICIES.len())];
        let (needs, text) = (needs.join(", "), &mut self.text);
        let retry = random.u32(1..4);
        let head = format!("  - id: {id}\n    uses: {uses}\n    needs: [{needs}]\n");
        writeln!(text, "{head}    on_failure: {policy}").expect("writing to text");
        if chance(random, 25) {
            writeln!(text, "    retry: {{ attempts: {retry}, backoff: 5s }}").expect("writing");
        }
        writeln!(text, "{with}").expect("writing to text");
        self.ids.push(id.to_owned());
    }

    fn chain(&mut self, random: &mut Rng, number: usize, database: usize) {
        let of = format!("estate.databases.d{database}");
        let region = format!("    region: ${{{{ {of}.region }}}}\n");
        let snapshot = chance(random, 35);
        let (make, check) = (format!("make{number}"), format!("check{number}"));
        let timeout = ["10m", "2h", "6h"][random.usize(..3)];
        if snapshot {
            let with = format!(
                "{region}    timeout: {timeout}\n    with: {{ instance: \"${{{{ {of}.instance }}}}\" }}"
            );
            self.step(random, &make, "rds.create_snapshot", &[], &with);
        } else {
            let with = format!(
                "{region}    with: {{ instance: \"${{{{ {of}.instance }}}}\", restore_time: latest }}"
            );
            self.step(random, &check, "rds.check_source", &[], &with);
            let with = format!(
                "{region}    timeout: {timeout}\n    with:\n      source: ${{{{ {of}.instance }}}}\n      \
                 restore_time: ${{{{ steps.{check}.outputs.restore_time }}}}"
            );
            self.step(random, &make, "rds.restore_to_point_in_time", &[&check], &with);
            if chance(random, 40) {
                let with = format!(
                    "{region}    with:\n      instance: ${{{{ steps.{make}.outputs.instance }}}}\n      \
                     database: ${{{{ {of}.database }}}}\n      user: ${{{{ {of}.user }}}}\n      secret: \
                     ${{{{ {of}.secret }}}}\n      pack: [reachable]"
                );
                self.step(random, &format!("sql{number}"), "sql.check", &[&make], &with);
            }
        }
        let mut last = self.ids.last().cloned().expect("there are steps");
        if chance(random, 35) {
            last = self.aside(random, number, &last);
        }
        let (uses, input) = match snapshot {
            true => ("rds.delete_snapshot", "snapshot"),
            false => ("rds.delete_instance", "instance"),
        };
        writeln!(
            self.clean_up,
            "  - id: delete{number}\n    uses: {uses}\n    needs: [{make}{}]\n    always: true\n    \
             timeout: 6h\n{region}    with: {{ {input}: \"${{{{ steps.{make}.outputs.{input} }}}}\" }}",
            if last == make { String::new() } else { format!(", {last}") },
        )
        .expect("writing to text");
    }

    /// A gate, a wait, a command or a notice after `last`.
    fn aside(&mut self, random: &mut Rng, number: usize, last: &str) -> String {
        let (id, uses, with) = match random.u32(..4) {
            0 => {
                let consequence = ["fail", "reject"][random.usize(..2)];
                let with = format!(
                    "    timeout: 30m\n    with: {{ message: go on?, on_timeout: {consequence} }}"
                );
                (format!("gate{number}"), "gate.approve", with)
            }
            1 => (format!("wait{number}"), "gate.wait_until", "    with: { for: 10m }".to_owned()),
            2 => {
                let code = u32::from(chance(random, 30));
                let (word, idempotent) = ("irreversible: true", random.bool());
                let with = format!(
                    "    {word}\n    idempotent: {idempotent}\n    with: {{ command: [./switch.sh], \
                     simulated: {{ exit_code: {code} }} }}"
                );
                (format!("switch{number}"), "shell.run", with)
            }
            _ => {
                let topic = "arn:aws:sns:us-east-1:123456789012:alerts";
                let with = format!("    with: {{ topic: \"{topic}\", message: so far }}");
                (format!("tell{number}"), "notify.sns", with)
            }
        };
        self.step(random, &id, uses, &[last], &with);
        id
    }
}

/// The texts of estate and runbook of one seed.
pub(super) fn texts(seed: u64) -> (String, String) {
    let mut random = Seed::new(seed).stream("scenery");
    let databases = random.usize(1..=3);
    let estate = estate(&mut random, databases);
    let text =
        "apiVersion: drctl/v1\nkind: Runbook\nname: storm\ntitle: A storm\nsteps:\n".to_owned();
    let mut script = Script { text, ids: Vec::new(), clean_up: String::new() };
    for number in 0..random.usize(1..=3) {
        let database = random.usize(..databases);
        script.chain(&mut random, number, database);
    }
    (estate, script.text + &script.clean_up)
}

/// The stage of one seed.
pub(super) fn scenery(seed: u64) -> Stage {
    let (estate, runbook) = texts(seed);
    let estate = crate::estate::load("storm.yaml", &estate)
        .unwrap_or_else(|problems| panic!("{problems}\n{estate}"));
    let drill = load_drill("drill", DRILL).expect("a valid drill");
    stage(estate, &runbook, &drill, Mode::Drill)
}
