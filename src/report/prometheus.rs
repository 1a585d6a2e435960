//! A history for Prometheus: the newest run of each drill as gauges, for the textfile collector.
//!
//! **Invariant:** each figure carries the kind of run it came from, so that no alert on real drills is
//! ever quieted by a simulated one; what was not measured has no sample.

use crate::report::history::{DamagedRow, HistoryRow};
use crate::report::trend::{Trend, grouped};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::fmt;

/// A figure of a drill, in seconds, or 0 and 1; `None` where there is none.
type Figure = fn(&Trend, &[HistoryRow]) -> Option<f64>;

/// Every gauge with its help text and where it comes from.
const GAUGES: [(&str, &str, Figure); 7] = [
    ("drctl_last_run_success", "Whether the newest finished run ended well.", |_, rows| {
        rows.last().map(|row| f64::from(u8::from(row.succeeded())))
    }),
    ("drctl_last_run_timestamp_seconds", "Start of the newest finished run.", |_, rows| {
        rows.last().and_then(started)
    }),
    (
        "drctl_last_success_timestamp_seconds",
        "Start of the newest run that ended well.",
        |_, rows| rows.iter().rev().find(|row| row.succeeded()).and_then(started),
    ),
    ("drctl_recovery_time_seconds", "Measured recovery time of the newest run.", |trend, _| {
        trend.last_ms.map(seconds)
    }),
    ("drctl_recovery_time_objective_seconds", "Promised recovery time.", |trend, _| {
        trend.promised_ms.map(seconds)
    }),
    ("drctl_recovery_point_seconds", "Proven recovery point of the newest run.", |_, rows| {
        rows.last().and_then(|row| row.recovery_point_ms).map(seconds)
    }),
    ("drctl_recovery_point_objective_seconds", "Promised recovery point.", |_, rows| {
        rows.last().and_then(|row| row.promised_point_ms).map(seconds)
    }),
];

/// The history, in an order of our own: the library's families keep none.
#[derive(Debug)]
struct History {
    groups: Vec<(Trend, Vec<HistoryRow>)>,
    damaged: usize,
}

impl Collector for History {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, help, figure) in GAUGES {
            let mut gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (trend, rows) in &self.groups {
                let Some(value) = figure(trend, rows) else { continue };
                let labels = [
                    ("drill", trend.name.as_str()),
                    ("environment", trend.environment.as_str()),
                    ("kind", trend.kind.name()),
                ];
                ConstGauge::new(value).encode(gauge.encode_family(&labels)?)?;
            }
        }
        let (name, help) = ("drctl_damaged_journals", "Journals that cannot be read.");
        let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        let damaged = i64::try_from(self.damaged).unwrap_or(i64::MAX);
        ConstGauge::new(damaged).encode(gauge)
    }
}

/// The newest run of each drill, in Prometheus' text format.
pub fn render_prometheus(rows: &[HistoryRow], damaged: &[DamagedRow]) -> String {
    let owned =
        |(trend, rows): (Trend, Vec<&HistoryRow>)| (trend, rows.into_iter().cloned().collect());
    let groups = grouped(rows).into_iter().map(owned).collect();
    let mut registry = Registry::default();
    registry.register_collector(Box::new(History { groups, damaged: damaged.len() }));
    let mut out = String::new();
    text::encode(&mut out, &registry).expect("writing to a string does not fail");
    out
}

fn started(row: &HistoryRow) -> Option<f64> {
    row.started_at.map(|at| at.timestamp_millis() as f64 / 1000.0)
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}
