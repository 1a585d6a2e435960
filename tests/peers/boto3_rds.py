"""Drives every RDS operation of the simulator over TCP through boto3, and checks what AWS documents:
transitions, refusals by exact code, windows, final snapshots, what a restore loses.

Arguments: an endpoint at 120 times real speed, and one so fast that a week takes seconds.
"""

import sys
import time
from datetime import timedelta

import boto3_lab
from boto3_lab import calls, check, client, course, instance, refused, status, table, tell, until, went

ENDPOINT, FAST = sys.argv[1], sys.argv[2]
ACCOUNT = "123456789012"
SOURCE = "techcorp-orders"
KEY = "alias/techcorp-rds"
PRIVATE = {"DBSubnetGroupName": "techcorp-private", "VpcSecurityGroupIds": ["sg-0a1b2c3d4e5f60001"]}


def arn(name, region="us-east-1", kind="db"):
    return f"arn:aws:rds:{region}:{ACCOUNT}:{kind}:{name}"


def create(rds, name, **more):
    request = {
        "DBInstanceIdentifier": name,
        "DBInstanceClass": "db.t4g.medium",
        "Engine": "postgres",
        "EngineVersion": "15.3",
        "AllocatedStorage": 20,
        "MasterUsername": "boss",
        "MasterUserPassword": "correct-horse",
    }
    request.update(more)
    return rds.create_db_instance(**request)["DBInstance"]


def ready(rds, name, **more):
    create(rds, name, **more)
    course(rds, name, "available")


def events(rds, name, kind="db-instance"):
    found = rds.describe_events(SourceIdentifier=name, SourceType=kind, Duration=20160)["Events"]
    return [(event["EventCategories"][0], event["Message"]) for event in found]


def creation():
    rds = client(ENDPOINT)
    made = create(rds, "Boto-Made", DBName="app", Tags=[{"Key": "who", "Value": "boto3"}])
    check("a new instance is creating, without endpoint, in lower case",
          made["DBInstanceStatus"] == "creating" and "Endpoint" not in made
          and made["DBInstanceIdentifier"] == "boto-made")
    went("creation", ["DBInstanceNotFound", "creating", "backing-up", "available"], course(rds, "boto-made", "available"))
    found = instance(rds, "boto-made")
    check("one day of backups", found["BackupRetentionPeriod"] == 1 and "LatestRestorableTime" in found)
    refused("a second one", "DBInstanceAlreadyExists", lambda: create(rds, "BOTO-made"))
    refused("a bad name", "InvalidParameterValue", lambda: create(rds, "a--b"))
    refused("no password", "InvalidParameterValue", lambda: create(rds, "x1", MasterUserPassword="short"))
    refused("an unknown engine", "InvalidParameterValue", lambda: create(rds, "x1", Engine="db3"))
    refused("an unknown key", "KMSKeyNotAccessibleFault",
            lambda: create(rds, "x1", StorageEncrypted=True, KmsKeyId="alias/nope"))
    refused("an unknown subnet group", "DBSubnetGroupNotFoundFault", lambda: create(rds, "x1", DBSubnetGroupName="nope"))
    refused("security groups of another VPC", "InvalidParameterCombination",
            lambda: create(rds, "x1", VpcSecurityGroupIds=PRIVATE["VpcSecurityGroupIds"]), "different VPCs")
    told = events(rds, "boto-made")
    check("events of a creation", ("creation", "DB instance created") in told
          and ("backup", "Finished DB instance backup") in told, told)


