"""Asks the simulator over TCP what AWS documents of CloudWatch's alarms and of roles that are assumed, through
boto3.

Prints one line a check and exits non-zero at the first that does not hold.
"""

import json
import sys
import time
import urllib.request
from datetime import datetime

from boto3_checks import ENDPOINT, check, client, done, refused

ROLE = "arn:aws:iam::210987654321:role/recovery"


def until(what, holds, seconds=60):
    deadline = time.time() + seconds
    while time.time() < deadline:
        if holds():
            return check(what, True)
        time.sleep(0.1)
    sys.exit(f"FAILED: {what}: it never came")


def published():
    with urllib.request.urlopen(f"{ENDPOINT}/_drctl/published") as answer:
        return json.load(answer)["published"]


# Alarms
watch = client("cloudwatch")
topic = client("sns").create_topic(Name="alerts")["TopicArn"]
listed = watch.describe_alarms()
check("the estate's alarm is there", [a["AlarmName"] for a in listed["MetricAlarms"]] == ["shop-api-down"])
check("and no composite one", listed["CompositeAlarms"] == [])
check("not in another region", client("cloudwatch", "us-west-2").describe_alarms()["MetricAlarms"] == [])
lag = {
    "AlarmName": "orders-lag",
    "AlarmDescription": "the replica is behind",
    "Namespace": "shop",
    "MetricName": "Lag",
    "Dimensions": [{"Name": "Database", "Value": "orders"}],
    "Statistic": "Maximum",
    "Period": 60,
    "EvaluationPeriods": 2,
    "DatapointsToAlarm": 1,
    "Threshold": 30.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "ignore",
    "AlarmActions": [topic],
    "OKActions": [topic],
}
watch.put_metric_alarm(**lag)


def look(name="orders-lag"):
    return watch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]


alarm = look()
check("a new alarm has no data", alarm["StateValue"] == "INSUFFICIENT_DATA", alarm["StateReason"])
check("it is what was put", all(alarm[name] == value for name, value in lag.items()), alarm)
check("its ARN is one", alarm["AlarmArn"] == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:orders-lag", alarm["AlarmArn"])
check("its instants are instants", isinstance(alarm["StateUpdatedTimestamp"], datetime), alarm["StateUpdatedTimestamp"])
for what, code, change in [
    ("a name with a colon", "InvalidParameterValue", {"AlarmName": "a:b"}),
    ("more points than periods", "InvalidParameterValue", {"DatapointsToAlarm": 3}),
    ("an unknown treatment", "InvalidParameterValue", {"TreatMissingData": "perhaps"}),
    ("an unknown comparison", "InvalidParameterValue", {"ComparisonOperator": "About"}),
]:
    refused(what, code, lambda: watch.put_metric_alarm(**{**lag, **change}))
check("what is refused changes nothing", look() == alarm)

watch.set_alarm_state(AlarmName="orders-lag", StateValue="ALARM", StateReason="tried")
alarm = look()
check("a state is set", (alarm["StateValue"], alarm["StateReason"]) == ("ALARM", "tried"))
message = json.loads(published()[-1]["message"])
check("its topic is told", (message["NewStateValue"], message["OldStateValue"]) == ("ALARM", "INSUFFICIENT_DATA"), message)
check("of which alarm", message["AlarmArn"] == alarm["AlarmArn"] and message["Trigger"]["Threshold"] == 30.0)
check("in a subject", published()[-1]["subject"] == 'ALARM: "orders-lag" in US East (N. Virginia)', published()[-1]["subject"])
watch.put_metric_alarm(**{**lag, "Threshold": 40.0})
check("a put keeps the state", (look()["StateValue"], look()["Threshold"]) == ("ALARM", 40.0))
refused("a state that there is not", "InvalidParameterValue",
        lambda: watch.set_alarm_state(AlarmName="orders-lag", StateValue="RED", StateReason="x"))
refused("an alarm that there is not", "ResourceNotFound",
        lambda: watch.set_alarm_state(AlarmName="nobody", StateValue="OK", StateReason="x"))


def measured(value):
    watch.put_metric_data(Namespace="shop", MetricData=[
        {"MetricName": "Lag", "Dimensions": lag["Dimensions"], "Value": value, "Unit": "Seconds"}])
    return look()["StateValue"]


until("small figures end it", lambda: measured(1) == "OK")
until("large figures raise it", lambda: measured(100) == "ALARM")
check("with a reason", look()["StateReason"].startswith("Threshold Crossed"), look()["StateReason"])

# Finding alarms
found = [a["AlarmName"] for a in watch.describe_alarms(AlarmNamePrefix="orders")["MetricAlarms"]]
check("by a prefix", found == ["orders-lag"])
found = [a["AlarmName"] for a in watch.describe_alarms(StateValue="ALARM")["MetricAlarms"]]
check("by a state", "orders-lag" in found and "shop-api-down" not in found, found)
refused("by two kinds of name", "ValidationError",
        lambda: watch.describe_alarms(AlarmNames=["a"], AlarmNamePrefix="a"))
check("composite ones alone are none", watch.describe_alarms(AlarmTypes=["CompositeAlarm"])["MetricAlarms"] == [])
names = [a["AlarmName"] for page in watch.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 1})
         for a in page["MetricAlarms"]]
