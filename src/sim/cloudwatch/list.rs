//! `ListMetrics`.
//!
//! **Invariant:** a token is a position in the sorted list; filters apply before pages are cut.

use super::input::{self, required, text};
use super::series::Metric;
use super::{ecs, rds, route53, s3};
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::shape::Shape;

/// Metrics on a page.
const PAGE: usize = 500;

/// `ListMetrics`. A metric that was put is listed at once; AWS takes up to a quarter of an hour.
pub(super) fn list(turn: &mut Turn<'_>) -> Outcome {
    let namespace = text(&turn.input, "Namespace")?;
    let name = text(&turn.input, "MetricName")?;
    let mut wanted = Vec::new();
    for filter in input::list(&turn.input, "Dimensions")? {
        wanted.push((required(filter, "Name")?, text(filter, "Value")?));
    }
    let from = match text(&turn.input, "NextToken")? {
        None => 0,
        Some(token) => token.parse::<usize>().map_err(|_| {
            ApiError::sender("InvalidNextToken", "The value for NextToken is invalid.")
        })?,
    };
    let put = turn.world.services.metrics.values();
    let put = put.filter(|series| series.region == turn.region).map(|series| Metric {
        namespace: series.namespace.clone(),
        name: series.name.clone(),
        dimensions: series.dimensions.clone(),
    });
    let fits = |metric: &Metric| {
        namespace.is_none_or(|wanted| metric.namespace == wanted)
            && name.is_none_or(|wanted| metric.name == wanted)
            && wanted.iter().all(|(name, value)| {
                let found = metric.dimensions.get(*name);
                found.is_some_and(|found| value.is_none_or(|value| found == value))
            })
    };
    let mut rest = rds::list(turn)
        .into_iter()
        .chain(ecs::list(turn))
        .chain(route53::list(turn))
        .chain(s3::list(turn))
        .chain(put)
        .filter(fits)
        .skip(from);
    let shown: Vec<Shape> = rest.by_ref().take(PAGE).map(|metric| shape(&metric)).collect();
    let next = rest.next().map(|_| Shape::Text((from + PAGE).to_string()));
    let mut fields = vec![("Metrics", Shape::List(shown))];
    fields.extend(next.map(|token| ("NextToken", token)));
    Ok(Body::Shape(Some(Shape::Map(fields))))
}

fn shape(metric: &Metric) -> Shape {
    let dimensions = metric.dimensions.iter().map(|(name, value)| {
        Shape::Map(vec![("Name", Shape::text(name)), ("Value", Shape::text(value))])
    });
    Shape::Map(vec![
        ("Namespace", Shape::text(&metric.namespace)),
        ("MetricName", Shape::text(&metric.name)),
        ("Dimensions", dimensions.collect()),
    ])
}
