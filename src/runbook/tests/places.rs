//! Where steps act, and which way leads around a region that is lost.

use crate::action::standard;
use crate::base::diagnostic::Severity;
use crate::estate::{self, Environment, Estate};
use crate::runbook::loss::{Ground, JournalHome, Survey, survey};
use crate::runbook::{Given, known_parameters, load_runbook};
use std::collections::BTreeMap;

const ESTATE: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
databases:
  east: { instance: shop-orders, region: us-east-1, secret: shop/orders }
  west: { instance: shop-orders-west, region: us-west-2, secret: shop/west, kms_key: "arn:aws:kms:us-west-2:123456789012:key/mrk-1" }
  europe: { instance: shop-europe, region: eu-west-1, allowed_regions: [eu-west-1], secret: shop/europe }
environments:
  home: { type: simulated, account: "123456789012", region: us-east-1, allowed_regions: [us-west-2, eu-west-1] }
  away: { type: simulated, account: "123456789012", region: us-west-2, allowed_regions: [us-east-1, eu-west-1] }
"#;

fn shop() -> Estate {
    estate::load("shop.yaml", ESTATE).expect("valid")
}

/// A survey with everything that can be given.
struct Case<'a> {
    steps: &'a str,
    lost: Option<&'a str>,
    environment: &'a str,
    journal: Option<Option<&'a str>>,
    change: fn(&mut Environment),
}

impl<'a> Case<'a> {
    fn of(steps: &'a str) -> Self {
        let lost = Some("us-east-1");
        Self { steps, lost, environment: "away", journal: None, change: |_| {} }
    }

    fn survey(&self) -> Survey {
        let head = "apiVersion: drctl/v1\nkind: Runbook\nname: r\ntitle: R\nparameters:\n  \
                    place: { type: string }\n  where: { type: string, default: us-west-2 }\nsteps:\n";
        let text = format!("{head}{}", self.steps);
        let actions = standard();
        let loaded = load_runbook("r.yaml", &text, &actions);
        let (runbook, _) = loaded.unwrap_or_else(|problems| panic!("{problems}"));
        let estate = shop();
        let mut environment = estate.environments[self.environment].clone();
        (self.change)(&mut environment);
        let parameters = known_parameters(&runbook, &BTreeMap::new()).expect("none is given");
        let journal = self.journal.map(|region| JournalHome {
            place: "s3://journals/dr".to_owned(),
            region: region.map(str::to_owned),
        });
        let ground = Ground {
            runbook: &runbook,
            actions: &actions,
            estate: &estate,
            environment: &environment,
            parameters: &parameters,
            journal: journal.as_ref(),
        };
        survey(ground, self.lost)
    }

    /// `CODE message` of each finding, errors before warnings of one place.
    fn found(&self) -> Vec<String> {
        let survey = self.survey();
        let found = survey.problems.sorted();
        found.iter().map(|one| format!("{} {}", one.code, one.message)).collect()
    }

    /// The codes alone.
    fn codes(&self) -> Vec<&'static str> {
        self.survey().problems.sorted().iter().map(|one| one.code).collect()
    }
}

const CHECK: &str =
    "  - { id: look, uses: rds.check_source, with: { instance: shop-orders-west } }\n";

#[test]
fn a_way_that_needs_nothing_of_the_region_is_proven() {
    let survey = Case::of(CHECK).survey();
    assert!(survey.problems.is_empty(), "{}", survey.problems);
    assert_eq!(survey.ways[0].region.as_deref(), Some("us-west-2"));
    assert!(survey.unseen.is_empty());
}

#[test]
fn each_kind_of_need_is_named_with_its_alternative() {
    let arn = "arn:aws:rds:us-east-1:123456789012:snapshot:s";
    let restore = format!(
        "  - {{ id: r, uses: rds.restore_from_snapshot, with: {{ snapshot: '{arn}', source: x }} }}\n"
    );
    let east = CHECK.replace("with:", "region: us-east-1, with:");
    let sql = |secret: &str| {
        format!(
            "  - {{ id: q, uses: sql.check, with: {{ instance: shop-orders-west, secret: '{secret}' }} }}\n"
        )
    };
    let web = |url: &str| format!("  - {{ id: w, uses: http.check, with: {{ url: '{url}' }} }}\n");
    let unknown = format!(
        "{CHECK}  - {{ id: u, uses: rds.check_source, needs: [look], region: '${{{{ \
                           steps.look.outputs.instance }}}}', with: {{ instance: a }} }}\n"
    );
    for (steps, code, part) in [
        (
            east.as_str(),
            "DR070",
            "step `look` needs us-east-1: it acts there (rds:DescribeDBInstances)",
        ),
        (&restore, "DR071", "what it uses is there (arn:aws:rds:us-east-1:"),
        (&web("https://api.us-east-1.amazonaws.com/x"), "DR071", "names an endpoint there"),
        (&sql("shop/orders"), "DR074", "secret `shop/orders` is at home there"),
        (&sql("arn:aws:secretsmanager:us-east-1:123456789012:secret:s"), "DR074", "a secret there"),
        (&unknown, "DR078", "perhaps: its region cannot be known"),
    ] {
        let case = Case::of(steps);
        let found = case.found();
        let told = found.iter().any(|line| line.starts_with(code) && line.contains(part));
        assert!(told, "{code} `{part}` in {found:?}");
        let survey = case.survey();
        assert!(survey.problems.sorted().iter().all(|one| one.help.is_some()), "{code}");
    }
    for steps in [
        &sql("shop/west"),
        &sql("arn:aws:secretsmanager:us-west-2:123456789012:secret:s"),
        &web("https://api.us-west-2.amazonaws.com/x"),
        &restore.replace("us-east-1", "us-west-2"),
    ] {
        assert_eq!(Case::of(steps).found(), Vec::<String>::new(), "{steps}");
    }
}