def modification():
    rds = client(ENDPOINT)
    ready(rds, "boto-mod", **PRIVATE)
    change = lambda **more: rds.modify_db_instance(DBInstanceIdentifier="boto-mod", **more)["DBInstance"]
    refused("an empty change", "InvalidParameterCombination", change, "No modifications were requested")
    now = change(DBInstanceClass="db.r6g.large", ApplyImmediately=True)
    check("still available, and pending", now["DBInstanceStatus"] == "available"
          and now["PendingModifiedValues"] == {"DBInstanceClass": "db.r6g.large"}, now["PendingModifiedValues"])
    went("a modification", ["available", "modifying", "available"], course(rds, "boto-mod", "available"))
    found = instance(rds, "boto-mod")
    check("it took effect", found["DBInstanceClass"] == "db.r6g.large" and not found["PendingModifiedValues"])
    change(MultiAZ=True)
    time.sleep(0.5)
    found = instance(rds, "boto-mod")
    check("without ApplyImmediately it waits", found["PendingModifiedValues"] == {"MultiAZ": True} and not found["MultiAZ"])
    change(DBParameterGroupName="techcorp-postgres15")
    group = lambda: instance(rds, "boto-mod")["DBParameterGroups"][0]
    until("a parameter group waits for a reboot", lambda: group() == {
        "DBParameterGroupName": "techcorp-postgres15", "ParameterApplyStatus": "pending-reboot"})
    answer = rds.reboot_db_instance(DBInstanceIdentifier="boto-mod")["DBInstance"]
    check("a reboot begins at once", answer["DBInstanceStatus"] == "rebooting")
    refused("a reboot of one that reboots", "InvalidDBInstanceState",
            lambda: rds.reboot_db_instance(DBInstanceIdentifier="boto-mod"), "in-progress management operation")
    refused("a change of one that reboots", "InvalidDBInstanceState", lambda: change(MultiAZ=False))
    went("a reboot", ["available", "rebooting", "available"], course(rds, "boto-mod", "available"))
    check("the parameters are in effect", group()["ParameterApplyStatus"] == "in-sync")
    change(AllocatedStorage=40, ApplyImmediately=True)
    went("growth, with what waited", ["available", "modifying", "storage-optimization"],
         course(rds, "boto-mod", "storage-optimization"))
    check("both are there", instance(rds, "boto-mod")["MultiAZ"] and instance(rds, "boto-mod")["AllocatedStorage"] == 40)
    refused("storage while it is optimised", "InvalidParameterCombination",
            lambda: change(AllocatedStorage=80, ApplyImmediately=True))
    went("optimisation ends", ["storage-optimization", "available"], course(rds, "boto-mod", "available"))
    change(MasterUserPassword="battery-staple")
    went("a new password", ["available", "resetting-master-credentials", "available"], course(rds, "boto-mod", "available"))
    refused("a version that is older", "InvalidParameterCombination", lambda: change(EngineVersion="14.12"))
    refused("a major upgrade nobody allowed", "InvalidParameterCombination", lambda: change(EngineVersion="16.4"))
    change(EngineVersion="16.4", AllowMajorVersionUpgrade=True, ApplyImmediately=True)
    went("an upgrade", ["available", "upgrading", "available"], course(rds, "boto-mod", "available"))
    check("the new version", instance(rds, "boto-mod")["EngineVersion"] == "16.4")
    before = instance(rds, "boto-mod")
    refused("a name that is taken", "DBInstanceAlreadyExists", lambda: change(NewDBInstanceIdentifier=SOURCE))
    change(NewDBInstanceIdentifier="Boto-Renamed", ApplyImmediately=True)
    went("a rename under the old name", ["available", "renaming", "DBInstanceNotFound"],
         course(rds, "boto-mod", "DBInstanceNotFound"))
    went("and under the new one", ["rebooting", "available"], course(rds, "boto-renamed", "available"))
    after = instance(rds, "boto-renamed")
    check("the same resource, another endpoint", after["DbiResourceId"] == before["DbiResourceId"]
          and after["Endpoint"] != before["Endpoint"], after["Endpoint"]["Address"])


def failover():
    rds = client(ENDPOINT)
    ready(rds, "boto-ha", MultiAZ=True)
    before = instance(rds, "boto-ha")
    zones = lambda of: (of["AvailabilityZone"], of["SecondaryAvailabilityZone"])
    check("two zones", len(set(zones(before))) == 2, zones(before))
    rds.reboot_db_instance(DBInstanceIdentifier="boto-ha", ForceFailover=True)
    # The zones lag by minutes, that is by a second or two here.
    until("it reboots", lambda: status(rds, "boto-ha") == "rebooting")
    until("it is back", lambda: status(rds, "boto-ha") == "available")
    found = instance(rds, "boto-ha")
    check("the zones are the old ones at first", zones(found) == zones(before), zones(found))
    until("and swap later", lambda: zones(instance(rds, "boto-ha")) == zones(before)[::-1])
    check("the endpoint stays", instance(rds, "boto-ha")["Endpoint"] == before["Endpoint"])
    told = events(rds, "boto-ha")
    check("events of a failover", ("failover", "Multi-AZ instance failover started.") in told
          and ("failover", "Multi-AZ instance failover completed") in told
          and ("availability", "DB instance restarted") in told, told)
    ready(rds, "boto-single")
    refused("a failover of one in a single zone", "InvalidParameterCombination",
            lambda: rds.reboot_db_instance(DBInstanceIdentifier="boto-single", ForceFailover=True))
    check("which has no second zone", "SecondaryAvailabilityZone" not in instance(rds, "boto-single"))


