//! CloudWatch alarms of an estate, and what an environment changes in them.
//!
//! **Invariant:** an alarm that loads has a name, and what it looks at is known: a service or database of
//! the estate that it follows, or a metric with a threshold that CloudWatch would take.

use super::model::{Environment, Estate};
use crate::base::diagnostic::{Problems, Span, nearest};
use crate::base::shape::{ANY_NAME, FieldShape, Is, Shape};
use crate::base::value::{Type, Value};
use crate::base::yaml::{Fields, Kind, Node};
use std::collections::BTreeMap;
use std::time::Duration;

/// Comparisons of CloudWatch that take one threshold.
pub(super) const COMPARISONS: &[&str] = &[
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
];

/// What an alarm makes of missing data.
pub(super) const MISSING: &[&str] = &["missing", "breaching", "notBreaching", "ignore"];

/// Statistics of CloudWatch without percentiles.
pub(super) const STATISTICS: &[&str] = &["SampleCount", "Average", "Sum", "Minimum", "Maximum"];

/// Time of one figure, when the file says none: CloudWatch's own standard.
const PERIOD: Duration = Duration::from_secs(60);

/// Figures in a row that break it, when the file says none.
const EVALUATION_PERIODS: u32 = 3;

/// A CloudWatch alarm.
pub(super) static ALARM: Shape = Shape {
    summary: "A CloudWatch alarm: a run may start from it, and a watch window look at it.",
    fields: &[
        FieldShape::required("name", Is::Text, "Its AlarmName."),
        FieldShape::optional("region", Is::Text, "Where it lives; else the environment's region."),
        FieldShape::optional("description", Is::Text, "What it says to people."),
        FieldShape::optional(
            "follows",
            Is::Text,
            "Service or database of the estate; in the simulator it breaks while that does not run.",
        ),
        FieldShape::optional("metric", Is::Record(&ALARM_METRIC), "What it looks at instead."),
        FieldShape::optional("period", Is::SomeTime, "Time of one figure.").or("60s"),
        FieldShape::optional("evaluation_periods", Is::Int(1, 100), "Figures that break it.")
            .or("3"),
        FieldShape::optional(
            "missing",
            Is::Words(|| MISSING.to_vec()),
            "What it makes of missing data.",
        )
        .or("missing"),
        FieldShape::optional("actions", Is::Texts, "SNS topics that it tells: names, or ARNs."),
    ],
    cases: None,
};

/// The metric of an alarm.
static ALARM_METRIC: Shape = Shape {
    summary: "A metric and the threshold that it is held against.",
    fields: &[
        FieldShape::required("namespace", Is::Text, "Namespace, as `AWS/RDS`."),
        FieldShape::required("name", Is::Text, "Its MetricName."),
        FieldShape::optional("dimensions", Is::Map(ANY_NAME, &Is::Text), "Its dimensions."),
        FieldShape::optional("statistic", Is::Words(|| STATISTICS.to_vec()), "Statistic.")
            .or("Average"),
        FieldShape::optional("comparison", Is::Words(|| COMPARISONS.to_vec()), "Comparison.")
            .or("GreaterThanThreshold"),
        FieldShape::optional("threshold", Is::Anything, "Threshold, a number.").or("0"),
    ],
    cases: None,
};

/// What an environment changes in an alarm.
pub(super) static ALARM_CHANGES: Shape = Shape {
    summary: "What an environment changes in an alarm.",
    fields: &[
        FieldShape::optional("name", Is::Text, "Another AlarmName."),
        FieldShape::optional("region", Is::Text, "Another region."),
    ],
    cases: None,
};

/// A CloudWatch alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// `AlarmName`.
    pub name: String,
    /// Region it lives in; `None` is the environment's region.
    pub region: Option<String>,
    /// What it says to people.
    pub description: String,
    /// What it looks at; `None` for one that only is named: the simulator gives it no data.
    pub watches: Option<AlarmWatches>,
    /// Time of one figure.
    pub period: Duration,
    /// Figures that are looked at, and that have to break it, from 1.
    pub evaluation_periods: u32,
    /// `TreatMissingData`.
    pub missing: String,
    /// SNS topics that its states are told to: names, or ARNs.
    pub actions: Vec<String>,
}

impl Alarm {
    /// Its ARN in an environment.
    pub fn arn(&self, environment: &Environment) -> String {
        let region = self.region.as_ref().unwrap_or(&environment.region);
        format!("arn:aws:cloudwatch:{region}:{}:alarm:{}", environment.account, self.name)
    }
}

/// What an alarm looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum AlarmWatches {
    /// A service or database of the estate, by its name there: it breaks while that does not run.
    Follows(String),
    /// A metric.
    Metric(AlarmMetric),
}

