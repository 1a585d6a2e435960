"""Asks the simulator over TCP what AWS documents of RDS, STS and Secrets Manager, through boto3.

Prints one line a check and exits non-zero at the first that does not hold. Runs at 1200 times real
speed, so an hour of AWS takes three seconds.
"""

import sys
import time
from datetime import datetime, timedelta, timezone

from botocore.exceptions import ClientError

from boto3_checks import check, client, done, refused

SOURCE = "techcorp-orders"


rds, sts, secrets = (client(name, attempts=5) for name in ("rds", "sts", "secretsmanager"))

check("caller", sts.get_caller_identity()["Account"] == "123456789012")
source = rds.describe_db_instances(DBInstanceIdentifier=SOURCE)["DBInstances"][0]
check("source is available", source["DBInstanceStatus"] == "available")
check("source is encrypted and private", source["StorageEncrypted"] and not source["PubliclyAccessible"])
backup = rds.describe_db_instance_automated_backups(DBInstanceIdentifier=SOURCE)[
    "DBInstanceAutomatedBackups"
][0]
window = backup["RestoreWindow"]
check("the window ends within five minutes or so", window["EarliestTime"] < window["LatestTime"], str(window))

restore_time = window["LatestTime"] - timedelta(minutes=30)


def restore(target, **more):
    request = {"SourceDBInstanceIdentifier": SOURCE, "TargetDBInstanceIdentifier": target}
    request.update(more)
    return rds.restore_db_instance_to_point_in_time(**request)["DBInstance"]


refused("missing source", "DBInstanceNotFound", lambda: rds.describe_db_instances(DBInstanceIdentifier="nope"))
refused(
    "restore of a missing source",
    "DBInstanceNotFound",
    lambda: rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier="nope", TargetDBInstanceIdentifier="x1", RestoreTime=restore_time
    ),
)
refused("a restore time in the future", "InvalidParameterValue",
        lambda: restore("x2", RestoreTime=datetime.now(timezone.utc) + timedelta(days=4000)))
refused("a restore time long gone", "InvalidParameterValue",
        lambda: restore("x3", RestoreTime=datetime(2001, 1, 1, tzinfo=timezone.utc)))
refused("no restore time", "InvalidParameterCombination", lambda: restore("x4"))
refused("both restore times", "InvalidParameterCombination",
        lambda: restore("x5", RestoreTime=restore_time, UseLatestRestorableTime=True))
refused("restore onto itself", "DBInstanceAlreadyExists", lambda: restore(SOURCE, RestoreTime=restore_time))

made = restore("boto-restored", RestoreTime=restore_time, Tags=[{"Key": "who", "Value": "boto3"}])
check("a restore begins as creating", made["DBInstanceStatus"] == "creating")
check("without an endpoint", "Endpoint" not in made)
refused("a second restore of that name", "DBInstanceAlreadyExists",
        lambda: restore("boto-restored", RestoreTime=restore_time))

states = []
deadline = time.time() + 60
while time.time() < deadline:
    try:
        found = rds.describe_db_instances(DBInstanceIdentifier="boto-restored")["DBInstances"][0]
    except ClientError as error:  # a stale read right after the mutation
        check("a stale read says not found", error.response["Error"]["Code"] == "DBInstanceNotFound")
        continue
    if not states or states[-1] != found["DBInstanceStatus"]:
        states.append(found["DBInstanceStatus"])
    if found["DBInstanceStatus"] == "available":
        break
    time.sleep(0.02)
check("it goes through creating and backing-up to available",
      states[-1] == "available" and "creating" in states and "backing-up" in states, states)
check("the endpoint is there", found["Endpoint"]["Port"] == 5432, found["Endpoint"]["Address"])
check("it lost its parameter group", found["DBParameterGroups"] != source["DBParameterGroups"],
      found["DBParameterGroups"][0]["DBParameterGroupName"])
check("it lost Multi-AZ and deletion protection", not found["MultiAZ"] and not found["DeletionProtection"])
check("it kept the key", found.get("KmsKeyId") == source.get("KmsKeyId"))
check("it has the given tag", {"Key": "who", "Value": "boto3"} in found["TagList"], found["TagList"])
events = rds.describe_events(SourceIdentifier="boto-restored", SourceType="db-instance", Duration=10080)["Events"]
check("there is an event of the restore", any("estored from" in event["Message"] for event in events),
      [event["Message"] for event in events])

refused("delete of a protected instance", "InvalidParameterCombination",
        lambda: rds.delete_db_instance(DBInstanceIdentifier=SOURCE, SkipFinalSnapshot=True))
refused("delete without saying what of the final snapshot", "InvalidParameterCombination",
        lambda: rds.delete_db_instance(DBInstanceIdentifier="boto-restored"))
gone = rds.delete_db_instance(DBInstanceIdentifier="boto-restored", SkipFinalSnapshot=True)["DBInstance"]
check("a delete answers deleting", gone["DBInstanceStatus"] == "deleting")
deadline = time.time() + 60
while time.time() < deadline:
    try:
        rds.describe_db_instances(DBInstanceIdentifier="boto-restored")
        time.sleep(0.02)
    except ClientError as error:
        check("and then it is not found", error.response["Error"]["Code"] == "DBInstanceNotFound")
        break
else:
    sys.exit("FAILED: the deleted instance never went away")

current = secrets.get_secret_value(SecretId="techcorp/orders")
previous = secrets.get_secret_value(SecretId="techcorp/orders", VersionStage="AWSPREVIOUS")
check("the secret has two different versions", current["SecretString"] != previous["SecretString"])
refused("a missing secret", "ResourceNotFoundException", lambda: secrets.get_secret_value(SecretId="nope"))
done()
