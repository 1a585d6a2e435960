#!/usr/bin/env bash
# Drives every RDS operation of the simulator with the aws command line of Debian (package awscli).
#   awscli_rds.sh AWS ENDPOINT
# ENDPOINT is `drctl sim serve` at 2000 times real speed: a command takes half a second, which is a
# quarter of an hour there. Prints one line a check; fails at the first that does not hold.
set -euo pipefail
aws=$1 endpoint=$2
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=example AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_PAGER="" AWS_MAX_ATTEMPTS=1
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_REGION AWS_ENDPOINT_URL
region=us-east-1
passed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

rds() {
  echo "$1" >>"$log"
  "$aws" --endpoint-url "$endpoint" --region "$region" --output text rds "$@"
}
fail() { echo "FAILED: $*" >&2; exit 1; }
ok() { passed=$((passed + 1)); echo "ok: $*"; }
gives() { # WANTED COMMAND...: what the command prints, by pattern
  local wanted=$1 found
  shift
  found=$(rds "$@" 2>&1) || fail "$1: $found"
  # shellcheck disable=SC2053 # the wanted text is a pattern on purpose
  [[ $found == $wanted ]] || fail "$*: got \`$found\`, not \`$wanted\`"
  ok "$1 gives $wanted"
}
refused() { # CODE COMMAND...
  local code=$1 found
  shift
  if found=$(rds "$@" 2>&1); then fail "$*: not refused, expected $code"; fi
  [[ $found == *"($code)"* ]] || fail "$*: $found, not $code"
  ok "$1 refused: $code"
}
status() { rds describe-db-instances --db-instance-identifier "$1" --query 'DBInstances[0].DBInstanceStatus' 2>/dev/null || echo gone; }
until_is() { # ID STATUS
  local seen
  for _ in $(seq 60); do
    seen=$(status "$1")
    if [ "$seen" = "$2" ]; then ok "$1 is $2"; return; fi
  done
  fail "$1 is $seen, never $2"
}
arn() { echo "arn:aws:rds:us-east-1:123456789012:$1:$2"; }
in_west() { region=us-west-2 "$@"; }

create=(create-db-instance --db-instance-class db.t4g.medium --engine postgres --engine-version 15.3
  --allocated-storage 20 --master-username boss --master-user-password correct-horse)
gives creating "${create[@]}" --db-instance-identifier cli-one --storage-encrypted --kms-key-id alias/techcorp-rds \
  --multi-az --tags Key=who,Value=cli --query DBInstance.DBInstanceStatus
gives creating "${create[@]}" --db-instance-identifier cli-two --query DBInstance.DBInstanceStatus
refused DBInstanceAlreadyExists "${create[@]}" --db-instance-identifier CLI-one
refused InvalidParameterValue "${create[@]}" --db-instance-identifier cli--x
until_is cli-one available
gives "True	1	*" describe-db-instances --db-instance-identifier cli-one \
  --query 'DBInstances[0].[StorageEncrypted,BackupRetentionPeriod,LatestRestorableTime]'
refused DBInstanceNotFound describe-db-instances --db-instance-identifier nope
gives cli-one describe-db-instances --filters Name=db-instance-id,Values=cli-one --query 'DBInstances[].DBInstanceIdentifier'
refused InvalidParameterValue describe-db-instances --filters Name=colour,Values=blue
gives "20?10" describe-db-snapshots --db-instance-identifier techcorp-orders --page-size 20 --query 'length(DBSnapshots)'

refused InvalidParameterCombination modify-db-instance --db-instance-identifier cli-two
gives db.r6g.large modify-db-instance --db-instance-identifier cli-two --db-instance-class db.r6g.large \
  --apply-immediately --query DBInstance.PendingModifiedValues.DBInstanceClass
until_is cli-two available
gives "db.r6g.large	None" describe-db-instances --db-instance-identifier cli-two \
  --query 'DBInstances[0].[DBInstanceClass,PendingModifiedValues.DBInstanceClass]'
refused DBInstanceAlreadyExists modify-db-instance --db-instance-identifier cli-two --new-db-instance-identifier techcorp-orders
gives cli-three modify-db-instance --db-instance-identifier cli-two --new-db-instance-identifier cli-three \
  --apply-immediately --query DBInstance.PendingModifiedValues.DBInstanceIdentifier
