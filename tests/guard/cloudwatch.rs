//! Every operation of CloudWatch, one a line; `guard.rs` compares the list with the SDK crate.
//!
//! **Invariant:** an operation is under `reads` only when planning may call it.

use crate::operations;

operations! {
    aws_sdk_cloudwatch::Client;
    reads: [
    describe_alarms,
    describe_alarms_for_metric,
    get_metric_data,
    get_metric_statistics,
    list_metrics,
    ]
    others: [
    associate_dataset_kms_key,
    create_resource_metrics_configuration,
    delete_alarm_mute_rule,
    delete_alarms,
    delete_anomaly_detector,
    delete_dashboards,
    delete_insight_rules,
    delete_metric_stream,
    delete_resource_metrics_configuration,
    describe_alarm_contributors,
    describe_alarm_history,
    describe_anomaly_detectors,
    describe_insight_rules,
    disable_alarm_actions,
    disable_insight_rules,
    disassociate_dataset_kms_key,
    enable_alarm_actions,
    enable_insight_rules,
    get_alarm_mute_rule,
    get_dashboard,
    get_dataset,
    get_insight_rule_report,
    get_metric_stream,
    get_metric_widget_image,
    get_o_tel_enrichment,
    get_resource_metrics_configuration,
    list_alarm_mute_rules,
    list_dashboards,
    list_managed_insight_rules,
    list_metric_streams,
    list_tags_for_resource,
    put_alarm_mute_rule,
    put_anomaly_detector,
    put_composite_alarm,
    put_dashboard,
    put_insight_rule,
    put_log_alarm,
    put_managed_insight_rules,
    put_metric_alarm,
    put_metric_data,
    put_metric_stream,
    set_alarm_state,
    start_metric_streams,
    start_o_tel_enrichment,
    stop_metric_streams,
    stop_o_tel_enrichment,
    tag_resource,
    untag_resource,
    update_o_tel_enrichment,
    update_resource_metrics_configuration,
    ]
}
