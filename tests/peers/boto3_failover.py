"""Asks the simulator over TCP what AWS documents of security groups, exports of snapshots, versions of secrets
and read replicas, through boto3.

Prints one line a check and exits non-zero at the first that does not hold.
"""

import sys
import time

from boto3_checks import check, client, done, refused


def until(what, holds):
    for _ in range(600):
        found = holds()
        if found:
            check(what, True, found)
            return found
        time.sleep(0.05)
    sys.exit(f"FAILED: {what}: it never came")


# EC2: security groups
ec2 = client("ec2")
groups = ec2.describe_security_groups()["SecurityGroups"]
group = next(found for found in groups if found["VpcId"] == "vpc-0estate")
sg = group["GroupId"]
check("groups are listed", sg.startswith("sg-") and group["OwnerId"] == "123456789012", len(groups))
named = ec2.describe_security_groups(GroupIds=[sg])["SecurityGroups"]
check("one is found by its id", [found["GroupId"] for found in named] == [sg], sg)
filtered = ec2.describe_security_groups(Filters=[{"Name": "group-id", "Values": [sg, "sg-none"]}])["SecurityGroups"]
check("and by a filter", [found["GroupId"] for found in filtered] == [sg])
refused("a missing group", "InvalidGroup.NotFound", lambda: ec2.describe_security_groups(GroupIds=["sg-0123456789"]))
refused("what is no id", "InvalidGroupId.Malformed", lambda: ec2.describe_security_groups(GroupIds=["x"]))
before = group["IpPermissions"]
ports = {"IpProtocol": "tcp", "FromPort": 6432, "ToPort": 6432}
mine = {
    **ports,
    "IpRanges": [{"CidrIp": "10.1.0.0/16", "Description": "one"}, {"CidrIp": "10.2.0.0/16"}],
    "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}],
    "PrefixListIds": [{"PrefixListId": "pl-12345678"}],
    "UserIdGroupPairs": [{"GroupId": "sg-0feedfeed", "Description": "the application"}],
}
added = ec2.authorize_security_group_ingress(GroupId=sg, IpPermissions=[mine])
check("five rules are added", added["Return"] and len(added["SecurityGroupRules"]) == 5, len(added["SecurityGroupRules"]))


def shown():
    all_of = ec2.describe_security_groups(GroupIds=[sg])["SecurityGroups"][0]["IpPermissions"]
    return [one for one in all_of if one.get("FromPort") == 6432]


found = until("and shown after a moment", shown)[0]
check("with what is written beside them", {"CidrIp": "10.1.0.0/16", "Description": "one"} in found["IpRanges"], found["IpRanges"])
check("of all four kinds", len(found["Ipv6Ranges"]) == len(found["PrefixListIds"]) == 1 and len(found["IpRanges"]) == 2)
pair = found["UserIdGroupPairs"][0]
check("groups with their account", (pair["GroupId"], pair["UserId"]) == ("sg-0feedfeed", "123456789012"), pair)
refused("twice", "InvalidPermission.Duplicate", lambda: ec2.authorize_security_group_ingress(GroupId=sg, IpPermissions=[mine]))
one = {**ports, "IpRanges": [{"CidrIp": "10.1.0.0/16"}]}
ec2.revoke_security_group_ingress(GroupId=sg, IpPermissions=[one])
until("one is taken away, without naming what stands beside it",
      lambda: shown() and [r["CidrIp"] for r in shown()[0]["IpRanges"]] == ["10.2.0.0/16"])
refused("a rule that is not there", "InvalidPermission.NotFound",
        lambda: ec2.revoke_security_group_ingress(GroupId=sg, IpPermissions=[one]))
refused("no rule", "MissingParameter", lambda: ec2.revoke_security_group_ingress(GroupId=sg))
refused("no ports", "MissingParameter", lambda: ec2.authorize_security_group_ingress(
    GroupId=sg, IpPermissions=[{"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]))
ec2.revoke_security_group_ingress(GroupId=sg, IpPermissions=shown())
until("what was described is what can be taken away", lambda: not shown())
after = ec2.describe_security_groups(GroupIds=[sg])["SecurityGroups"][0]["IpPermissions"]
check("and nothing else was", after == before, after)
everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
ec2.authorize_security_group_ingress(GroupId=sg, IpPermissions=[everything])
ec2.revoke_security_group_ingress(GroupId=sg, IpPermissions=[everything])
refused("an operation that there is not", "InvalidAction", lambda: ec2.describe_instances())

# RDS: exports of snapshots
rds = client("rds")
exports = [task for page in rds.get_paginator("describe_export_tasks").paginate() for task in page["ExportTasks"]]
check("exports are listed", all(task["Status"] in ("COMPLETE", "IN_PROGRESS") for task in exports), len(exports))
nowhere = rds.describe_export_tasks(Filters=[{"Name": "s3-bucket", "Values": ["nowhere"]}])["ExportTasks"]
check("none to another bucket", nowhere == [])
refused("a missing export", "ExportTaskNotFoundFault", lambda: rds.describe_export_tasks(ExportTaskIdentifier="nothing"))
refused("an unknown filter", "InvalidParameterValue",
        lambda: rds.describe_export_tasks(Filters=[{"Name": "colour", "Values": ["x"]}]))

# Secrets Manager: stages
secrets = client("secretsmanager")
name = "techcorp/orders"


def staged(stage):
    return secrets.get_secret_value(SecretId=name, VersionStage=stage)["VersionId"]


old = staged("AWSCURRENT")
token = "0123456789abcdef0123456789abcdef"
secrets.put_secret_value(SecretId=name, SecretString="new", ClientRequestToken=token)
check("a new version is current", (staged("AWSCURRENT"), staged("AWSPREVIOUS")) == (token, old))


def move(to, from_):
    return secrets.update_secret_version_stage(
        SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=to, RemoveFromVersionId=from_
    )


refused("the stage of a version that has it not", "InvalidParameterException", lambda: move(old, old[::-1]))
refused("a missing version", "ResourceNotFoundException", lambda: move(token[::-1], token))
move(old, token)
check("and back again", (staged("AWSCURRENT"), staged("AWSPREVIOUS")) == (old, token))
secrets.put_secret_value(SecretId=name, SecretString="newer")
check("the next one stands on what is current", staged("AWSPREVIOUS") == old)

# RDS: a replica becomes an instance of its own
replica = "techcorp-orders-replica-1"


def look():
    return rds.describe_db_instances(DBInstanceIdentifier=replica)["DBInstances"][0]


check("it follows", look()["StatusInfos"][0]["Status"] == "replicating", look()["ReadReplicaSourceDBInstanceIdentifier"])
rds.promote_read_replica(DBInstanceIdentifier=replica, BackupRetentionPeriod=7)
check("available is no evidence", look()["DBInstanceStatus"] == "available" and "ReadReplicaSourceDBInstanceIdentifier" in look())
refused("while it is promoted", "InvalidDBInstanceState", lambda: rds.promote_read_replica(DBInstanceIdentifier=replica))
until("it follows no more", lambda: "ReadReplicaSourceDBInstanceIdentifier" not in look())
check("and keeps its backups", look()["BackupRetentionPeriod"] == 7)
done()