def stopping():
    rds = client(ENDPOINT)
    ready(rds, "boto-stop")
    refused("a start of one that runs", "InvalidDBInstanceState", lambda: rds.start_db_instance(DBInstanceIdentifier="boto-stop"))
    refused("a stop of one with replicas", "InvalidDBInstanceState", lambda: rds.stop_db_instance(DBInstanceIdentifier=SOURCE))
    refused("a stop of a replica", "InvalidDBInstanceState",
            lambda: rds.stop_db_instance(DBInstanceIdentifier="techcorp-orders-replica-1"))
    rds.stop_db_instance(DBInstanceIdentifier="boto-stop", DBSnapshotIdentifier="boto-at-stop")
    went("a stop", ["available", "stopping", "stopped"], course(rds, "boto-stop", "stopped"))
    check("its snapshot", rds.describe_db_snapshots(DBSnapshotIdentifier="boto-at-stop")["DBSnapshots"][0]["Status"] == "available")
    stopped = instance(rds, "boto-stop")
    left = stopped["AutomaticRestartTime"] - stopped["LatestRestorableTime"]
    check("it will start by itself in seven days", timedelta(days=6, hours=23) < left < timedelta(days=7, hours=1), left)
    refused("a snapshot of one that is stopped", "InvalidDBInstanceState", lambda: rds.create_db_snapshot(
        DBInstanceIdentifier="boto-stop", DBSnapshotIdentifier="x1"), "not currently in the available state")
    rds.start_db_instance(DBInstanceIdentifier="boto-stop")
    went("a start", ["stopped", "starting", "available"], course(rds, "boto-stop", "available"))
    check("no restart time any more", "AutomaticRestartTime" not in instance(rds, "boto-stop"))


def snapshots():
    rds, west = client(ENDPOINT), client(ENDPOINT, region="us-west-2")
    ready(rds, "boto-snap", AllocatedStorage=100, StorageEncrypted=True, KmsKeyId=KEY, MultiAZ=True, DeletionProtection=True,
          DBParameterGroupName="techcorp-postgres15", EnableCloudwatchLogsExports=["postgresql"],
          CopyTagsToSnapshot=True, MonitoringInterval=60, EnablePerformanceInsights=True,
          BackupRetentionPeriod=9, Tags=[{"Key": "tier", "Value": "gold"}], **PRIVATE)
    take = lambda name: rds.create_db_snapshot(DBInstanceIdentifier="boto-snap", DBSnapshotIdentifier=name)["DBSnapshot"]
    made = take("boto-one")
    check("a snapshot begins as creating", made["Status"] == "creating" and "SnapshotCreateTime" not in made, made["PercentProgress"])
    refused("another one meanwhile", "InvalidDBInstanceState", lambda: take("boto-two"), "not currently in the available state")
    refused("a restore of it", "InvalidDBSnapshotState", lambda: rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="x2", DBSnapshotIdentifier="boto-one"))
    refused("its deletion", "InvalidDBSnapshotState", lambda: rds.delete_db_snapshot(DBSnapshotIdentifier="boto-one"))
    went("the instance meanwhile", ["available", "backing-up", "available"], course(rds, "boto-snap", "available"))
    refused("a snapshot of that name", "DBSnapshotAlreadyExists", lambda: take("BOTO-one"))
    refused("a snapshot of nothing", "DBInstanceNotFound", lambda: rds.create_db_snapshot(
        DBInstanceIdentifier="nope", DBSnapshotIdentifier="x3"))
    one = rds.describe_db_snapshots(DBSnapshotIdentifier=arn("boto-one", kind="snapshot"))["DBSnapshots"][0]
    check("by ARN, with tags of the instance", one["TagList"] == [{"Key": "tier", "Value": "gold"}] and one["PercentProgress"] == 100)
    shared = rds.describe_db_snapshot_attributes(DBSnapshotIdentifier="boto-one")["DBSnapshotAttributesResult"]
    check("nobody else may restore it", shared["DBSnapshotAttributes"] == [{"AttributeName": "restore", "AttributeValues": []}], shared)

    copy = lambda to, **more: west.copy_db_snapshot(
        SourceDBSnapshotIdentifier=arn("boto-one", kind="snapshot"), TargetDBSnapshotIdentifier=to, **more)["DBSnapshot"]
    refused("a copy elsewhere without a key", "InvalidParameterValue", lambda: copy("far"),
            "Must specify new KMS key for cross region encrypted snapshot copy.")
    refused("with a key that is not there", "KMSKeyNotAccessibleFault", lambda: copy("far", KmsKeyId="alias/techcorp-rds-eu"))
    refused("by name instead of ARN", "DBSnapshotNotFound", lambda: west.copy_db_snapshot(
        SourceDBSnapshotIdentifier="boto-one", TargetDBSnapshotIdentifier="far"))
    begun = copy("far", KmsKeyId=KEY, CopyTags=True, SourceRegion="us-east-1")
    check("a copy waits its turn", begun["Status"] == "pending" and begun["SourceRegion"] == "us-east-1"
          and begun["KmsKeyId"].startswith("arn:aws:kms:us-west-2:"), begun["KmsKeyId"])
    refused("a second copy of that name", "DBSnapshotAlreadyExists", lambda: copy("far", KmsKeyId=KEY))
    states, percents = [], []
    while not states or states[-1] != "available":
        found = west.describe_db_snapshots()["DBSnapshots"]
        for one_copy in (seen for seen in found if seen["DBSnapshotIdentifier"] == "far"):
            percents.append(one_copy["PercentProgress"])
            if not states or states[-1] != one_copy["Status"]:
                states.append(one_copy["Status"])
    went("a copy", ["pending", "creating", "available"], states)
    check("its progress only grows", percents == sorted(percents) and percents[-1] == 100, sorted(set(percents)))
    far = west.describe_db_snapshots(DBSnapshotIdentifier="far")["DBSnapshots"][0]
    check("it is of the same time, and newer", far["OriginalSnapshotCreateTime"] == one["SnapshotCreateTime"] < far["SnapshotCreateTime"])
    check("it has the tags", far["TagList"] == one["TagList"])
    refused("a system tag", "InvalidParameterValue", lambda: copy("x4", KmsKeyId=KEY, Tags=[{"Key": "aws:x", "Value": "y"}]))
    told = events(west, "far", "db-snapshot")
    check("events of a copy", ("notification", "Finished copy of snapshot far from region us-east-1") in told, told)
    losses(rds, west)
    rds.delete_db_snapshot(DBSnapshotIdentifier="boto-one")
    until("a deleted snapshot is gone", lambda: "boto-one" not in [
        seen["DBSnapshotIdentifier"] for seen in rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]])
    refused("its second deletion", "DBSnapshotNotFound", lambda: rds.delete_db_snapshot(DBSnapshotIdentifier="boto-one"))
    automated = rds.describe_db_snapshots(SnapshotType="automated", DBInstanceIdentifier=SOURCE)["DBSnapshots"]
    check("automated snapshots, one a day", len(automated) == 30, len(automated))
    refused("the deletion of an automated one", "InvalidDBSnapshotState",
            lambda: rds.delete_db_snapshot(DBSnapshotIdentifier=automated[0]["DBSnapshotIdentifier"]))


