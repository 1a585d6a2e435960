"""The source database: a real PostgreSQL that archives what is committed, as RDS does.

The *restorable window* told to clients is only what can really be restored: from the end of the
oldest base backup to an instant that is followed by a commit in an archived WAL segment. PostgreSQL
refuses a recovery target after the last commit it finds, so the source commits a tick of its own.
"""

import datetime
import pathlib
import secrets
import shutil
import threading
import time

import estate as estates
from postgres import Failed, Server, literal, name

UTC = datetime.timezone.utc
#: Pause between two ticks, seconds: the resolution of LatestRestorableTime.
TICK = 1.0
#: Pause between two base backups, seconds, and how many are kept: they bound the time of a restore.
BASE_EVERY = 600
BASES_KEPT = 6
#: Database with the ticks; RDS has one of this name for the same purpose.
UPKEEP = "rdsadmin"
#: A second database of the server, whose content a planted wrong restore brings back.
OTHER = "billing"

GRANT_EXTENSIONS = """
DO $$ DECLARE f record; BEGIN
  FOR f IN SELECT objid::regprocedure AS signature FROM pg_depend
           WHERE classid = 'pg_proc'::regclass AND deptype = 'e'
             AND refclassid = 'pg_extension'::regclass LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO {owner}', f.signature);
  END LOOP;
END $$"""


def now():
    return datetime.datetime.now(UTC)


class Base:
    """A base backup and the first instant that can be restored from it."""

    def __init__(self, directory, since):
        self.directory = directory
        self.since = since


