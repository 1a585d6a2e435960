"""Creates the estate through the AWS API of the gateway, as an operator would.

usage: seed.py GATEWAY STATE_DIRECTORY [--rotate]

Passwords are made here and kept in STATE_DIRECTORY/secrets (0700). The password is rotated once, so
that the secret has a previous version which really was the database's password: a restore to before
the rotation needs it, as on AWS.
"""

import json
import os
import pathlib
import secrets
import sys
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

import estate as estates
from postgres import Server, Home, literal, name


def exists(call, *codes, **arguments):
    """Whether a describing call finds something."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in codes:
            return False
        raise
    return True


def ensure(call, code, **arguments):
    """Creates what may be there already."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in (code, f"{code}Fault"):
            raise


class Seeder:
    def __init__(self, gateway, state):
        self.gateway = gateway
        self.state = pathlib.Path(state)
        self.estate = estates.load()
        self.backed, _ = self.estate.backed()
        with urllib.request.urlopen(f"{gateway}/_gateway/status", timeout=10) as answer:
            self.status = json.load(answer)

    def client(self, service, region):
        return boto3.client(
            service, endpoint_url=self.gateway, region_name=region,
            aws_access_key_id="localstack", aws_secret_access_key="localstack",
            config=botocore.config.Config(retries={"total_max_attempts": 2}),
        )

    def run(self, rotate):
        account = self.client("sts", self.estate.region).get_caller_identity()["Account"]
        if account != self.estate.account:
            raise SystemExit(f"the server plays account {account}, the estate is in "
                             f"{self.estate.account}: nothing was created")
        replicas_last = sorted(self.estate.databases.items(), key=lambda i: bool(i[1]["replica_of"]))
        for key, database in replicas_last:
            self.database(key, database)
            if database["secret"]:
                self.secret(key, database, rotate)

    # --- instances

    def database(self, key, database):
        region = self.estate.region_of(database)
        rds = self.client("rds", region)
        if exists(rds.describe_db_instances, "DBInstanceNotFound", "DBInstanceNotFoundFault",
                  DBInstanceIdentifier=database["instance"]):
            print(f"  instance {database['instance']} is there ({region})")
            return
        self.groups(rds, region, database)
        tags = [{"Key": k, "Value": str(v)} for k, v in (database["tags"] or {}).items()]
        if database["replica_of"]:
            key = database["kms_key"] and {"KmsKeyId": self.key(region, database["kms_key"])}
            rds.create_db_instance_read_replica(
                DBInstanceIdentifier=database["instance"],
                SourceDBInstanceIdentifier=self.replica_source(region, database),
                DBInstanceClass=database["class"], PubliclyAccessible=False, Tags=tags,
                DBSubnetGroupName=database["subnet_group"],
                # moto copies the source's group, which another region does not have.
                DBParameterGroupName=database["parameter_group"], **(key or {}),
            )
            # ... and the source's settings, with which the instance answers until it is told.
            rds.modify_db_instance(
                DBInstanceIdentifier=database["instance"], ApplyImmediately=True,
                MultiAZ=database["multi_az"],
                BackupRetentionPeriod=database["backup_retention_days"],
                DeletionProtection=database["deletion_protection"],
                VpcSecurityGroupIds=list(database["security_groups"]),
            )
        else:
            rds.create_db_instance(**self.settings(region, database), Tags=tags)
        print(f"  instance {database['instance']} created ({region})")

    def replica_source(self, region, database):
        """The source by name, or by ARN when it is in another region."""
        wanted = database["replica_of"]
        for key, source in self.estate.databases.items():
            if wanted in (key, source["instance"]):
                home = self.estate.region_of(source)
                if home == region:
                    return source["instance"]
                return f"arn:aws:rds:{home}:{self.estate.account}:db:{source['instance']}"
        raise SystemExit(f"{database['instance']} replicates `{wanted}`, which the estate has not")

    def settings(self, region, database):
        settings = {
            "DBInstanceIdentifier": database["instance"],
            "DBInstanceClass": database["class"],
            "Engine": database["engine"],
            "EngineVersion": str(database["engine_version"]),
            "AllocatedStorage": database["storage_gib"],
            "StorageType": database["storage_type"],
            "MultiAZ": database["multi_az"],
            "BackupRetentionPeriod": database["backup_retention_days"],
            "PreferredBackupWindow": database["backup_window"],
            "DeletionProtection": database["deletion_protection"],
            "DBSubnetGroupName": database["subnet_group"],
            "DBParameterGroupName": database["parameter_group"],
            "VpcSecurityGroupIds": list(database["security_groups"]),
            "EnableCloudwatchLogsExports": list(database["log_exports"]),
            "Port": database["port"],
            "DBName": database["database"],
            "MasterUsername": database["user"],
            # moto keeps no database; the one that is real has its password from the secret.
            "MasterUserPassword": secrets.token_hex(16),
            "PubliclyAccessible": False,
        }
        if database["kms_key"]:
            settings.update(StorageEncrypted=True, KmsKeyId=self.key(region, database["kms_key"]))
        return settings

    def key(self, region, wanted):
        """The key as RDS shows it: always an ARN. An alias gets a key of its own."""
        if not wanted.startswith("alias/"):
            return wanted
        kms = self.client("kms", region)
        for alias in kms.list_aliases()["Aliases"]:
            if alias["AliasName"] == wanted and "TargetKeyId" in alias:
                return kms.describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]["Arn"]
        made = kms.create_key(Description=wanted)["KeyMetadata"]
        kms.create_alias(AliasName=wanted, TargetKeyId=made["KeyId"])
        return made["Arn"]

    def groups(self, rds, region, database):
        subnets = self.client("ec2", region).describe_subnets()["Subnets"][:3]
        ensure(rds.create_db_subnet_group, "DBSubnetGroupAlreadyExists",
               DBSubnetGroupName=database["subnet_group"],
               DBSubnetGroupDescription=f"{self.estate.name} private",
               SubnetIds=[subnet["SubnetId"] for subnet in subnets])
        family = f"{database['engine']}{str(database['engine_version']).split('.')[0]}"
        # AWS has the default group from the start; moto makes it up, but refuses to be told of it.
        for group in {database["parameter_group"], f"default.{family}"}:
            ensure(rds.create_db_parameter_group, "DBParameterGroupAlreadyExists",
                   DBParameterGroupName=group, DBParameterGroupFamily=family,
                   Description=f"{self.estate.name} parameters")

    # --- passwords

    def secret(self, key, database, rotate):
        client = self.client("secretsmanager", self.estate.region_of(database))
        wanted = database["secret"]
        if not exists(client.describe_secret, "ResourceNotFoundException", SecretId=wanted):
            first = self.password(key, database)
            client.create_secret(Name=wanted, SecretString=first)
            rotate = True
        if rotate:
            client.put_secret_value(SecretId=wanted, SecretString=self.password(key, database))
            print(f"  secret {wanted} rotated: AWSCURRENT and AWSPREVIOUS")
        else:
            print(f"  secret {wanted} is there")

    def password(self, key, database):
        """A new password: set in the real database, written down, as a secret's text."""
        password = secrets.token_urlsafe(24)
        source = self.status["source"]
        place = {"host": database["instance"], "port": database["port"]}
        if key == self.backed:
            place = {"host": source["address"], "port": source["port"]}
            home = Home(pathlib.Path(source["data"]).parent)
            server = Server(home, source["data"], source["port"])
            server.sql(f"ALTER ROLE {name(database['user'])} PASSWORD {literal(password)}")
        directory = self.state / "secrets"
        directory.mkdir(mode=0o700, exist_ok=True)
        file = os.open(directory / f"{key}.password", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "w") as out:
            out.write(password + "\n")
        return json.dumps({"engine": database["engine"], "username": database["user"],
                           "password": password, "dbname": database["database"], **place})


if __name__ == "__main__":
    Seeder(sys.argv[1], sys.argv[2]).run("--rotate" in sys.argv[3:])