def losses(rds, west):
    source = instance(rds, "boto-snap")
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="boto-back", DBSnapshotIdentifier="boto-one")
    went("a restore from a snapshot", ["DBInstanceNotFound", "creating", "backing-up", "available"], course(rds, "boto-back", "available"))
    back = instance(rds, "boto-back")
    lost = {
        "security group": back["VpcSecurityGroups"] != source["VpcSecurityGroups"],
        "subnet group": back["DBSubnetGroup"]["DBSubnetGroupName"] == "default",
        "parameter group": back["DBParameterGroups"][0]["DBParameterGroupName"] == "default.postgres15",
        "Multi-AZ": not back["MultiAZ"] and "SecondaryAvailabilityZone" not in back,
        "deletion protection": not back["DeletionProtection"],
        "copying of tags": not back["CopyTagsToSnapshot"],
        "log exports": not back.get("EnabledCloudwatchLogsExports"),
        "IAM authentication": not back["IAMDatabaseAuthenticationEnabled"],
        "enhanced monitoring": back["MonitoringInterval"] == 0,
        "performance insights": not back["PerformanceInsightsEnabled"],
        "endpoint": back["Endpoint"]["Address"] != source["Endpoint"]["Address"],
        "resource id": back["DbiResourceId"] != source["DbiResourceId"],
    }
    check("what a restore loses", all(lost.values()), lost)
    kept = ["DBInstanceClass", "AllocatedStorage", "EngineVersion", "MasterUsername", "KmsKeyId", "BackupRetentionPeriod", "TagList"]
    check("what it keeps", all(back[name] == source[name] for name in kept), kept)
    check("blocks are still being loaded", back["StorageOperationStatus"] == "Initializing", back["StorageOperationPercentProgress"])
    west.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="boto-far", DBSnapshotIdentifier="far", DBSubnetGroupName="techcorp-private",
        VpcSecurityGroupIds=["sg-0a1b2c3d4e5f60002"], DBParameterGroupName="techcorp-postgres15", MultiAZ=True,
        DeletionProtection=True, PubliclyAccessible=False, CopyTagsToSnapshot=True, Tags=[{"Key": "b", "Value": "c"}],
        EnableCloudwatchLogsExports=["postgresql"], DBInstanceClass="db.r6g.large", EnableIAMDatabaseAuthentication=True)
    course(west, "boto-far", "available")
    far = instance(west, "boto-far")
    check("all of it when asked for", far["MultiAZ"] and far["DeletionProtection"] and not far["PubliclyAccessible"]
          and far["CopyTagsToSnapshot"] and far["IAMDatabaseAuthenticationEnabled"]
          and far["EnabledCloudwatchLogsExports"] == ["postgresql"] and far["DBInstanceClass"] == "db.r6g.large"
          and far["DBParameterGroups"][0]["DBParameterGroupName"] == "techcorp-postgres15"
          and far["TagList"] == [{"Key": "b", "Value": "c"}] and far["KmsKeyId"].startswith("arn:aws:kms:us-west-2:"))
    refused("storage that shrinks", "InvalidParameterValue", lambda: rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="x5", DBSnapshotIdentifier="boto-one", AllocatedStorage=19))


