//! Every operation of Route 53, one a line; `guard.rs` compares the list with the SDK crate.
//!
//! **Invariant:** an operation is under `reads` only when planning may call it.

use crate::operations;
use aws_sdk_route53::types::{RrType, TagResourceType};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

operations! {
    aws_sdk_route53::Client;
    reads: [
    get_change {id: "C1"},
    get_dnssec {hosted_zone_id: "Z1"},
    get_health_check {health_check_id: "h-1"},
    get_health_check_last_failure_reason {health_check_id: "h-1"},
    get_health_check_status {health_check_id: "h-1"},
    get_hosted_zone {id: "Z1"},
    list_health_checks,
    list_hosted_zones,
    list_hosted_zones_by_name,
    list_resource_record_sets {hosted_zone_id: "Z1"},
    list_tags_for_resource {resource_type: TagResourceType::Hostedzone, resource_id: "Z1"},
    test_dns_answer {hosted_zone_id: "Z1", record_name: "a.example", record_type: RrType::A},
    ]
    others: [
    activate_key_signing_key,
    associate_vpc_with_hosted_zone,
    change_cidr_collection,
    change_resource_record_sets,
    change_tags_for_resource,
    create_cidr_collection,
    create_health_check,
    create_hosted_zone,
    create_key_signing_key,
    create_query_logging_config,
    create_reusable_delegation_set,
    create_traffic_policy,
    create_traffic_policy_instance,
    create_traffic_policy_version,
    create_vpc_association_authorization,
    deactivate_key_signing_key,
    delete_cidr_collection,
    delete_health_check,
    delete_hosted_zone,
    delete_key_signing_key,
    delete_query_logging_config,
    delete_reusable_delegation_set,
    delete_traffic_policy,
    delete_traffic_policy_instance,
    delete_vpc_association_authorization,
    disable_hosted_zone_dnssec,
    disassociate_vpc_from_hosted_zone,
    enable_hosted_zone_dnssec,
    get_account_limit,
    get_checker_ip_ranges,
    get_geo_location,
    get_health_check_count,
    get_hosted_zone_count,
    get_hosted_zone_limit,
    get_query_logging_config,
    get_reusable_delegation_set,
    get_reusable_delegation_set_limit,
    get_traffic_policy,
    get_traffic_policy_instance,
    get_traffic_policy_instance_count,
    list_cidr_blocks,
    list_cidr_collections,
    list_cidr_locations,
    list_geo_locations,
    list_hosted_zones_by_vpc,
    list_query_logging_configs,
    list_reusable_delegation_sets,
    list_tags_for_resources,
    list_traffic_policies,
    list_traffic_policy_instances,
    list_traffic_policy_instances_by_hosted_zone,
    list_traffic_policy_instances_by_policy,
    list_traffic_policy_versions,
    list_vpc_association_authorizations,
    update_health_check,
    update_hosted_zone_comment,
    update_hosted_zone_features,
    update_traffic_policy_comment,
    update_traffic_policy_instance,
    ]
}

/// The read of Route 53 that a request is, by the paths of its API reference.
pub(crate) fn read_of(request: &HttpRequest) -> &'static str {
    let path = request.uri().split("/2013-04-01/").nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    match (request.method(), path.trim_end_matches('/')) {
        ("GET", "change/C1") => "GetChange",
        ("GET", "hostedzone/Z1/dnssec") => "GetDNSSEC",
        ("GET", "healthcheck/h-1") => "GetHealthCheck",
        ("GET", "healthcheck/h-1/lastfailurereason") => "GetHealthCheckLastFailureReason",
        ("GET", "healthcheck/h-1/status") => "GetHealthCheckStatus",
        ("GET", "hostedzone/Z1") => "GetHostedZone",
        ("GET", "healthcheck") => "ListHealthChecks",
        ("GET", "hostedzone") => "ListHostedZones",
        ("GET", "hostedzonesbyname") => "ListHostedZonesByName",
        ("GET", "hostedzone/Z1/rrset") => "ListResourceRecordSets",
        ("GET", "tags/hostedzone/Z1") => "ListTagsForResource",
        ("GET", "testdnsanswer") => "TestDNSAnswer",
        _ => "(unknown)",
    }
}
