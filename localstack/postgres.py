"""PostgreSQL servers on this machine: made, started, asked, stopped.

A server is a data directory and a port on one address. PostgreSQL refuses to run as root, so for
root everything here happens as user `postgres`. Connections for upkeep go over TCP with TLS and the
password of `rdsadmin`, the role that RDS itself uses for the same purpose.
"""

import os
import pathlib
import shutil
import socket
import subprocess

ADMIN = "rdsadmin"
#: Extra settings of every server. The data can be made again at any time: no fsync.
SETTINGS = """
ssl = on
ssl_cert_file = '{tls}/server.crt'
ssl_key_file = '{tls}/server.key'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
shared_buffers = 32MB
max_connections = 40
fsync = off
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %u@%d '
"""
ACCESS = """# Over TLS only, with a password only, as an RDS instance with rds.force_ssl = 1.
hostssl all all all scram-sha-256
hostssl replication {admin} all scram-sha-256
"""


class Failed(Exception):
    """A command did not do its work; the text is the end of what it printed."""


def binaries():
    """The newest PostgreSQL that Debian's packages installed (or that of the official image)."""
    roots = sorted(
        pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"),
        key=lambda path: float(path.parts[-3]),
    )
    if not roots:
        raise SystemExit("no PostgreSQL in /usr/lib/postgresql: apt-get install postgresql-15")
    return roots[-1].parent


def is_free(address, port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


class Home:
    """Where the servers of this stack live, and how commands run there."""

    def __init__(self, root, address="127.0.0.1"):
        self.root = pathlib.Path(root)
        self.address = address
        self.bin = binaries()
        self.tls = self.root / "tls"
        self.archive = self.root / "archive"
        self.bases = self.root / "bases"
        self.instances = self.root / "instances"
        self.source = self.root / "source"

    @property
    def password(self):
        return (self.root / "rdsadmin.password").read_text().strip()

    def run(self, *command, env=None, check=True, timeout=600):
        """Runs a command as the user that owns the servers; gives its standard output."""
        words = [str(word) for word in command]
        if os.geteuid() == 0:
            words = ["runuser", "-u", "postgres", "--", *words]
        done = subprocess.run(
            words,
            env={**os.environ, **(env or {})},
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=timeout,
        )
        if check and done.returncode != 0:
            raise Failed(f"{words[-1] if len(words) == 1 else command[0]}: {done.stderr[-2000:]}")
        return done.stdout


class Server:
    """One PostgreSQL server."""

    def __init__(self, home, directory, port):
        self.home = home
        self.directory = pathlib.Path(directory)
        self.port = port

    @property
    def log(self):
        return self.directory.with_name(self.directory.name + ".log")

    def configure(self, lines):
        """Appends settings; the last one of a name wins."""
        common = f"listen_addresses = '{self.home.address}'\nport = {self.port}\n"
        with open(self.directory / "postgresql.auto.conf", "a") as file:
            file.write(common + "\n".join(lines) + "\n")

    def make(self, lines):
        """A new, empty cluster."""
        home = self.home
        home.run(
            home.bin / "initdb", "-D", self.directory, "-U", ADMIN, "-A", "scram-sha-256",
            f"--pwfile={home.root / 'rdsadmin.password'}", "-E", "UTF8", "--locale=C.UTF-8",
            # Small segments: the stack switches segments every second to archive what is committed.
            "--wal-segsize=1", "--no-sync",
        )
        with open(self.directory / "postgresql.conf", "a") as file:
            file.write(SETTINGS.format(tls=home.tls))
        (self.directory / "pg_hba.conf").write_text(ACCESS.format(admin=ADMIN))
        self.configure(lines)

    def start(self, wait=60):
        """Starts the server and waits until it takes connections (in recovery: read-only ones)."""
        self.home.run(
            self.home.bin / "pg_ctl", "-D", self.directory, "-l", self.log, "-w", "-t", wait, "start"
        )

    def stop(self):
        """Stops the server at once. Nothing is lost that could not be made again."""
        if self.is_running():
            self.home.run(
                self.home.bin / "pg_ctl", "-D", self.directory, "-m", "immediate", "-w", "stop",
                check=False,
            )

    def is_running(self):
        """Whether the process named in the pid file is a PostgreSQL of this very directory."""
        try:
            pid = (self.directory / "postmaster.pid").read_text().split()[0]
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, IndexError):
            return False
        return str(self.directory).encode() in words

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def last_words(self):
        """The end of the server's log: why it ended."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return "no log"
        fatal = [line for line in lines if "FATAL" in line or "PANIC" in line]
        return (fatal or lines or ["no log"])[-1]

    def sql(self, *statements, database="postgres", timeout=60):
        """Runs each statement in a transaction of its own; gives the unaligned output's lines."""
        words = [self.home.bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1"]
        for statement in statements:
            words += ["-c", statement]
        done = subprocess.run(
            [str(word) for word in words],
            env={
                **os.environ,
                "PGHOST": "127.0.0.1",
                "PGPORT": str(self.port),
                "PGUSER": ADMIN,
                "PGPASSWORD": self.home.password,
                "PGDATABASE": database,
                "PGSSLMODE": "require",
                "PGCONNECT_TIMEOUT": "5",
                "PGAPPNAME": "localstack gateway",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=timeout,
        )
        if done.returncode != 0:
            raise Failed(f"psql: {done.stderr.strip()[-1000:]}")
        return done.stdout.splitlines()


def literal(text):
    """A quoted SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def name(text):
    """A quoted SQL identifier."""
    return '"' + str(text).replace('"', '""') + '"'