def replicas():
    rds, west, europe = client(ENDPOINT), client(ENDPOINT, region="us-west-2"), client(ENDPOINT, region="eu-west-1")
    ready(rds, "boto-lead", StorageEncrypted=True, KmsKeyId=KEY, DBParameterGroupName="techcorp-postgres15")
    near = lambda **more: rds.create_db_instance_read_replica(
        DBInstanceIdentifier="boto-near", SourceDBInstanceIdentifier="boto-lead", **more)["DBInstance"]
    far = lambda **more: west.create_db_instance_read_replica(
        DBInstanceIdentifier="boto-away", SourceDBInstanceIdentifier=arn("boto-lead"), **more)["DBInstance"]
    refused("another key in the same region", "InvalidParameterCombination", lambda: near(KmsKeyId="alias/aws/rds"))
    refused("no key in another region", "InvalidParameterValue", far)
    refused("a key of another region", "KMSKeyNotAccessibleFault", lambda: far(KmsKeyId="alias/techcorp-rds-eu"))
    refused("a name instead of an ARN", "DBInstanceNotFound", lambda: west.create_db_instance_read_replica(
        DBInstanceIdentifier="boto-away", SourceDBInstanceIdentifier="boto-lead"))
    refused("a replica of one without backups", "InvalidDBInstanceState", lambda: rds.create_db_instance_read_replica(
        DBInstanceIdentifier="x6", SourceDBInstanceIdentifier="techcorp-orders-replica-1"), "Automated backups are not enabled")
    near(), far(KmsKeyId=KEY, SourceRegion="us-east-1")
    went("a replica", ["DBInstanceNotFound", "creating", "available"], course(rds, "boto-near", "available"))
    course(west, "boto-away", "available")
    first, second, lead = instance(rds, "boto-near"), instance(west, "boto-away"), instance(rds, "boto-lead")
    check("the source's list", sorted(lead["ReadReplicaDBInstanceIdentifiers"]) == sorted(["boto-near", arn("boto-away", "us-west-2")]))
    check("whom they follow", first["ReadReplicaSourceDBInstanceIdentifier"] == "boto-lead"
          and second["ReadReplicaSourceDBInstanceIdentifier"] == arn("boto-lead"))
    info = {"StatusType": "read replication", "Normal": True, "Status": "replicating"}
    check("they replicate", first["StatusInfos"] == [info] == second["StatusInfos"])
    check("near takes after its source, far does not",
          first["DBParameterGroups"][0]["DBParameterGroupName"] == "techcorp-postgres15"
          and second["DBParameterGroups"][0]["DBParameterGroupName"] == "default.postgres15"
          and first["KmsKeyId"] == lead["KmsKeyId"] != second["KmsKeyId"] and first["BackupRetentionPeriod"] == 0)
    refused("promotion of one that is none", "InvalidDBInstanceState", lambda: rds.promote_read_replica(DBInstanceIdentifier="boto-lead"))
    answer = rds.promote_read_replica(DBInstanceIdentifier="boto-near", BackupRetentionPeriod=5)["DBInstance"]
    check("available at first", answer["DBInstanceStatus"] == "available")
    refused("a second promotion", "InvalidDBInstanceState", lambda: rds.promote_read_replica(DBInstanceIdentifier="boto-near"))
    went("promotion", ["available", "modifying", "rebooting", "backing-up", "available"], course(rds, "boto-near", "available"))
    alone = instance(rds, "boto-near")
    check("it stands alone", "ReadReplicaSourceDBInstanceIdentifier" not in alone and not alone["StatusInfos"]
          and alone["BackupRetentionPeriod"] == 5 and "LatestRestorableTime" in alone
          and alone["DBParameterGroups"] == first["DBParameterGroups"])
    check("and is off the list", instance(rds, "boto-lead")["ReadReplicaDBInstanceIdentifiers"] == [arn("boto-away", "us-west-2")])
    rds.create_db_instance_read_replica(DBInstanceIdentifier="boto-heir", SourceDBInstanceIdentifier="boto-lead")
    course(rds, "boto-heir", "available")
    refused("a final snapshot of a replica", "InvalidParameterCombination", lambda: rds.delete_db_instance(
        DBInstanceIdentifier="boto-heir", FinalDBSnapshotIdentifier="x7"), "can not be specified when deleting a replica instance")
    rds.delete_db_instance(DBInstanceIdentifier="boto-lead", SkipFinalSnapshot=True)
    went("an heir in the region is promoted", ["available", "modifying", "rebooting", "backing-up", "available"],
         course(rds, "boto-heir", "available"))
    check("it has no source", "ReadReplicaSourceDBInstanceIdentifier" not in instance(rds, "boto-heir"))
    ended = instance(west, "boto-away")["StatusInfos"][0]
    check("one in another region is terminated", ended["Status"] == "terminated" and not ended["Normal"], ended)
    west.promote_read_replica(DBInstanceIdentifier="boto-away")
    went("until somebody promotes it", ["available", "modifying", "rebooting", "backing-up", "available"], course(west, "boto-away", "available"))
    check("Europe has none of it", all("boto" not in seen["DBInstanceIdentifier"] for seen in europe.describe_db_instances()["DBInstances"]))


