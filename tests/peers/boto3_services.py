"""Asks the simulator over TCP what AWS documents of CloudWatch, SNS, KMS, IAM and Secrets Manager, through
boto3, and switches faults over HTTP while it does.

Prints one line a check and exits non-zero at the first that does not hold.
"""

import json
import urllib.request
from datetime import timedelta

from boto3_checks import ENDPOINT, check, client, done, refused


def drctl(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{ENDPOINT}/_drctl/{path}", data=data, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


# CloudWatch, in whatever protocol this boto3 speaks.
metrics = client("cloudwatch")
seen = {}
metrics.meta.events.register(
    "before-send.cloudwatch", lambda request, **_: seen.update({k.lower(): v for k, v in request.headers.items()})
)
now = metrics.list_metrics(Namespace="AWS/RDS")["ResponseMetadata"]["HTTPHeaders"]["date"]
check("answers have a date", now.endswith("GMT"), now)
print(f"protocol: {seen.get('smithy-protocol') or seen.get('x-amz-target') or 'query'}")
listed = metrics.list_metrics(Namespace="AWS/RDS", MetricName="ReplicaLag")["Metrics"]
check("the replica has a lag", any(d["Value"] == "techcorp-orders-replica-1" for m in listed for d in m["Dimensions"]), listed)
world = drctl("GET", "world")
check("the world tells its time", world["schema_version"] == 1 and world["time"].startswith("2026"), world["time"])
from datetime import datetime

time = datetime.fromisoformat(world["time"].replace("Z", "+00:00"))
span = {"StartTime": time - timedelta(hours=1), "EndTime": time + timedelta(hours=1)}
metrics.put_metric_data(
    Namespace="drill",
    MetricData=[{"MetricName": "RecoveryTime", "Value": value, "Unit": "Seconds", "Timestamp": time} for value in (2, 4)],
)


def query(name, namespace, metric, stat, dimensions=()):
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": list(dimensions)},
            "Period": 60,
            "Stat": stat,
        },
    }


replica = [{"Name": "DBInstanceIdentifier", "Value": "techcorp-orders-replica-1"}]
found = metrics.get_metric_data(
    MetricDataQueries=[
        query("mean", "drill", "RecoveryTime", "Average"),
        query("most", "drill", "RecoveryTime", "Maximum"),
        query("lag", "AWS/RDS", "ReplicaLag", "Maximum", replica),
    ],
    **span,
)["MetricDataResults"]
values = {result["Id"]: result["Values"] for result in found}
check("what was put is read back", values["mean"] == [3.0] and values["most"] == [4.0], values["mean"])
check("the lag is small", values["lag"] and max(values["lag"]) < 30, values["lag"][:3])
stamp = found[0]["Timestamps"][0]
check("at the minute it was put", stamp == time.replace(second=0, microsecond=0), stamp)
points = metrics.get_metric_statistics(
    Namespace="drill", MetricName="RecoveryTime", Period=60, Statistics=["Sum", "SampleCount"], **span
)["Datapoints"]
check("statistics add up", [(p["Sum"], p["SampleCount"]) for p in points] == [(6.0, 2.0)], points)
refused("a reserved namespace", "InvalidParameterValue",
        lambda: metrics.put_metric_data(Namespace="AWS/x", MetricData=[{"MetricName": "m", "Value": 1}]))
error = refused("two kinds of value", "InvalidParameterCombination",
                lambda: metrics.put_metric_data(Namespace="x", MetricData=[{"MetricName": "m", "Value": 1, "Values": [1]}]))
check("with the class of its own", isinstance(error, metrics.exceptions.InvalidParameterCombinationException), type(error))
big = [{"MetricName": f"a-rather-long-metric-name-{n:04}", "Value": n} for n in range(900)]
metrics.put_metric_data(Namespace="bulk", MetricData=big)
pages = metrics.get_paginator("list_metrics").paginate(Namespace="bulk")
check("nine hundred metrics in pages", sum(len(page["Metrics"]) for page in pages) == 900)

