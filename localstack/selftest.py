"""The checks of localstack/selftest. usage: selftest.py GATEWAY STATE_DIRECTORY [--quick]"""

import datetime
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request
import uuid

import boto3
import botocore.config
import botocore.exceptions

import estate as estates

UTC = datetime.timezone.utc
HEARTBEATS = 10
WRITER = str(uuid.uuid4())
SCHEMA = ("CREATE SCHEMA IF NOT EXISTS drctl; CREATE TABLE IF NOT EXISTS drctl.heartbeat ("
          "writer uuid PRIMARY KEY, source text NOT NULL, sequence bigint NOT NULL, "
          "at timestamptz NOT NULL, at_ms bigint NOT NULL)")


class Check:
    def __init__(self, gateway, state):
        self.gateway, self.state = gateway, pathlib.Path(state)
        self.estate = estates.load()
        self.key, self.fields = self.estate.backed()
        self.source = self.fields["instance"]
        self.made = []
        region = self.estate.region_of(self.fields)
        self.rds, self.secrets = (
            boto3.client(service, endpoint_url=gateway, region_name=region,
                         aws_access_key_id="localstack", aws_secret_access_key="localstack",
                         config=botocore.config.Config(retries={"total_max_attempts": 1}))
            for service in ("rds", "secretsmanager"))
        current = self.secrets.get_secret_value(SecretId=self.fields["secret"])
        self.password = json.loads(current["SecretString"])["password"]

    def psql(self, endpoint, statement, password=None, mode="verify-full"):
        done = subprocess.run(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement],
            env={**os.environ, "PGHOST": endpoint["Address"], "PGPORT": str(endpoint["Port"]),
                 "PGUSER": self.fields["user"], "PGPASSWORD": password or self.password,
                 "PGDATABASE": self.fields["database"], "PGSSLMODE": mode,
                 "PGSSLROOTCERT": str(self.state / "ca.pem"), "PGCONNECT_TIMEOUT": "5"},
            capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return done.stdout.strip()

    def describe(self, identifier):
        return self.rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]

    def refused(self, code, call, **arguments):
        try:
            call(**arguments)
        except botocore.exceptions.ClientError as error:
            found = error.response["Error"]["Code"]
            assert found == code, f"expected {code}: {error}"
            return
        raise AssertionError(f"{call.__name__} {arguments} was not refused with {code}")

    def restore(self, identifier, instant, **more):
        """Restores and waits; gives the instance, the states seen and the seconds it took."""
        started, seen = time.monotonic(), []
        answer = self.rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier=self.source, TargetDBInstanceIdentifier=identifier,
            RestoreTime=instant, PubliclyAccessible=False, DeletionProtection=False,
            Tags=[{"Key": "drctl:owner", "Value": "selftest"}], **more)["DBInstance"]
        self.made.append(identifier)
        assert answer["DBInstanceStatus"] == "creating" and "Endpoint" not in answer, answer
        while True:
            found = self.describe(identifier)
            if found["DBInstanceStatus"] not in seen:
                seen.append(found["DBInstanceStatus"])
            if seen[-1] in ("available", "incompatible-restore"):
                return found, seen, time.monotonic() - started
            assert time.monotonic() - started < 120, seen
            time.sleep(0.2)

    def delete(self, identifier):
        started, seen = time.monotonic(), []
        self.rds.delete_db_instance(DBInstanceIdentifier=identifier, SkipFinalSnapshot=True)
        while True:
            try:
                status = self.describe(identifier)["DBInstanceStatus"]
            except self.rds.exceptions.DBInstanceNotFoundFault:
                self.made.remove(identifier)
                return seen, time.monotonic() - started
            if status not in seen:
                seen.append(status)
            time.sleep(0.2)

    def plant(self, kind, **options):
        query = "&".join([f"kind={kind}", *(f"{k}={v}" for k, v in options.items())])
        request = urllib.request.Request(f"{self.gateway}/_gateway/plant?{query}", method="POST")
        urllib.request.urlopen(request, timeout=10).read()

    def beat(self):
        """Writes heartbeats each second; gives (instant, sequence) of each."""
        endpoint = self.describe(self.source)["Endpoint"]
        self.psql(endpoint, SCHEMA)
        beats = []
        for sequence in range(1, HEARTBEATS + 1):
            at = self.psql(endpoint, (
                "INSERT INTO drctl.heartbeat SELECT "
                f"'{WRITER}', '{self.source}', {sequence}, t, (extract(epoch FROM t) * 1000)::bigint "
                "FROM clock_timestamp() AS t ON CONFLICT (writer) DO UPDATE SET "
                "sequence = EXCLUDED.sequence, at = EXCLUDED.at, at_ms = EXCLUDED.at_ms "
                "RETURNING at_ms"))
            beats.append((int(at) / 1000, sequence))
            time.sleep(1)
        return beats

    def newest(self, endpoint):
        answer = self.psql(endpoint, f"SELECT at_ms, sequence FROM drctl.heartbeat "
                                     f"WHERE writer = '{WRITER}'")
        at, sequence = answer.split("|")
        return int(at) / 1000, int(sequence)

    # --- the checks

    def right_restore(self, beats):
        """The restored heartbeat is the newest one at the requested time."""
        middle = beats[len(beats) // 2][0] + 0.5
        instant = datetime.datetime.fromtimestamp(middle, UTC)
        found, seen, took = self.restore("selftest-right", instant)
        at, sequence = self.newest(found["Endpoint"])
        expected = max(beat for beat in beats if beat[0] <= middle)
        assert (at, sequence) == expected, f"restored {at, sequence}, expected {expected}"
        assert 0 <= middle - at <= 2, middle - at
        assert seen[0] == "creating" and seen[-1] == "available", seen
        for field, expected in (("MultiAZ", False), ("DeletionProtection", False),
                                ("PubliclyAccessible", False), ("StorageEncrypted", True)):
            assert found[field] == expected, (field, found[field])
        assert "ReadReplicaSourceDBInstanceIdentifier" not in found
        assert not found.get("ReadReplicaDBInstanceIdentifiers"), found
        print(f"restore: {' > '.join(seen)} in {took:.1f} s; heartbeat {sequence} of {HEARTBEATS}, "
              f"{middle - at:.3f} s before the requested time (the newest there was)")
        rows = self.psql(found["Endpoint"], "SELECT pg_is_in_recovery()")
        assert rows == "f", rows
        source_at, _ = self.newest(self.describe(self.source)["Endpoint"])
        assert source_at > at, "the source was rolled back as well"
        return found

    def refusals(self, window):
        """What AWS refuses and moto accepts."""
        call = self.rds.restore_db_instance_to_point_in_time
        base = {"SourceDBInstanceIdentifier": self.source,
                "TargetDBInstanceIdentifier": "selftest-refused"}
        hour = datetime.timedelta(hours=1)
        self.refused("InvalidParameterValue", call, **base, RestoreTime=window[0] - hour)
        self.refused("InvalidParameterValue", call, **base, RestoreTime=window[1] + hour)
        self.refused("InvalidParameterCombination", call, **base)
        self.refused("InvalidParameterCombination", call, **base, RestoreTime=window[0],
                     UseLatestRestorableTime=True)
        self.refused("DBInstanceAlreadyExists", call, **{**base, "RestoreTime": window[1],
                     "TargetDBInstanceIdentifier": "selftest-right"})
        self.refused("InvalidParameterCombination", self.rds.delete_db_instance,
                     DBInstanceIdentifier=self.source, SkipFinalSnapshot=True)
        print("refused as on AWS: too early, too late, no time, two times, name taken, protected")

    def window(self):
        """The restorable window, which must move and be told the same way twice."""
        first = self.describe(self.source)["LatestRestorableTime"]
        time.sleep(2.5)
        second = self.describe(self.source)["LatestRestorableTime"]
        assert second > first, "LatestRestorableTime does not advance"
        lag = (datetime.datetime.now(UTC) - second).total_seconds()
        assert 0 <= lag < 5, lag
        backups = self.rds.describe_db_instance_automated_backups(DBInstanceIdentifier=self.source)
        told = backups["DBInstanceAutomatedBackups"][0]["RestoreWindow"]
        assert told["EarliestTime"] < first and told["LatestTime"] >= second, told
        print(f"window: {told['EarliestTime']:%H:%M:%S} to {told['LatestTime']:%H:%M:%S}, "
              f"{lag:.1f} s behind now")
        return told["EarliestTime"], told["LatestTime"]

    def tls(self, endpoint):
        """A name that the certificate does not carry is refused, and so is no TLS."""
        for changed, mode in (({"Address": "127.0.0.2"}, "verify-full"), ({}, "disable")):
            try:
                self.psql({**endpoint, **changed}, "SELECT 1", mode=mode)
            except RuntimeError:
                continue
            raise AssertionError(f"connected with {changed} and sslmode={mode}")

    def passwords(self):
        """The previous secret is what the database really had before."""
        previous = self.secrets.get_secret_value(SecretId=self.fields["secret"],
                                                 VersionStage="AWSPREVIOUS")
        previous = json.loads(previous["SecretString"])["password"]
        assert previous != self.password
        try:
            self.psql(self.describe(self.source)["Endpoint"], "SELECT 1", password=previous)
        except RuntimeError as error:
            assert "password authentication failed" in str(error), error
        else:
            raise AssertionError("the previous password still works")

    def planted(self, latest, tables):
        """Each planted wrong restore is wrong in its way."""
        instant = self.describe(self.source)["LatestRestorableTime"]
        # To four seconds before the last heartbeat: visibly older than what was asked for.
        seconds = instant.timestamp() - latest + 4
        database = f"SELECT count(*) FROM public.{tables[0]}"
        for kind, options, look in (
            ("stale", {"seconds": f"{seconds:.3f}"}, None),
            ("empty-table", {"table": tables[0]}, database),
            ("missing-schema", {}, database),
            ("wrong-database", {}, database),
            ("failed", {}, None),
        ):
            self.plant(kind, **options)
            identifier = f"selftest-{kind}"
            found, seen, took = self.restore(identifier, instant)
            if kind == "failed":
                assert seen[-1] == "incompatible-restore" and "Endpoint" not in found, found
                shown = seen[-1]
            elif kind == "stale":
                at, _ = self.newest(found["Endpoint"])
                assert latest - at >= 3, f"not stale: {latest - at}"
                shown = f"heartbeat {latest - at:.1f} s older than the newest"
            else:
                try:
                    shown = self.psql(found["Endpoint"], look)
                except RuntimeError as error:
                    shown = str(error).splitlines()[0]
                assert shown == "0" or "does not exist" in shown, shown
            self.delete(identifier)
            print(f"planted {kind}: {shown} (after {took:.1f} s)")

    def run(self, quick):
        self.passwords()
        beats = self.beat()
        window = self.window()
        found = self.right_restore(beats)
        self.refusals(window)
        self.tls(found["Endpoint"])
        seen, took = self.delete("selftest-right")
        assert seen == ["deleting"], seen
        print(f"delete: {' > '.join(seen)} > not found in {took:.1f} s")
        if not quick:
            tables = list((self.fields["dataset"].get("tables") or {}))
            self.planted(beats[-1][0], tables)
        print("selftest passed")


if __name__ == "__main__":
    Check(sys.argv[1], sys.argv[2]).run("--quick" in sys.argv[3:])