def backups():
    rds, west = client(ENDPOINT), client(ENDPOINT, region="us-west-2")
    ready(rds, "boto-kept", StorageEncrypted=True, KmsKeyId=KEY)
    begin = lambda **more: west.start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=arn("boto-kept"), **more)["DBInstanceAutomatedBackup"]
    refused("without a key", "InvalidParameterValue", begin)
    refused("with one of another region", "KMSKeyNotAccessibleFault", lambda: begin(KmsKeyId="alias/techcorp-rds-eu"))
    refused("of nothing", "DBInstanceNotFound", lambda: west.start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=arn("nope"), KmsKeyId=KEY))
    begun = begin(KmsKeyId=KEY, BackupRetentionPeriod=7)
    check("replication is pending", begun["Status"] == "pending" and not begun["RestoreWindow"]
          and begun["DBInstanceAutomatedBackupsArn"].startswith("arn:aws:rds:us-west-2:"), begun["DBInstanceAutomatedBackupsArn"])
    where = begun["DBInstanceAutomatedBackupsArn"]
    refused("a second replication", "InvalidDBInstanceAutomatedBackupState", lambda: begin(KmsKeyId=KEY))
    find = lambda: west.describe_db_instance_automated_backups(DBInstanceAutomatedBackupsArn=where)["DBInstanceAutomatedBackups"][0]
    until("and then replicates", lambda: find()["Status"] == "replicating")
    until("the source says so", lambda: instance(rds, "boto-kept").get("DBInstanceAutomatedBackupsReplications") == [
        {"DBInstanceAutomatedBackupsArn": where}])
    wide = lambda of: "LatestTime" in of and of["LatestTime"] - of["EarliestTime"] > timedelta(minutes=5)
    until("there is a window", lambda: wide(find()["RestoreWindow"]))
    window = find()["RestoreWindow"]
    restore = lambda to, **more: west.restore_db_instance_to_point_in_time(
        SourceDBInstanceAutomatedBackupsArn=where, TargetDBInstanceIdentifier=to, **more)["DBInstance"]
    refused("a time before replication began", "InvalidParameterValue",
            lambda: restore("x8", RestoreTime=window["EarliestTime"] - timedelta(minutes=1)))
    refused("backups that are not there", "DBInstanceAutomatedBackupNotFound", lambda: west.restore_db_instance_to_point_in_time(
        SourceDBInstanceAutomatedBackupsArn=where + "x", TargetDBInstanceIdentifier="x8", UseLatestRestorableTime=True))
    restore("boto-west", RestoreTime=window["EarliestTime"] + timedelta(minutes=1))
    course(west, "boto-west", "available")
    check("restored under the key there", instance(west, "boto-west")["KmsKeyId"] == find()["KmsKeyId"])
    rds.delete_db_instance(DBInstanceIdentifier="boto-kept", SkipFinalSnapshot=True)
    until("what was copied outlives the source", lambda: find()["Status"] == "retained")
    course(rds, "boto-kept", "DBInstanceNotFound")
    refused("what was not is gone", "DBInstanceAutomatedBackupNotFound",
            lambda: rds.describe_db_instance_automated_backups(DBInstanceIdentifier="boto-kept"))
    by_id = west.restore_db_instance_to_point_in_time(
        SourceDbiResourceId=find()["DbiResourceId"], TargetDBInstanceIdentifier="boto-west-2", UseLatestRestorableTime=True)
    check("restored by resource id", by_id["DBInstance"]["DBInstanceStatus"] == "creating")
    west.delete_db_instance_automated_backup(DBInstanceAutomatedBackupsArn=where)
    refused("deleted backups", "DBInstanceAutomatedBackupNotFound", find)
    ready(rds, "boto-plain")
    west.start_db_instance_automated_backups_replication(SourceDBInstanceArn=arn("boto-plain"))
    ended = west.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=arn("boto-plain"))
    check("stopped", ended["DBInstanceAutomatedBackup"]["Status"] == "retained")
    refused("stopped twice", "InvalidDBInstanceState",
            lambda: west.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=arn("boto-plain")))