#[test]
fn a_key_of_the_region_is_found_where_the_estate_names_it() {
    let estate = |key: &str| ESTATE.replace("arn:aws:kms:us-west-2:123456789012:key/mrk-1", key);
    assert_ne!(estate("x"), ESTATE);
    let text = estate("arn:aws:kms:us-east-1:123456789012:key/1");
    let estate = estate::load("shop.yaml", &text).expect("valid");
    let runbook =
        format!("apiVersion: drctl/v1\nkind: Runbook\nname: r\ntitle: R\nsteps:\n{CHECK}");
    let actions = standard();
    let (runbook, _) = load_runbook("r.yaml", &runbook, &actions).expect("valid");
    let ground = Ground {
        runbook: &runbook,
        actions: &actions,
        estate: &estate,
        environment: &estate.environments["away"],
        parameters: &BTreeMap::new(),
        journal: None,
    };
    let found = survey(ground, Some("us-east-1")).problems;
    assert_eq!(found.sorted()[0].code, "DR073", "{found}");
    assert!(survey(ground, Some("eu-west-1")).problems.is_empty());
}

#[test]
fn what_the_run_goes_on_without_is_named_and_no_finding() {
    let lost = "  - { id: gone, uses: rds.check_source, region: us-east-1, on_failure: continue, \
                with: { instance: shop-orders } }\n";
    let survey = Case::of(lost).survey();
    let found = survey.problems.sorted();
    assert_eq!((found[0].code, found[0].severity), ("DR079", Severity::Warning));
    assert_eq!(found.len(), 1);
    // Whoever waits for it would be left out: then it is on the way after all.
    let waits = format!("{lost}{}", CHECK.replace("with:", "needs: [gone], with:"));
    assert_eq!(Case::of(&waits).codes(), ["DR070"]);
    let cleans = format!("{lost}{}", CHECK.replace("with:", "needs: [gone], always: true, with:"));
    assert_eq!(Case::of(&cleans).codes(), ["DR079"]);
    let told = "  - { id: tell, uses: notify.sns, with: { message: m, topic: \
                'arn:aws:sns:us-east-1:123456789012:t' } }\n";
    assert_eq!(Case::of(told).codes(), ["DR077"]);
}

#[test]
fn a_step_whose_condition_is_false_is_not_on_the_way() {
    let step = |when: &str| {
        format!(
            "  - {{ id: e, uses: rds.check_source, region: us-east-1, when: \"{when}\", \
                 with: {{ instance: shop-orders }} }}\n"
        )
    };
    assert_eq!(Case::of(&step("params.where == 'us-east-1'")).codes(), Vec::<&str>::new());
    assert_eq!(Case::of(&step("params.where == 'us-west-2'")).codes(), ["DR070"]);
    assert_eq!(Case::of(&step("params.place == 'x'")).codes(), ["DR070"], "nobody knows yet");
}

#[test]
fn each_item_of_a_list_is_looked_at() {
    let steps = "  - { id: all, uses: rds.check_source, for_each: [east, west], region: '${{ \
                 estate.databases[each].region }}', with: { instance: '${{ \
                 estate.databases[each].instance }}' } }\n";
    let survey = Case::of(steps).survey();
    let ways: Vec<_> =
        survey.ways.iter().map(|way| (way.key.as_str(), way.region.clone())).collect();
    let region = |name: &str| Some(name.to_owned());
    assert_eq!(ways, [("all[east]", region("us-east-1")), ("all[west]", region("us-west-2"))]);
    let found = survey.problems.sorted();
    assert_eq!(found.len(), 1);
    assert!(found[0].message.contains("`all[east]`"), "{}", found[0].message);
}