/// A metric with its threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmMetric {
    /// `AWS/RDS`.
    pub namespace: String,
    /// `ReplicaLag`.
    pub name: String,
    /// Dimensions by name.
    pub dimensions: BTreeMap<String, String>,
    /// `Average`.
    pub statistic: String,
    /// `GreaterThanThreshold`.
    pub comparison: String,
    /// The threshold.
    pub threshold: f64,
}

/// What an environment changes in an alarm of the estate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlarmChanges {
    /// Another name.
    pub name: Option<String>,
    /// Another region.
    pub region: Option<String>,
}

impl Estate {
    /// The alarm as it is in one environment.
    pub fn alarm_in(&self, alarm: &str, environment: &Environment) -> Option<Alarm> {
        let mut found = self.alarms.get(alarm)?.clone();
        if let Some(AlarmChanges { name, region }) = environment.alarms.get(alarm).cloned() {
            found.name = name.unwrap_or(found.name);
            found.region = region.or(found.region);
        }
        Some(found)
    }
}

/// Reads the section `alarms`.
pub(super) fn section(fields: &mut Fields<'_>, p: &mut Problems) -> BTreeMap<String, Alarm> {
    let found = fields.entries("alarms", p);
    found.into_iter().map(|(key, node)| (key.name.clone(), alarm(node, p))).collect()
}

/// Reads what an environment changes in alarms.
pub(super) fn changes(fields: &mut Fields<'_>, p: &mut Problems) -> BTreeMap<String, AlarmChanges> {
    let found = fields.entries("alarms", p);
    let read = |node: &Node, p: &mut Problems| {
        let mut f = Fields::of(node, "an alarm's changes", p).shaped(&ALARM_CHANGES);
        let changes = AlarmChanges { name: f.text("name", p), region: f.text("region", p) };
        f.finish(p);
        changes
    };
    found.into_iter().map(|(key, node)| (key.name.clone(), read(node, p))).collect()
}

fn alarm(node: &Node, p: &mut Problems) -> Alarm {
    let mut f = Fields::of(node, "an alarm", p).shaped(&ALARM);
    let name = f.required_text("name", p).unwrap_or_default();
    if name.len() > 255 || name.contains(':') {
        let message = "an alarm's name has at most 255 characters and no colon";
        p.error("DR004", f.span(), message.to_owned());
    }
    let follows = f.text("follows", p);
    let metric = f.node("metric").map(|node| metric(node, p));
    if follows.is_some() && metric.is_some() {
        p.error("DR004", f.span(), "an alarm has `follows` or `metric`, not both".to_owned())
            .help("`follows` brings a metric of its own");
    }
    let watches = metric.map(AlarmWatches::Metric).or(follows.map(AlarmWatches::Follows));
    let period = f.duration("period", p).unwrap_or(PERIOD);
    let whole = period.subsec_nanos() == 0 && period.as_secs().is_multiple_of(60);
    if !whole || period.is_zero() || period > Duration::from_secs(86_400) {
        let message = "field `period`: whole minutes, up to a day";
        p.error("DR004", f.span(), message.to_owned());
    }
    let span = f.span();
    let periods = f.int("evaluation_periods", p).map(u32::try_from);
    let evaluation_periods = match periods {
        None => EVALUATION_PERIODS,
        Some(Ok(periods)) if (1..=100).contains(&periods) => periods,
        Some(_) => {
            p.error("DR023", span, "`evaluation_periods` must be 1 to 100".to_owned());
            EVALUATION_PERIODS
        }
    };
    let alarm = Alarm {
        name,
        region: f.text("region", p),
        description: f.text("description", p).unwrap_or_default(),
        watches,
        period,
        evaluation_periods,
        missing: f.word("missing", MISSING, p).unwrap_or_else(|| "missing".to_owned()),
        actions: f.texts("actions", p),
    };
    f.finish(p);
    alarm
}

fn metric(node: &Node, p: &mut Problems) -> AlarmMetric {
    let mut f = Fields::of(node, "an alarm's metric", p).shaped(&ALARM_METRIC);
    let mut dimensions = BTreeMap::new();
    for (key, node) in f.entries("dimensions", p) {
        match node.to_value().coerce(&Type::String) {
            Ok(value) => {
                dimensions.insert(key.name.clone(), value.to_string());
            }
            Err(why) => {
                p.error("DR004", node.span, format!("dimension `{}`: {why}", key.name));
            }
        }
    }
    let metric = AlarmMetric {
        namespace: f.required_text("namespace", p).unwrap_or_default(),
        name: f.required_text("name", p).unwrap_or_default(),
        dimensions,
        statistic: f.word("statistic", STATISTICS, p).unwrap_or_else(|| "Average".to_owned()),
        comparison: f
            .word("comparison", COMPARISONS, p)
            .unwrap_or_else(|| "GreaterThanThreshold".to_owned()),
        threshold: threshold(&mut f, p),
    };
    f.finish(p);
    metric
}

