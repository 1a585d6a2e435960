"""The estate that the local servers play: read from its file, so that drctl and they agree.

Only what the servers need is read; drctl itself checks the file strictly.
"""

import os
import pathlib

import yaml

HERE = pathlib.Path(__file__).resolve().parent
#: Environment of the estate file that these servers are.
ENVIRONMENT = "localstack"
#: Fields of a database and what they are when the file does not say (as drctl's own defaults).
DEFAULTS = {
    "engine": "postgres",
    "engine_version": "15.4",
    "class": "db.t3.medium",
    "storage_gib": 20,
    "storage_type": "gp3",
    "multi_az": False,
    "kms_key": None,
    "backup_retention_days": 7,
    "backup_window": "03:00-03:30",
    "deletion_protection": False,
    "subnet_group": "default",
    "security_groups": [],
    "parameter_group": "default.postgres15",
    "log_exports": [],
    "port": 5432,
    "database": "postgres",
    "user": "postgres",
    "secret": None,
    "replica_of": None,
    "tags": {},
    "dataset": {},
}
UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 0.001}


def seconds(text):
    """`1m30s` as seconds."""
    total, digits, letters = 0.0, "", ""
    for character in str(text) + "0":
        if character.isdigit():
            if letters:
                total += int(digits) * UNITS[letters]
                digits, letters = "", ""
            digits += character
        else:
            letters += character
    return total


class Estate:
    """Databases of one estate as they are in environment `localstack`."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        data = yaml.safe_load(self.path.read_text())
        environment = data.get("environments", {}).get(ENVIRONMENT) or {}
        self.name = data["name"]
        self.account = str(environment.get("account", "123456789012"))
        self.region = environment.get("region", "us-east-1")
        changes = environment.get("databases") or {}
        self.databases = {
            key: {**DEFAULTS, **database, **(changes.get(key) or {})}
            for key, database in data["databases"].items()
        }

    def region_of(self, database):
        return database.get("region") or self.region

    def backed(self):
        """Key and fields of the database that a real PostgreSQL stands behind."""
        wanted = os.environ.get("DRCTL_LOCALSTACK_DATABASE")
        if wanted:
            return wanted, self.databases[wanted]
        for key, database in self.databases.items():
            if database["engine"] == "postgres" and not database["replica_of"]:
                return key, database
        raise SystemExit(f"{self.path}: no PostgreSQL database to put a real server behind")


def load():
    """The estate named by DRCTL_LOCALSTACK_ESTATE (a name or a file); default `techcorp`."""
    name = os.environ.get("DRCTL_LOCALSTACK_ESTATE", "techcorp")
    path = pathlib.Path(name) if "/" in name else HERE / "estates" / f"{name}.yaml"
    if not path.exists():
        raise SystemExit(f"{path}: no such estate; set DRCTL_LOCALSTACK_ESTATE to a name or a file")
    return Estate(path)