def deletion():
    rds = client(ENDPOINT)
    ready(rds, "boto-gone", DeletionProtection=True)
    delete = lambda **more: rds.delete_db_instance(DBInstanceIdentifier="boto-gone", **more)["DBInstance"]
    refused("a protected one", "InvalidParameterCombination", lambda: delete(SkipFinalSnapshot=True),
            "Cannot delete protected DB Instance, please disable deletion protection and try again.")
    rds.modify_db_instance(DBInstanceIdentifier="boto-gone", DeletionProtection=False)
    refused("no word of a final snapshot", "InvalidParameterCombination", delete,
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    refused("both", "InvalidParameterCombination", lambda: delete(SkipFinalSnapshot=True, FinalDBSnapshotIdentifier="boto-last"))
    refused("nothing", "DBInstanceNotFound", lambda: rds.delete_db_instance(DBInstanceIdentifier="nope", SkipFinalSnapshot=True))
    create(rds, "boto-young")
    refused("a final snapshot while creating", "InvalidDBInstanceState", lambda: rds.delete_db_instance(
        DBInstanceIdentifier="boto-young", FinalDBSnapshotIdentifier="x9"))
    rds.delete_db_instance(DBInstanceIdentifier="boto-young", SkipFinalSnapshot=True)
    answer = delete(FinalDBSnapshotIdentifier="boto-last", DeleteAutomatedBackups=False)
    check("deleting", answer["DBInstanceStatus"] == "deleting")
    refused("twice", "InvalidDBInstanceState", lambda: delete(SkipFinalSnapshot=True), "Instance boto-gone is already being deleted.")
    went("deletion", ["available", "deleting", "DBInstanceNotFound"], course(rds, "boto-gone", "DBInstanceNotFound"))
    last = rds.describe_db_snapshots(DBSnapshotIdentifier="boto-last")["DBSnapshots"][0]
    check("the final snapshot is there", last["Status"] == "available" and last["SnapshotType"] == "manual")
    kept = rds.describe_db_instance_automated_backups(DBInstanceIdentifier="boto-gone")["DBInstanceAutomatedBackups"][0]
    check("and so are its backups", kept["Status"] == "retained", kept["RestoreWindow"])
    retained = rds.describe_db_instance_automated_backups(Filters=[{"Name": "status", "Values": ["retained"]}])
    check("found by status", kept["DbiResourceId"] in [one["DbiResourceId"] for one in retained["DBInstanceAutomatedBackups"]])
    ready(rds, "boto-last-user")
    refused("a final snapshot of a name that is taken", "DBSnapshotAlreadyExists", lambda: rds.delete_db_instance(
        DBInstanceIdentifier="boto-last-user", FinalDBSnapshotIdentifier="boto-last"))
    rds.restore_db_instance_to_point_in_time(SourceDbiResourceId=kept["DbiResourceId"],
                                             TargetDBInstanceIdentifier="boto-risen", UseLatestRestorableTime=True)
    course(rds, "boto-risen", "available")
    rds.modify_db_instance(DBInstanceIdentifier="boto-last-user", BackupRetentionPeriod=0, ApplyImmediately=True)
    until("no backups", lambda: instance(rds, "boto-last-user")["BackupRetentionPeriod"] == 0)
    course(rds, "boto-last-user", "available")
    refused("a point in time without backups", "PointInTimeRestoreNotEnabled", lambda: rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier="boto-last-user", TargetDBInstanceIdentifier="x10", UseLatestRestorableTime=True))


