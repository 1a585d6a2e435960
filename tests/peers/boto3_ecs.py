"""Asks the simulator over TCP what AWS documents of ECS and CloudWatch Logs, through boto3.

Prints one line a check and exits non-zero at the first that does not hold.
"""

import sys
import time
from datetime import datetime, timezone

from boto3_checks import check, client, done, refused

ecs = client("ecs", attempts=4)


def service(name="api"):
    return ecs.describe_services(cluster="shop", services=[name])["services"][0]


def until(what, holds, seconds=60):
    deadline = time.time() + seconds
    while time.time() < deadline:
        found = service()
        if holds(found):
            return check(what, True, f"{found['runningCount']} of {found['desiredCount']}")
        time.sleep(0.1)
    sys.exit(f"FAILED: {what}: {service()}")


def stable(found):
    return len(found["deployments"]) == 1 and found["runningCount"] == found["desiredCount"] and not found["pendingCount"]


# Clusters, services, task definitions as the world begins.
listed = ecs.list_services(cluster="shop")["serviceArns"]
check("both services are listed", sorted(arn.split("/")[-1] for arn in listed) == ["api", "web"], listed)
cluster = ecs.describe_clusters(clusters=["shop", "none"])
check("the cluster counts its tasks", cluster["clusters"][0]["runningTasksCount"] == 10, cluster["clusters"][0])
check("a cluster that is not there is a failure", cluster["failures"][0]["reason"] == "MISSING")
api = service()
check("it is active and whole", (api["status"], api["desiredCount"], api["runningCount"]) == ("ACTIVE", 6, 6))
check("its instants are instants", isinstance(api["createdAt"], datetime), api["createdAt"])
check("its deployment is complete", api["deployments"][0]["rolloutState"] == "COMPLETED")
check("its breaker is on", api["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"])
missing = ecs.describe_services(cluster="shop", services=["nobody"])
check("a service that is not there is a failure", missing["failures"][0]["reason"] == "MISSING", missing["failures"])
revisions = ecs.list_task_definitions(familyPrefix="api", sort="DESC")["taskDefinitionArns"]
check("revisions come newest first", [arn.split("/")[-1] for arn in revisions] == ["api:42", "api:41"])
shown = ecs.describe_task_definition(taskDefinition="api:41")["taskDefinition"]
check("a revision is described", (shown["revision"], shown["status"]) == (41, "ACTIVE"))

# Refusals.
for what, code, call in [
    ("no cluster", "ClusterNotFoundException", lambda: ecs.describe_services(cluster="none", services=["api"])),
    ("eleven services", "InvalidParameterException",
     lambda: ecs.describe_services(cluster="shop", services=[str(n) for n in range(11)])),
    ("no service", "ServiceNotFoundException",
     lambda: ecs.update_service(cluster="shop", service="nobody", desiredCount=1)),
    ("no such revision", "ClientException",
     lambda: ecs.update_service(cluster="shop", service="api", taskDefinition="api:99")),
    ("a negative count", "InvalidParameterException",
     lambda: ecs.update_service(cluster="shop", service="api", desiredCount=-1)),
    ("no task definition", "ClientException", lambda: ecs.describe_task_definition(taskDefinition="none")),
]:
    refused(what, code, call)
check("no exception type is unknown to boto3", hasattr(ecs.exceptions, "ServiceNotFoundException"))

# Scaling starts no deployment; tasks are listed while they stop.
ecs.update_service(cluster="shop", service="api", desiredCount=0)
until("it is scaled to nothing", lambda found: stable(found) and found["desiredCount"] == 0)
check("no deployment began", len(service()["deployments"]) == 1)
check("no task is to run", ecs.list_tasks(cluster="shop", serviceName="api")["taskArns"] == [])
stopping = ecs.list_tasks(cluster="shop", serviceName="api", desiredStatus="STOPPED")["taskArns"]
check("those that stop are listed as such", len(stopping) == 6, len(stopping))
deadline = time.time() + 60
while {task["lastStatus"] for task in ecs.describe_tasks(cluster="shop", tasks=stopping)["tasks"]} != {"STOPPED"}:
    if time.time() > deadline:
        sys.exit("FAILED: the tasks never stopped")
    time.sleep(0.1)