until_is cli-three available
until_is cli-two gone
refused InvalidParameterCombination reboot-db-instance --db-instance-identifier cli-three --force-failover
before=$(rds describe-db-instances --db-instance-identifier cli-one --query 'DBInstances[0].[SecondaryAvailabilityZone,AvailabilityZone]')
gives rebooting reboot-db-instance --db-instance-identifier cli-one --force-failover --query DBInstance.DBInstanceStatus
until_is cli-one available
gives "$before" describe-db-instances --db-instance-identifier cli-one --query 'DBInstances[0].[AvailabilityZone,SecondaryAvailabilityZone]'
gives "*failover completed*" describe-events --source-identifier cli-one --source-type db-instance --duration 1440 \
  --event-categories failover --query 'Events[].Message'
refused InvalidDBInstanceState start-db-instance --db-instance-identifier cli-three
gives stopping stop-db-instance --db-instance-identifier cli-three --query DBInstance.DBInstanceStatus
until_is cli-three stopped
gives "????-*" describe-db-instances --db-instance-identifier cli-three --query 'DBInstances[0].AutomaticRestartTime'
gives starting start-db-instance --db-instance-identifier cli-three --query DBInstance.DBInstanceStatus
until_is cli-three available

gives creating create-db-snapshot --db-instance-identifier cli-one --db-snapshot-identifier cli-snap --query DBSnapshot.Status
rds wait db-snapshot-available --db-snapshot-identifier cli-snap && ok "the waiter finds the snapshot"
refused DBSnapshotAlreadyExists create-db-snapshot --db-instance-identifier cli-one --db-snapshot-identifier cli-snap
gives restore describe-db-snapshot-attributes --db-snapshot-identifier cli-snap \
  --query 'DBSnapshotAttributesResult.DBSnapshotAttributes[].AttributeName'
copy=(copy-db-snapshot --source-db-snapshot-identifier "$(arn snapshot cli-snap)" --target-db-snapshot-identifier cli-far)
in_west refused InvalidParameterValue "${copy[@]}"
in_west refused KMSKeyNotAccessibleFault "${copy[@]}" --kms-key-id alias/nope
in_west gives "pending	us-east-1" "${copy[@]}" --kms-key-id alias/techcorp-rds --source-region us-east-1 \
  --query 'DBSnapshot.[Status,SourceRegion]'
in_west rds wait db-snapshot-completed --db-snapshot-identifier cli-far && ok "the waiter finds the copy"
in_west gives creating restore-db-instance-from-db-snapshot --db-instance-identifier cli-back \
  --db-snapshot-identifier cli-far --query DBInstance.DBInstanceStatus
in_west until_is cli-back available
in_west gives "False	False	default.postgres15	default" describe-db-instances --db-instance-identifier cli-back --query \
  'DBInstances[0].[MultiAZ,DeletionProtection,DBParameterGroups[0].DBParameterGroupName,DBSubnetGroup.DBSubnetGroupName]'
in_west gives cli-far delete-db-snapshot --db-snapshot-identifier cli-far --query DBSnapshot.DBSnapshotIdentifier
in_west refused DBSnapshotNotFound delete-db-snapshot --db-snapshot-identifier cli-far

gives creating create-db-instance-read-replica --db-instance-identifier cli-replica --source-db-instance-identifier cli-one \
  --query DBInstance.DBInstanceStatus
in_west refused InvalidParameterValue create-db-instance-read-replica --db-instance-identifier cli-away \
  --source-db-instance-identifier "$(arn db cli-one)"
in_west gives creating create-db-instance-read-replica --db-instance-identifier cli-away \
  --source-db-instance-identifier "$(arn db cli-one)" --kms-key-id alias/techcorp-rds --query DBInstance.DBInstanceStatus
until_is cli-replica available
gives "replicating	True" describe-db-instances --db-instance-identifier cli-replica \
  --query 'DBInstances[0].StatusInfos[0].[Status,Normal]'