# SNS
sns = client("sns")
topic = sns.create_topic(Name="alerts")["TopicArn"]
check("a topic is made once", sns.create_topic(Name="alerts")["TopicArn"] == topic, topic)
first = sns.publish(TopicArn=topic, Message="drill", Subject="it began")["MessageId"]
check("repetitions are accepted", sns.publish(TopicArn=topic, Message="drill")["MessageId"] != first)
published = drctl("GET", "published")["published"]
check("and can be read", [message["message"] for message in published] == ["drill", "drill"])
check("attributes", sns.get_topic_attributes(TopicArn=topic)["Attributes"]["TopicArn"] == topic)
error = refused("a missing topic", "NotFound", lambda: sns.publish(TopicArn=topic + "x", Message="x"))
check("with 404", error.response["ResponseMetadata"]["HTTPStatusCode"] == 404)
refused("a message that is too long", "InvalidParameter", lambda: sns.publish(TopicArn=topic, Message="x" * 262145))
fifo = sns.create_topic(Name="f.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
once = [
    sns.publish(TopicArn=fifo, Message="m", MessageGroupId="g", MessageDeduplicationId="d")["SequenceNumber"]
    for _ in range(2)
]
check("FIFO topics drop repetitions", once[0] == once[1], once[0])

# KMS
kms = client("kms")
key = kms.describe_key(KeyId="alias/techcorp-rds")["KeyMetadata"]
check("the estate's key", key["KeyState"] == "Enabled" and key["KeyManager"] == "CUSTOMER", key["Arn"])
check("by its id", kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Arn"] == key["Arn"])
west = client("kms", "us-west-2").describe_key(KeyId="alias/techcorp-rds")["KeyMetadata"]
check("another key in another region", west["Arn"] != key["Arn"], west["Arn"])
refused("a missing alias", "NotFoundException", lambda: kms.describe_key(KeyId="alias/nobody"))
made = kms.create_key(Description="mine")["KeyMetadata"]
kms.create_alias(AliasName="alias/mine", TargetKeyId=made["KeyId"])
kms.disable_key(KeyId=made["KeyId"])
check("a disabled key", kms.describe_key(KeyId="alias/mine")["KeyMetadata"]["KeyState"] == "Disabled")

# IAM
iam = client("iam")
role = "arn:aws:iam::123456789012:role/drctl-read-only"
results = iam.simulate_principal_policy(
    PolicySourceArn=role, ActionNames=["rds:DescribeDBInstances", "rds:DeleteDBInstance"]
)["EvaluationResults"]
check("decisions", [r["EvalDecision"] for r in results] == ["allowed", "implicitDeny"], results)
refused("a stranger", "NoSuchEntity",
        lambda: iam.simulate_principal_policy(PolicySourceArn=role + "x", ActionNames=["rds:DescribeEvents"]))

# Secrets Manager
secrets = client("secretsmanager")
names = [secret["Name"] for page in secrets.get_paginator("list_secrets").paginate() for secret in page["SecretList"]]
check("secrets are listed", "techcorp/orders" in names, names)
put = secrets.put_secret_value(SecretId="techcorp/orders", SecretString="new")
check("a value is put", secrets.get_secret_value(SecretId="techcorp/orders")["VersionId"] == put["VersionId"])
secrets.replicate_secret_to_regions(SecretId="techcorp/orders", AddReplicaRegions=[{"Region": "us-west-2"}])

# Faults while serving
catalogue = drctl("GET", "faults")["catalogue"]
check("the catalogue", {"throttled", "clock-skew"} <= {entry["name"] for entry in catalogue}, len(catalogue))
drctl("PUT", "faults", {"faults": ["throttled=4"]})
for service, call, code in [
    ("sns", lambda: sns.list_topics(), "Throttling"),
    ("kms", lambda: kms.list_keys(), "ThrottlingException"),
    ("cloudwatch", lambda: metrics.list_metrics(), "Throttling"),
    ("secretsmanager", lambda: secrets.list_secrets(), "ThrottlingException"),
]:
    refused(f"{service} is throttled", code, call)
drctl("PUT", "faults", {"faults": ["throttled=2"]})
check("and a patient client gets through", "Topics" in client("sns", attempts=4).list_topics())
drctl("PUT", "faults", {"faults": ["kms-disabled"]})
check("keys are disabled", kms.describe_key(KeyId="alias/techcorp-rds")["KeyMetadata"]["KeyState"] == "Disabled")
drctl("PUT", "faults", {"faults": ["control-plane-down=us-west-2"]})
error = refused("a region is down", "ServiceUnavailable", lambda: client("rds", "us-west-2").describe_db_instances())
check("with 503", error.response["ResponseMetadata"]["HTTPStatusCode"] == 503)
check("and another is not", client("rds").describe_db_instances()["DBInstances"] != [])
drctl("PUT", "faults", {"faults": ["clock-skew"]})
refused("a clock that is off", "RequestExpired", lambda: client("rds").describe_db_instances())
check("off again", drctl("DELETE", "faults")["faults"] == [])
refused("an unknown service", "UnknownEndpoint", lambda: client("dynamodb").list_tables())
done()