check("they have stopped", True)
ecs.update_service(cluster="shop", service="api", desiredCount=8)
until("it is scaled up", lambda found: stable(found) and found["desiredCount"] == 8)
ecs.get_waiter("services_stable").wait(cluster="shop", services=["api"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
check("boto3's own waiter finds it stable", True)

# A rolling deployment, and one that is forced.
ecs.update_service(cluster="shop", service="api", taskDefinition="api:41")
least, states = 8, []
deadline = time.time() + 60
while time.time() < deadline:
    found = service()
    least = min(least, found["runningCount"])
    state = [(d["status"], d["taskDefinition"].split("/")[-1], d["rolloutState"]) for d in found["deployments"]]
    if not states or states[-1] != state:
        states.append(state)
    if state == [("PRIMARY", "api:41", "COMPLETED")]:
        break
    time.sleep(0.05)
check("it goes back a revision", states[-1] == [("PRIMARY", "api:41", "COMPLETED")], states)
check("and never has fewer tasks than it must", least == 8, least)
before = service()["deployments"][0]["id"]
ecs.update_service(cluster="shop", service="api", forceNewDeployment=True)
until("a forced deployment is a new one", lambda found: stable(found) and found["deployments"][0]["id"] != before)

# Task definitions.
made = ecs.register_task_definition(family="api", containerDefinitions=[{"name": "api", "image": "api:43"}])
check("the next revision", made["taskDefinition"]["revision"] == 43)
ended = ecs.deregister_task_definition(taskDefinition="api:42")["taskDefinition"]
check("one ends inactive", ended["status"] == "INACTIVE")
refused("an inactive one starts nothing", "ClientException",
        lambda: ecs.update_service(cluster="shop", service="api", taskDefinition="api:42"))

# Container Insights.
metrics = client("cloudwatch", attempts=4)
names = {m["MetricName"] for m in metrics.list_metrics(Namespace="ECS/ContainerInsights")["Metrics"]}
check("both counts are metrics", names == {"DesiredTaskCount", "RunningTaskCount"}, names)

# CloudWatch Logs.
# botocore tries again by itself when a limit is exceeded, until it no longer is.
logs = client("logs")
groups = logs.describe_log_groups(logGroupNamePrefix="/ecs/")["logGroups"]
check("the log group is there", groups[0]["logGroupName"] == "/ecs/api" and groups[0]["storedBytes"] > 0, groups)
now = int(datetime.now(timezone.utc).timestamp() * 1000)
ask = dict(taskName="case", logGroupName="/ecs/api", fromTime=now - 3_600_000, to=now, destination="evidence")
task = logs.create_export_task(**ask)["taskId"]
refused("one export at a time", "LimitExceededException", lambda: logs.create_export_task(**ask))
deadline = time.time() + 60
while True:
    found = logs.describe_export_tasks(taskId=task)["exportTasks"][0]
    if found["status"]["code"] == "COMPLETED":
        break
    if time.time() > deadline:
        sys.exit(f"FAILED: the export never completed: {found}")
    time.sleep(0.1)
check("the export completes", found["taskName"] == "case" and found["destinationPrefix"] == "exportedlogs", found)
keys = [entry["Key"] for entry in client("s3", attempts=4).list_objects_v2(Bucket="evidence", Prefix="exportedlogs/")["Contents"]]
check("its objects are in the bucket", any(task in key for key in keys), keys)
for what, code, change in [
    ("no log group", "ResourceNotFoundException", {"logGroupName": "/none"}),
    ("no bucket", "InvalidParameterException", {"destination": "nobody-has-it"}),
    ("a span turned round", "InvalidParameterException", {"fromTime": now, "to": now - 1}),
]:
    refused(what, code, lambda: logs.create_export_task(**{**ask, **change}))
second = logs.create_export_task(**ask)["taskId"]
logs.cancel_export_task(taskId=second)
code = logs.describe_export_tasks(taskId=second)["exportTasks"][0]["status"]["code"]
check("an export is cancelled", code == "CANCELLED", code)
refused("and only once", "InvalidOperationException", lambda: logs.cancel_export_task(taskId=second))
pages = [page["exportTasks"] for page in [logs.describe_export_tasks(limit=1)]]
check("a page has as many as were asked for", len(pages[0]) == 1)

done()