fn threshold(f: &mut Fields<'_>, p: &mut Problems) -> f64 {
    let Some(node) = f.node("threshold") else { return 0.0 };
    match node.to_value().coerce(&Type::Float) {
        Ok(Value::Float(number)) if number.is_finite() => number,
        Ok(_) | Err(_) => {
            p.error("DR004", node.span, "field `threshold`: expected a number".to_owned());
            0.0
        }
    }
}

/// Whether what the estate's alarms follow is there.
pub(super) fn check(estate: &Estate, node: &Node, p: &mut Problems) {
    for (key, alarm) in &estate.alarms {
        let Some(AlarmWatches::Follows(name)) = &alarm.watches else { continue };
        if estate.databases.contains_key(name) || estate.services.contains_key(name) {
            continue;
        }
        let names = estate.services.keys().chain(estate.databases.keys()).map(String::as_str);
        let help = match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write the name of a service or a database of this estate".to_owned(),
        };
        let message = format!("alarm `{key}` follows `{name}`, which the estate does not have");
        p.error("DR004", place(node, key), message).help(help);
    }
    for (place_name, environment) in &estate.environments {
        for key in environment.alarms.keys().filter(|key| !estate.alarms.contains_key(*key)) {
            let message = format!(
                "environment `{place_name}` changes alarm `{key}`, which the estate does not have"
            );
            p.error("DR004", node.span, message).help("name it below `alarms:` first");
        }
    }
}

/// Where the alarm's `follows` stands.
fn place(node: &Node, alarm: &str) -> Span {
    let entry = node.field("alarms").and_then(|(_, section)| section.field(alarm));
    let follows = entry.and_then(|(_, entry)| entry.field("follows"));
    match (follows, entry) {
        (Some((_, node)), _) => node.span,
        (None, Some((_, node))) if matches!(node.kind, Kind::Map(_)) => node.span,
        (None, _) => node.span,
    }
}

#[cfg(test)]
mod tests {
    use super::AlarmWatches;
    use crate::estate::load;
    use std::time::Duration;

    fn file(alarms: &str, environment: &str) -> String {
        format!(
            "apiVersion: drctl/v1\nkind: Estate\nname: x\ndatabases:\n  orders: {{ instance: x-orders \
             }}\nalarms:\n{alarms}environments:\n  sim: {{ type: simulated, account: \
             \"123456789012\", region: us-east-1{environment} }}\n"
        )
    }

    #[test]
    fn an_alarm_follows_or_has_a_metric_and_environments_change_it() {
        let text = file(
            "  down: { name: x-down, follows: orders, actions: [alerts] }\n  lag: { name: x-lag, \
             region: us-west-2, period: 5m, evaluation_periods: 1, missing: breaching, metric: { \
             namespace: AWS/RDS, name: ReplicaLag, dimensions: { DBInstanceIdentifier: r }, \
             threshold: 60 } }\n",
            ", alarms: { down: { name: x-sim-down } }",
        );
        let estate = load("x.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
        let sim = &estate.environments["sim"];
        let down = estate.alarm_in("down", sim).expect("there");
        assert_eq!(down.watches, Some(AlarmWatches::Follows("orders".to_owned())));
        assert_eq!(down.arn(sim), "arn:aws:cloudwatch:us-east-1:123456789012:alarm:x-sim-down");
        assert_eq!((down.period, down.evaluation_periods), (Duration::from_secs(60), 3));
        let lag = estate.alarm_in("lag", sim).expect("there");
        assert!(lag.arn(sim).starts_with("arn:aws:cloudwatch:us-west-2:"), "{}", lag.arn(sim));
        let Some(AlarmWatches::Metric(metric)) = &lag.watches else { panic!("a metric") };
        assert_eq!((metric.statistic.as_str(), metric.threshold), ("Average", 60.0));
        assert!(estate.alarm_in("nothing", sim).is_none());
    }

    #[test]
    fn every_problem_has_its_place() {
        let text = file(
            "  a: { follows: ordres, name: x }\n  b: { name: \"x:y\", follows: orders, metric: { \
             namespace: n, name: m } }\n  c: { name: z, period: 90s, evaluation_periods: 0, missing: \
             never, metric: { nam: m, comparison: Equal } }\n",
            ", alarms: { gone: { name: y } }",
        );
        let shown = load("x.yaml", &text).expect_err("invalid").to_string();
        for part in [
            "alarm `a` follows `ordres`, which the estate does not have",
            "did you mean `orders`?",
            "no colon",
            "`follows` or `metric`, not both",
            "whole minutes",
            "`evaluation_periods` must be 1 to 100",
            "field `missing`",
            "field `comparison`",
            "changes alarm `gone`",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }
}