#[test]
fn what_a_run_stands_on_is_looked_at() {
    let home = Case { environment: "home", ..Case::of(CHECK) };
    let codes = home.codes();
    assert!(codes.contains(&"DR075") && codes.contains(&"DR070"), "{codes:?}");
    let journal = |region| Case { journal: Some(region), ..Case::of(CHECK) }.codes();
    assert_eq!(journal(Some("us-east-1")), ["DR076"]);
    assert_eq!(journal(None), ["DR076"], "what no file says is not taken for good");
    assert_eq!(journal(Some("eu-west-1")), Vec::<&str>::new());
    let addressed = |address: &'static str| {
        let mut case = Case::of(CHECK);
        case.change = match address {
            "global" => |it| {
                let all = [("sts".to_owned(), "https://sts.amazonaws.com".to_owned())];
                it.kind = estate::EnvironmentKind::Endpoints(all.into());
            },
            _ => |it| {
                let all = [("rds".to_owned(), "https://rds.us-east-1.amazonaws.com".to_owned())];
                it.kind = estate::EnvironmentKind::Endpoints(all.into());
            },
        };
        case.codes()
    };
    assert_eq!((addressed("global"), addressed("regional")), (vec!["DR075"], vec!["DR075"]));
    let mut real = Case::of(CHECK);
    real.change = |it| {
        it.kind = estate::EnvironmentKind::Aws {
            profile: Some("dr".to_owned()),
            role: Some("arn:aws:iam::123456789012:role/dr".to_owned()),
            external_id: None,
        };
    };
    let unseen = real.survey().unseen;
    assert_eq!(unseen.len(), 2, "{unseen:?}");
    assert!(unseen[0].contains("profile `dr`") && unseen[1].contains("role/dr"), "{unseen:?}");
}

#[test]
fn what_no_file_says_is_listed_and_not_taken_for_good() {
    let steps = "  - { id: run, uses: shell.run, with: { command: [./x.sh] } }\n  - { id: ask, uses: \
                 dns.check, with: { name: a.example, type: A, resolvers: ['10.0.0.2:53', '9.9.9.9'] } }\n";
    let survey = Case::of(steps).survey();
    assert!(survey.problems.is_empty(), "{}", survey.problems);
    let unseen = survey.unseen.join("\n");
    assert!(unseen.contains("`run` runs something"), "{unseen}");
    assert!(unseen.contains("`ask` asks resolver 10.0.0.2:53"), "{unseen}");
    assert!(!unseen.contains("9.9.9.9"), "{unseen}");
}

#[test]
fn regions_that_are_not_allowed_are_found_without_a_loss() {
    let plain = |steps: &str| Case { lost: None, ..Case::of(steps) }.codes();
    assert_eq!(plain(&CHECK.replace("with:", "region: sa-east-1, with:")), ["DR064"]);
    assert_eq!(plain(CHECK), Vec::<&str>::new());
    let restore = |region: &str, source: &str| {
        format!(
            "  - {{ id: r, uses: rds.restore_to_point_in_time, region: {region}, with: {{ source: \
                 {source}, restore_time: '2026-01-15T08:00:00Z' }} }}\n"
        )
    };
    assert_eq!(plain(&restore("us-west-2", "shop-europe")), ["DR065"]);
    assert_eq!(plain(&restore("eu-west-1", "shop-europe")), Vec::<&str>::new());
    assert_eq!(plain(&restore("us-west-2", "shop-orders")), Vec::<&str>::new());
    let each = restore("us-west-2", "'${{ estate.databases[each].instance }}'");
    let each = each.replace("uses:", "for_each: [europe, west], uses:");
    let found = Case { lost: None, ..Case::of(&each) }.found();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("`r[europe]`"), "{found:?}");
    let unknown = format!(
        "{CHECK}  - {{ id: u, uses: rds.check_source, needs: [look], region: '${{{{ \
                           steps.look.outputs.instance }}}}', with: {{ instance: a }} }}\n"
    );
    assert_eq!(plain(&unknown), ["DR066"]);
}

#[test]
fn parameters_are_bound_as_far_as_they_are_given() {
    let text = "apiVersion: drctl/v1\nkind: Runbook\nname: r\ntitle: R\nparameters:\n  a: { type: int }\n  \
                b: { type: int, default: 2 }\nsteps:\n  - { id: g, uses: gate.approve, with: { message: \
                '${{ string(params.a) }}${{ string(params.b) }}' }, timeout: 1h }\n";
    let (runbook, _) = load_runbook("r.yaml", text, &standard()).expect("valid");
    let bind = |given: &[(&str, &str)]| {
        let given =
            given.iter().map(|(name, text)| ((*name).to_owned(), Given::Text((*text).to_owned())));
        known_parameters(&runbook, &given.collect())
    };
    let none = bind(&[]).expect("fine");
    assert!(none["a"].unknown_reason().is_some() && none["b"].unknown_reason().is_none());
    assert!(bind(&[("a", "1")]).expect("fine")["a"].unknown_reason().is_none());
    assert!(bind(&[("a", "x")]).is_err() && bind(&[("c", "1")]).is_err());
}