class Source:
    """The server behind the instance that the estate protects."""

    def __init__(self, home, port, estate):
        self.home = home
        self.key, self.fields = estate.backed()
        self.instance = self.fields["instance"]
        self.region = estate.region_of(self.fields)
        self.database = self.fields["database"]
        self.user = self.fields["user"]
        self.server = Server(home, home.source, port)
        self.bases = []
        self.latest = None
        self.lock = threading.Lock()
        self.problem = None
        self.busy = lambda: False
        tables = (self.fields["dataset"] or {}).get("tables") or {}
        self.growing = {
            table: [estates.seconds(fields["row_every"]), time.monotonic()]
            for table, fields in tables.items()
            if (fields or {}).get("row_every")
        }

    # --- making it

    def make(self):
        """Makes the server with the estate's data, and the first base backup."""
        archive = self.home.archive
        self.server.make([
            "wal_level = replica",
            "archive_mode = on",
            "archive_timeout = 10",
            f"archive_command = 'gzip -1 < %p > {archive}/%f.tmp && mv {archive}/%f.tmp "
            f"{archive}/%f.gz'",
            "max_wal_senders = 4",
            "min_wal_size = 8MB",
        ])
        self.server.start()
        owner = name(self.user)
        self.server.sql(
            f"CREATE ROLE {owner} LOGIN CREATEDB CREATEROLE PASSWORD {literal(secrets.token_hex(16))}",
            f"GRANT pg_monitor TO {owner}",
            f"CREATE DATABASE {name(self.database)} OWNER {owner}",
            f"CREATE DATABASE {OTHER} OWNER {owner}",
            f"CREATE DATABASE {UPKEEP}",
        )
        self.server.sql("CREATE TABLE tick (one bool PRIMARY KEY DEFAULT true, at timestamptz)",
                        "INSERT INTO tick VALUES (true, now())", database=UPKEEP)
        self.fill(self.database, self.fields["dataset"] or {})
        self.fill(OTHER, {"tables": {"invoices": {"rows": 250}, "payments": {"rows": 90}}})
        self.server.sql(
            "CREATE SCHEMA drctl",
            "CREATE TABLE drctl.heartbeat (writer uuid PRIMARY KEY, source text NOT NULL, "
            "sequence bigint NOT NULL, at timestamptz NOT NULL, at_ms bigint NOT NULL)",
            "INSERT INTO drctl.heartbeat SELECT gen_random_uuid(), 'billing', 1, now(), "
            "(extract(epoch FROM now()) * 1000)::bigint",
            f"ALTER SCHEMA drctl OWNER TO {owner}",
            f"ALTER TABLE drctl.heartbeat OWNER TO {owner}",
            database=OTHER,
        )
        self.back_up()

    def fill(self, database, dataset):
        """Tables and extensions of a dataset, as drctl's simulator models them."""
        for extension in dataset.get("extensions") or []:
            try:
                self.server.sql(f"CREATE EXTENSION IF NOT EXISTS {name(extension)}",
                                database=database)
            except Failed as error:
                print(f"extension {extension} is not installed here: {error}", flush=True)
        # As RDS lets its master user call them; amcheck's functions are closed to everybody.
        self.server.sql(GRANT_EXTENSIONS.format(owner=name(self.user)), database=database)
        for table, fields in (dataset.get("tables") or {}).items():
            rows = int((fields or {}).get("rows", 0))
            every = (fields or {}).get("row_every")
            step = estates.seconds(every) if every else 1
            self.server.sql(
                f"CREATE TABLE public.{name(table)} (id bigint GENERATED BY DEFAULT AS IDENTITY "
                "PRIMARY KEY, created_at timestamptz NOT NULL, created_ms bigint NOT NULL)",
                f"INSERT INTO public.{name(table)} (created_at, created_ms) SELECT at, "
                "(extract(epoch FROM at) * 1000)::bigint FROM generate_series(1, "
                f"{rows}) AS n, LATERAL (SELECT now() - ({rows} - n) * interval '{step} s' AS at) t",
                f"ALTER TABLE public.{name(table)} OWNER TO {name(self.user)}",
                database=database,
            )

    def back_up(self):
        """A base backup; the oldest ones and the WAL before them go."""
        directory = self.home.bases / now().strftime("%Y%m%dT%H%M%S")
        self.home.run(
            self.home.bin / "pg_basebackup", "-h", "127.0.0.1", "-p", self.server.port,
            "-U", "rdsadmin", "-D", directory, "-c", "fast", "-X", "none", "--no-sync",
            "--no-manifest",
            env={"PGPASSWORD": self.home.password, "PGSSLMODE": "require"},
        )
        with self.lock:
            # Clients are told milliseconds: up to the next one, so that what they read is valid.
            since = now() + datetime.timedelta(milliseconds=1)
            since = since.replace(microsecond=since.microsecond // 1000 * 1000)
            self.bases.append(Base(directory, since))
            # A restore that is under way may still read the oldest ones.
            kept = len(self.bases) if self.busy() else BASES_KEPT
            old, self.bases = self.bases[:-kept], self.bases[-kept:]
        for base in old:
            shutil.rmtree(base.directory, ignore_errors=True)
        if old:
            self.prune()

    def prune(self):
        """Removes WAL that no kept base backup needs."""
        label = (self.bases[0].directory / "backup_label").read_text()
        first = label.split("(file ", 1)[1].split(")", 1)[0]
        self.home.run(self.home.bin / "pg_archivecleanup", "-x", ".gz", self.home.archive, first)

    # --- keeping it

    def window(self):
        """Earliest and latest restorable instant; `None` while there is no such window."""
        with self.lock:
            if not self.bases or self.latest is None or self.latest < self.bases[0].since:
                return None
            return self.bases[0].since, self.latest

    def base_for(self, instant):
        """The youngest base backup that ended before an instant."""
        with self.lock:
            usable = [base for base in self.bases if base.since <= instant]
        return usable[-1] if usable else None

    def tick(self):
        """Commits, switches the WAL segment, waits for the archive: then `latest` is true."""
        self.grow()
        at, segment = self.server.sql(
            "UPDATE tick SET at = clock_timestamp() "
            "RETURNING to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')",
            "SELECT pg_walfile_name(pg_switch_wal())",
            database=UPKEEP,
        )
        archived = pathlib.Path(self.home.archive) / f"{segment}.gz"
        deadline = time.monotonic() + 30
        while not archived.exists():
            if time.monotonic() > deadline:
                raise Failed(f"WAL segment {segment} was not archived within 30 s")
            time.sleep(0.02)
        with self.lock:
            self.latest = datetime.datetime.fromisoformat(at).replace(tzinfo=UTC)

    def grow(self):
        """Adds the rows that are due."""
        statements = []
        for table, clock in self.growing.items():
            every, last = clock
            due = int((time.monotonic() - last) / every)
            if due > 0:
                clock[1] += due * every
                statements.append(
                    f"INSERT INTO public.{name(table)} (created_at, created_ms) SELECT now(), "
                    f"(extract(epoch FROM now()) * 1000)::bigint FROM generate_series(1, {due})"
                )
        if statements:
            self.server.sql(*statements, database=self.database)

    def run(self, stopped):
        """Ticks and backs up until `stopped` is set."""
        next_base = time.monotonic() + BASE_EVERY
        while not stopped.is_set():
            started = time.monotonic()
            try:
                self.tick()
                if started >= next_base:
                    next_base = started + BASE_EVERY
                    self.back_up()
                self.problem = None
            except Exception as error:  # the window stops to advance, which is the truth
                if not stopped.is_set() and self.problem is None:
                    print(f"source: {error}", flush=True)
                self.problem = str(error)
            stopped.wait(max(0.0, TICK - (time.monotonic() - started)))
