"""Point-in-time restores that really happen: a base backup, archived WAL, a recovery target.

A restore goes through the states that RDS shows: `creating` while PostgreSQL recovers,
`backing-up`, `available`; `deleting` and then nothing; `incompatible-restore` when the recovery
failed. A *plant* makes the next restore wrong on purpose, so that a drill can be seen to fail.
"""

import datetime
import os
import threading
import time

from postgres import Failed, Server, is_free, name
from source import OTHER, now

#: How long a deleted instance is shown as `deleting`, seconds, at least.
DELETING = float(os.environ.get("DRCTL_LOCALSTACK_DELETE_SECONDS", "3"))
#: How long a restored instance is shown as `backing-up`, seconds.
BACKING_UP = float(os.environ.get("DRCTL_LOCALSTACK_BACKUP_SECONDS", "1"))
#: Longest recovery, seconds.
RECOVERY = 600
PLANTS = {
    "stale": "recovers to `seconds` (60) before the requested time, at least to the earliest one",
    "empty-table": "empties `table` (the largest one)",
    "missing-schema": "drops `schema` (public) with everything in it",
    "wrong-database": f"puts the content of database {OTHER} in the place of the right one",
    "failed": "hides the archived WAL, so that the recovery fails",
}


class Restore:
    """One restored instance."""

    def __init__(self, identifier, region, restore_time, server, plant):
        self.identifier = identifier
        self.region = region
        self.restore_time = restore_time
        self.target = restore_time
        self.server = server
        self.plant = plant
        self.status = "creating"
        self.started = now()
        self.ready = None
        self.why = None
        self.last_seen = None  # the instance's XML, shown while it is deleted
        self.cancelled = threading.Event()
        self.thread = None

    def go_on(self):
        """Ends the restore where it is when the instance is being deleted."""
        if self.cancelled.is_set():
            raise Failed("deleted before it was ready")

    def describe(self):
        return {
            "instance": self.identifier,
            "region": self.region,
            "status": self.status,
            "restore_time": self.restore_time.isoformat(),
            "recovery_target": self.target.isoformat(),
            "plant": self.plant,
            "port": self.server.port,
            "data": str(self.server.directory),
            "running": self.server.is_running(),
            "started": self.started.isoformat(),
            "ready": self.ready and self.ready.isoformat(),
            "why": self.why,
        }


class Restores:
    """Every restored instance of this stack."""

    def __init__(self, home, source, ports):
        self.home = home
        self.source = source
        self.ports = ports
        self.all = {}
        self.planted = None
        self.lock = threading.RLock()
        source.busy = lambda: any(r.status == "creating" for r in list(self.all.values()))

    def get(self, region, identifier):
        with self.lock:
            return self.all.get((region, identifier.lower()))

    def plant_next(self, kind, options):
        with self.lock:
            self.planted = {"kind": kind, **options} if kind else None

    def begin(self, region, identifier, restore_time):
        """Starts a restore in the background."""
        with self.lock:
            taken = {restore.server.port for restore in self.all.values()}
            port = next(
                (p for p in self.ports if p not in taken and is_free(self.home.address, p)), None
            )
            if port is None:
                raise Failed("no free port for another restored server; delete one first")
            plant, self.planted = self.planted, None
            directory = self.home.instances / f"{region}.{identifier.lower()}"
            server = Server(self.home, directory, port)
            restore = Restore(identifier, region, restore_time, server, plant)
            self.all[(region, identifier.lower())] = restore
            restore.thread = threading.Thread(target=self.run, args=(restore,), daemon=True)
            restore.thread.start()
        return restore

    def run(self, restore):
        try:
            self.recover(restore)
            if restore.plant:
                self.spoil(restore)
            with self.lock:
                if restore.cancelled.is_set():
                    return
                restore.status = "backing-up"
            restore.cancelled.wait(BACKING_UP)
            with self.lock:
                if not restore.cancelled.is_set():
                    restore.ready = now()
                    restore.status = "available"
        except Exception as error:  # whatever happened, the client must see a terminal state
            with self.lock:
                if restore.cancelled.is_set():
                    return
                restore.status = "incompatible-restore"
            restore.why = f"{error}; {restore.server.last_words()}"
            print(f"restore {restore.identifier}: {restore.why}", flush=True)

    def recover(self, restore):
        """Base backup, WAL up to the target, promotion."""
        plant = restore.plant or {}
        if plant.get("kind") == "stale":
            earliest, _ = self.source.window()
            older = datetime.timedelta(seconds=float(plant.get("seconds", 60)))
            restore.target = max(earliest, restore.restore_time - older)
        base = self.source.base_for(restore.target)
        if base is None:
            raise Failed(f"no base backup before {restore.target.isoformat()}")
        server, archive = restore.server, self.home.archive
        if server.directory.exists():
            server.remove()
        self.home.run("cp", "-a", "--reflink=auto", base.directory, server.directory)
        restore.go_on()
        fetch = f"test -f {archive}/%f.gz && gzip -dc {archive}/%f.gz > %p"
        server.configure([
            "archive_mode = off",
            f"restore_command = '{'false' if plant.get('kind') == 'failed' else fetch}'",
            f"recovery_target_time = '{restore.target.isoformat(sep=' ')}'",
            "recovery_target_action = 'promote'",
        ])
        self.home.run("touch", server.directory / "recovery.signal")
        server.start(wait=RECOVERY)
        deadline = time.monotonic() + RECOVERY
        while server.sql("SELECT pg_is_in_recovery()") != ["f"]:
            if time.monotonic() > deadline:
                raise Failed(f"the recovery took longer than {RECOVERY} s")
            restore.cancelled.wait(0.1)
            restore.go_on()

    def spoil(self, restore):
        """Makes a restored database wrong in the planted way."""
        plant, server, database = restore.plant, restore.server, self.source.database
        kind = plant["kind"]
        if kind == "empty-table":
            table = plant.get("table") or (server.sql(
                "SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public' "
                "ORDER BY pg_relation_size(relid) DESC LIMIT 1", database=database
            ) or [""])[0]
            server.sql(f"TRUNCATE public.{name(table)} CASCADE", database=database)
        elif kind == "missing-schema":
            schema = plant.get("schema", "public")
            server.sql(f"DROP SCHEMA {name(schema)} CASCADE", database=database)
        elif kind == "wrong-database":
            server.sql(
                f"ALTER DATABASE {name(database)} RENAME TO {name(database + '_lost')}",
                f"CREATE DATABASE {name(database)} TEMPLATE {OTHER} OWNER {name(self.source.user)}",
            )

    def delete(self, restore, last_seen):
        """Takes an instance away in the background."""
        with self.lock:
            restore.cancelled.set()
            restore.status = "deleting"
            restore.last_seen = last_seen

        def work():
            started = time.monotonic()
            while restore.thread.is_alive():  # it may be about to start the server
                restore.server.stop()
                restore.thread.join(0.1)
            restore.server.remove()
            restore.server.log.unlink(missing_ok=True)
            time.sleep(max(0.0, DELETING - (time.monotonic() - started)))
            with self.lock:
                self.all.pop((restore.region, restore.identifier.lower()), None)

        threading.Thread(target=work, daemon=True).start()

    def stop_all(self):
        for restore in list(self.all.values()):
            restore.cancelled.set()
        for restore in list(self.all.values()):
            restore.thread.join(5)
            restore.server.remove()