gives available promote-read-replica --db-instance-identifier cli-replica --backup-retention-period 2 --query DBInstance.DBInstanceStatus
until_is cli-replica available
gives "2	None" describe-db-instances --db-instance-identifier cli-replica \
  --query 'DBInstances[0].[BackupRetentionPeriod,ReadReplicaSourceDBInstanceIdentifier]'
refused InvalidDBInstanceState promote-read-replica --db-instance-identifier cli-replica

replication=(--source-db-instance-arn "$(arn db cli-one)")
in_west refused InvalidParameterValue start-db-instance-automated-backups-replication "${replication[@]}"
in_west gives "pending	7" start-db-instance-automated-backups-replication "${replication[@]}" --kms-key-id alias/techcorp-rds \
  --backup-retention-period 7 --query 'DBInstanceAutomatedBackup.[Status,BackupRetentionPeriod]'
in_west gives "replicating	us-east-1" describe-db-instance-automated-backups --db-instance-identifier cli-one \
  --query 'DBInstanceAutomatedBackups[0].[Status,Region]'
backups=$(in_west rds describe-db-instance-automated-backups --db-instance-identifier cli-one \
  --query 'DBInstanceAutomatedBackups[0].DBInstanceAutomatedBackupsArn')
in_west gives creating restore-db-instance-to-point-in-time --source-db-instance-automated-backups-arn "$backups" \
  --target-db-instance-identifier cli-west --use-latest-restorable-time --query DBInstance.DBInstanceStatus
in_west gives retained stop-db-instance-automated-backups-replication "${replication[@]}" --query DBInstanceAutomatedBackup.Status
in_west gives retained delete-db-instance-automated-backup --db-instance-automated-backups-arn "$backups" \
  --query DBInstanceAutomatedBackup.Status

rds add-tags-to-resource --resource-name "$(arn db cli-one)" --tags Key=a,Value=b && ok "add-tags-to-resource"
gives "*a	b*" list-tags-for-resource --resource-name "$(arn db cli-one)" --query 'TagList[]'
rds remove-tags-from-resource --resource-name "$(arn db cli-one)" --tag-keys a && ok "remove-tags-from-resource"
gives "who	cli" list-tags-for-resource --resource-name "$(arn db cli-one)" --query 'TagList[].[Key,Value]'
gives "*techcorp-private*" describe-db-subnet-groups --query 'DBSubnetGroups[].DBSubnetGroupName'
gives "*techcorp-postgres15*" describe-db-parameter-groups --query 'DBParameterGroups[].DBParameterGroupName'
gives 16.4 describe-db-engine-versions --engine postgres --default-only --query 'DBEngineVersions[].EngineVersion'
gives "*db.r6g.large*" describe-orderable-db-instance-options --engine postgres --engine-version 16.4 \
  --query 'OrderableDBInstanceOptions[].DBInstanceClass'
gives 40 describe-account-attributes --query "AccountQuotas[?AccountQuotaName=='DBInstances'].Max"
gives "*us-west-2*" describe-source-regions --query 'SourceRegions[].RegionName'

refused InvalidParameterCombination delete-db-instance --db-instance-identifier cli-one
refused InvalidParameterCombination delete-db-instance --db-instance-identifier techcorp-orders --skip-final-snapshot
gives deleting delete-db-instance --db-instance-identifier cli-one --final-db-snapshot-identifier cli-final \
  --no-delete-automated-backups --query DBInstance.DBInstanceStatus
until_is cli-one gone
rds wait db-instance-deleted --db-instance-identifier cli-one && ok "the waiter finds it gone"
gives "available	manual" describe-db-snapshots --db-snapshot-identifier cli-final --query 'DBSnapshots[0].[Status,SnapshotType]'
gives retained describe-db-instance-automated-backups --db-instance-identifier cli-one --query 'DBInstanceAutomatedBackups[0].Status'
in_west gives terminated describe-db-instances --db-instance-identifier cli-away --query 'DBInstances[0].StatusInfos[0].Status'

sort "$log" | uniq -c | awk '{ print "operation:", $2, $1 }'
echo "$passed checks passed, $(sort -u "$log" | grep -vc '^wait$') operations, $(wc -l <"$log") calls"
