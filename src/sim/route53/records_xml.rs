//! Record sets as the API writes them.
//!
//! **Invariant:** elements stand in the order of the service's model.

use super::state::RecordSet;
use crate::sim::xml::Xml;

/// `<ResourceRecordSet>`.
pub(super) fn record_set(xml: &mut Xml, set: &RecordSet) {
    xml.element("ResourceRecordSet", |xml| {
        xml.leaf("Name", &set.name);
        xml.leaf("Type", &set.kind);
        xml.optional("SetIdentifier", set.set_identifier.as_deref());
        xml.optional("Weight", set.weight);
        xml.optional("Region", set.region.as_deref());
        xml.optional("Failover", set.failover.as_deref());
        xml.optional("MultiValueAnswer", set.multi_value);
        xml.optional("TTL", set.ttl);
        if !set.values.is_empty() {
            xml.element("ResourceRecords", |xml| {
                for value in &set.values {
                    xml.element("ResourceRecord", |xml| xml.leaf("Value", value));
                }
            });
        }
        if let Some(alias) = &set.alias {
            xml.element("AliasTarget", |xml| {
                xml.leaf("HostedZoneId", &alias.zone);
                xml.leaf("DNSName", &alias.name);
                xml.leaf("EvaluateTargetHealth", alias.evaluate);
            });
        }
        xml.optional("HealthCheckId", set.health_check.as_deref());
    });
}