check("in pages", sorted(names) == ["orders-lag", "shop-api-down"], names)
metric = {"Namespace": "shop", "MetricName": "Lag"}
found = watch.describe_alarms_for_metric(**metric, Dimensions=lag["Dimensions"])["MetricAlarms"]
check("by their metric", [a["AlarmName"] for a in found] == ["orders-lag"])
check("all dimensions count", watch.describe_alarms_for_metric(**metric)["MetricAlarms"] == [])

# What they went through
items = [item for page in watch.get_paginator("describe_alarm_history").paginate(
    AlarmName="orders-lag", HistoryItemType="StateUpdate") for item in page["AlarmHistoryItems"]]
states = [json.loads(item["HistoryData"])["newState"]["stateValue"] for item in items]
check("newest first", states[0] == "ALARM" and states[-1] == "ALARM" and "OK" in states, states)
times = [item["Timestamp"] for item in items]
check("in order", times == sorted(times, reverse=True))
first = watch.describe_alarm_history(AlarmName="orders-lag", ScanBy="TimestampAscending", MaxRecords=1)
check("or oldest first, as many as asked for", [i["Timestamp"] for i in first["AlarmHistoryItems"]] == times[-1:])

# An alarm follows the estate
ecs = client("ecs")
ecs.update_service(cluster="shop", service="api", desiredCount=0)
until("a service without tasks is an alarm", lambda: look("shop-api-down")["StateValue"] == "ALARM")
ecs.update_service(cluster="shop", service="api", desiredCount=3)
until("and one with tasks is none", lambda: look("shop-api-down")["StateValue"] == "OK")

refused("all are deleted or none", "ResourceNotFound", lambda: watch.delete_alarms(AlarmNames=["orders-lag", "nobody"]))
check("none was", look()["AlarmName"] == "orders-lag")
watch.delete_alarms(AlarmNames=["orders-lag"])
check("deleted", watch.describe_alarms(AlarmNames=["orders-lag"])["MetricAlarms"] == [])

# Roles
sts = client("sts")
tags = [{"Key": "team", "Value": "dr"}]
ask = {"RoleArn": ROLE, "RoleSessionName": "case", "ExternalId": "dr-1", "Tags": tags}


def without(*names, **change):
    return {name: value for name, value in {**ask, **change}.items() if name not in names}


for what, code, request in [
    ("no external id", "AccessDenied", without("ExternalId")),
    ("another external id", "AccessDenied", without(ExternalId="dr-2")),
    ("no session tags", "AccessDenied", without("Tags")),
    ("other session tags", "AccessDenied", without(Tags=[{"Key": "cost", "Value": "1"}])),
    ("a role of nobody", "AccessDenied", without(RoleArn=ROLE + "x")),
    ("a session that is too long", "ValidationError", without(DurationSeconds=50_000)),
    ("no policy", "MalformedPolicyDocument", without(Policy="{")),
]:
    refused(what, code, lambda: sts.assume_role(**request))
given = sts.assume_role(**ask)
who = given["AssumedRoleUser"]["Arn"]
check("the role is assumed", who == "arn:aws:sts::210987654321:assumed-role/recovery/case", who)
keys = given["Credentials"]


def as_role(service, keys):
    return client(service, key=keys["AccessKeyId"], aws_session_token=keys["SessionToken"])


found = as_role("sts", keys).get_caller_identity()
check("and it is who calls", (found["Account"], found["Arn"]) == ("210987654321", who), found)
refused("a chained session lasts an hour at most", "ValidationError",
        lambda: as_role("sts", keys).assume_role(**without(DurationSeconds=7200)))
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "cloudwatch:SetAlarmState", "Resource": "*"}]}
narrow = sts.assume_role(**without(Policy=json.dumps(policy)))["Credentials"]
refused("a session policy takes away", "AccessDenied",
        lambda: as_role("cloudwatch", narrow).set_alarm_state(AlarmName="shop-api-down", StateValue="OK", StateReason="x"))
reads = sts.assume_role(**without(PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]))["Credentials"]
check("one that only reads reads", as_role("cloudwatch", reads).describe_alarms()["MetricAlarms"] != [])
refused("and changes nothing", "AccessDeniedException",
        lambda: as_role("ecs", reads).update_service(cluster="shop", service="api", desiredCount=0))

done()