def reading():
    rds = client(ENDPOINT)
    names = [f"boto-page-{at:02}" for at in range(4)]
    for name in names:
        create(rds, name)
    until("all are seen", lambda: all(status(rds, name) != "DBInstanceNotFound" for name in names))
    snapshots = [page["DBSnapshots"] for page in rds.get_paginator("describe_db_snapshots").paginate(
        DBInstanceIdentifier=SOURCE, SnapshotType="automated", PaginationConfig={"PageSize": 20})]
    check("pages of snapshots", [len(page) for page in snapshots] == [20, 10], [len(page) for page in snapshots])
    for size in (19, 101):
        refused(f"{size} a page", "InvalidParameterValue", lambda: rds.describe_db_instances(MaxRecords=size))
    refused("a marker of one's own", "InvalidParameterValue", lambda: rds.describe_db_instances(Marker="mine"))
    by = lambda name, *values: [one["DBInstanceIdentifier"] for one in rds.describe_db_instances(
        Filters=[{"Name": name, "Values": list(values)}])["DBInstances"]]
    check("by identifiers", by("db-instance-id", "BOTO-page-01", arn("boto-page-02")) == names[1:3])
    source = instance(rds, SOURCE)
    check("by resource id", by("dbi-resource-id", source["DbiResourceId"]) == [SOURCE])
    check("by engine", SOURCE in by("engine", "postgres") and not by("engine", "mysql"))
    check("by what there is none of", not by("db-cluster-id", "c") and not by("domain", "d") and not by("db-instance-id", "nope"))
    refused("an unknown filter", "InvalidParameterValue", lambda: by("colour", "blue"))
    check("by ARN", instance(rds, arn(SOURCE))["DBInstanceIdentifier"] == SOURCE)
    refused("an ARN of another region", "DBInstanceNotFound", lambda: instance(rds, arn(SOURCE, "eu-west-1")))
    for target, missing in ((arn("boto-page-00"), arn("nope")), ):
        rds.add_tags_to_resource(ResourceName=target, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        tags = lambda: rds.list_tags_for_resource(ResourceName=target)["TagList"]
        until("tags are there", lambda: len(tags()) == 2)
        rds.remove_tags_from_resource(ResourceName=target, TagKeys=["a", "unknown"])
        until("and go", lambda: tags() == [{"Key": "b", "Value": "2"}])
        refused("tags of nothing", "DBInstanceNotFound", lambda: rds.list_tags_for_resource(ResourceName=missing))
    refused("tags of a snapshot that is none", "DBSnapshotNotFound",
            lambda: rds.add_tags_to_resource(ResourceName=arn("nope", kind="snapshot"), Tags=[{"Key": "a", "Value": "1"}]))
    refused("a system tag", "InvalidParameterValue",
            lambda: rds.add_tags_to_resource(ResourceName=arn(SOURCE), Tags=[{"Key": "aws:a", "Value": "1"}]))
    check("subnet groups", "techcorp-private" in [one["DBSubnetGroupName"] for one in rds.describe_db_subnet_groups()["DBSubnetGroups"]])
    refused("no such subnet group", "DBSubnetGroupNotFoundFault", lambda: rds.describe_db_subnet_groups(DBSubnetGroupName="nope"))
    refused("no such parameter group", "DBParameterGroupNotFound", lambda: rds.describe_db_parameter_groups(DBParameterGroupName="nope"))
    versions = rds.describe_db_engine_versions(Engine="postgres", DefaultOnly=True)["DBEngineVersions"]
    check("the default version", [one["EngineVersion"] for one in versions] == ["16.4"], versions[0]["DBParameterGroupFamily"])
    classes = rds.describe_orderable_db_instance_options(Engine="postgres", EngineVersion="16.4")["OrderableDBInstanceOptions"]
    check("instance classes", "db.r6g.large" in [one["DBInstanceClass"] for one in classes])
    quotas = {one["AccountQuotaName"]: one for one in rds.describe_account_attributes()["AccountQuotas"]}
    check("quotas", quotas["DBInstances"]["Max"] == 40 and quotas["DBInstances"]["Used"] > 4, quotas["DBInstances"])
    check("source regions", {one["RegionName"] for one in rds.describe_source_regions()["SourceRegions"]} >= {"us-west-2", "eu-west-1"})
    refused("an operation that it does not have", "InvalidAction", lambda: rds.describe_certificates())
    refused("events of an identifier alone", "InvalidParameterCombination", lambda: rds.describe_events(SourceIdentifier=SOURCE))
    backup = rds.describe_events(SourceIdentifier=SOURCE, SourceType="db-instance", Duration=20160, EventCategories=["backup"])["Events"]
    check("events by category", {tuple(one["EventCategories"]) for one in backup} == {("backup",)}, len(backup))
    for name in names:
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


def weeks():
    """On the fast server: the maintenance window, and the start of what was stopped for a week."""
    rds = client(FAST)
    create(rds, "boto-slow")
    create(rds, "boto-week")
    for name in ("boto-slow", "boto-week"):
        until(f"{name} is there", lambda: status(rds, name) == "available")
    rds.modify_db_instance(DBInstanceIdentifier="boto-slow", DBInstanceClass="db.r6g.large")
    rds.stop_db_instance(DBInstanceIdentifier="boto-week")
    until("the maintenance window comes", lambda: instance(rds, "boto-slow")["DBInstanceClass"] == "db.r6g.large")
    until("the week is over", lambda: ("notification", "DB instance started") in events(rds, "boto-week"))
    check("it runs again", status(rds, "boto-week") in ("available", "backing-up"))


OPERATIONS = """AddTagsToResource CopyDBSnapshot CreateDBInstance CreateDBInstanceReadReplica CreateDBSnapshot
DeleteDBInstance DeleteDBInstanceAutomatedBackup DeleteDBSnapshot DescribeAccountAttributes DescribeDBEngineVersions
DescribeDBInstanceAutomatedBackups DescribeDBInstances DescribeDBParameterGroups DescribeDBSnapshotAttributes
DescribeDBSnapshots DescribeDBSubnetGroups DescribeEvents DescribeOrderableDBInstanceOptions DescribeSourceRegions
ListTagsForResource ModifyDBInstance PromoteReadReplica RebootDBInstance RemoveTagsFromResource
RestoreDBInstanceFromDBSnapshot RestoreDBInstanceToPointInTime StartDBInstance
StartDBInstanceAutomatedBackupsReplication StopDBInstance StopDBInstanceAutomatedBackupsReplication""".split()

began = time.time()
tell([creation, modification, failover, stopping, snapshots, replicas, backups, deletion, reading, weeks])
table(OPERATIONS)
print(f"{boto3_lab.passed} checks passed, {sum(calls.values())} calls, {time.time() - began:.0f} s")
