"""An HTTP gateway in front of moto that makes point-in-time restores of one database real.

Everything passes through unchanged, except RDS answers about the database behind which a real
PostgreSQL stands, and about what was restored from it. Where moto copies a setting that AWS would
reset, the gateway corrects moto itself, so that every later answer agrees.

usage: gateway.py ROOT (the directory with the servers' data), settings from the environment
"""

import http.client
import http.server
import json
import os
import re
import signal
import sys
import threading
import traceback
import urllib.parse

import estate as estates
import rds
from postgres import Failed, Home
from restore import PLANTS, Restores
from source import Source, now

MOTO_VERSION = os.environ.get("DRCTL_MOTO_VERSION", "")
NAME = f"moto {MOTO_VERSION} behind the localstack gateway"
HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "proxy-connection",
       "content-length", "expect"}


class Stack:
    """moto, the source database and what was restored from it."""

    def __init__(self, root):
        address = os.environ.get("DRCTL_LOCALSTACK_LISTEN", "127.0.0.1")
        low, high = os.environ.get("DRCTL_LOCALSTACK_RESTORE_PORTS", "5640-5659").split("-")
        self.moto = os.environ.get("DRCTL_LOCALSTACK_MOTO", "127.0.0.1:5601")
        self.public = os.environ.get("DRCTL_LOCALSTACK_PUBLIC", "127.0.0.1")
        self.home = Home(root, address)
        port = int(os.environ.get("DRCTL_LOCALSTACK_SOURCE_PORT", "5632"))
        self.source = Source(self.home, port, estates.load())
        self.restores = Restores(self.home, self.source, range(int(low), int(high) + 1))

    # --- talking to moto

    def ask(self, method, path, headers, body):
        """Status, headers and body of moto's answer."""
        connection = http.client.HTTPConnection(self.moto, timeout=60)
        try:
            sent = {k: v for k, v in headers.items() if k.lower() not in HOP}
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def call(self, headers, **fields):
        """Another RDS call with the credentials of a request (moto checks no signatures)."""
        fields = {"Version": "2014-10-31", **fields}
        status, _, body = self.ask("POST", "/", headers, urllib.parse.urlencode(fields).encode())
        try:
            return status, rds.parse(body)
        except rds.ElementTree.ParseError:  # moto's own failures are HTML
            raise rds.Refused("InternalFailure", f"moto answered {status} to {fields}", 500) from None

    def instance(self, headers, identifier):
        """moto's element of one instance."""
        status, root = self.call(headers, Action="DescribeDBInstances",
                                 DBInstanceIdentifier=identifier)
        found = rds.instances(root)
        if status != 200 or not found:
            raise rds.Refused("DBInstanceNotFound", f"DBInstance {identifier} not found.", 404)
        return found[0]

    # --- what AWS would say

    def is_source(self, region, identifier):
        return (region, identifier.lower()) == (self.source.region, self.source.instance.lower())

    def rds(self, headers, body, region, fields, forward):
        """The answer to one RDS request: status, headers, body."""
        action = fields["Action"]
        identifier = fields.get("DBInstanceIdentifier", "")
        restore = self.restores.get(region, identifier)
        if action == "RestoreDBInstanceToPointInTime":
            return self.point_in_time(headers, region, fields, forward)
        if restore and action in ("ModifyDBInstance", "RebootDBInstance", "CreateDBSnapshot"):
            if restore.status != "available":
                raise rds.Refused("InvalidDBInstanceState",
                                  f"Database instance is not in available state: {restore.status}.")
        if restore and action == "DeleteDBInstance":
            return self.delete(region, restore, forward)
        if action == "CreateDBInstance" and restore:
            raise rds.Refused("DBInstanceAlreadyExists", "DB instance already exists")
        status, answered, content = forward()
        if action == "DescribeDBInstances":
            return self.describe(region, fields, status, answered, content)
        if status == 200 and action == "DescribeDBInstanceAutomatedBackups":
            return status, answered, self.backups(headers, region, content)
        if status == 200 and b"<DBInstance>" in content:
            return status, answered, self.rewritten(region, content)
        return status, answered, content

    def point_in_time(self, headers, region, fields, forward):
        identifier = fields.get("SourceDBInstanceIdentifier", "")
        target = fields.get("TargetDBInstanceIdentifier", "")
        if not self.is_source(region, identifier):
            return forward()
        if self.restores.get(region, target):
            raise rds.Refused("DBInstanceAlreadyExists", "DB instance already exists")
        instant = self.restore_time(fields, self.instance(headers, identifier))
        status, answered, content = forward()
        if status != 200:
            return status, answered, content
        self.correct(headers, fields, target)
        try:
            self.restores.begin(region, target, instant)
        except Failed as error:
            self.call(headers, Action="DeleteDBInstance", DBInstanceIdentifier=target,
                      SkipFinalSnapshot="true")
            raise rds.Refused("InsufficientDBInstanceCapacity", str(error)) from None
        root = rds.parse(content)
        for parent in root.iter(rds.tag("RestoreDBInstanceToPointInTimeResult")):
            parent[:] = [self.instance(headers, target)]
        return status, answered, self.rewritten(region, rds.render(root))

    def restore_time(self, fields, source):
        """The instant to restore to, refused as AWS refuses it."""
        asked = fields.get("RestoreTime")
        newest = fields.get("UseLatestRestorableTime", "false").lower() == "true"
        if (rds.text(source, "BackupRetentionPeriod") or "0") == "0":
            raise rds.Refused("PointInTimeRestoreNotEnabled",
                              f"Point in time restore is not enabled for {self.source.instance}")
        if bool(asked) == newest:
            raise rds.Refused("InvalidParameterCombination",
                              "Exactly one of RestoreTime and UseLatestRestorableTime is needed.")
        window = self.source.window()
        if window is None:
            raise rds.Refused("InvalidParameterValue",
                              f"{self.source.instance} has no restorable time yet.")
        earliest, latest = window
        instant = rds.parse_time(asked) if asked else latest
        if not earliest <= instant <= latest:
            raise rds.Refused(
                "InvalidParameterValue",
                f"RestoreTime {rds.format_time(instant)} is outside the restorable window from "
                f"{rds.format_time(earliest)} to {rds.format_time(latest)}.")
        return instant

    def correct(self, headers, fields, target):
        """Gives moto's copy the settings that AWS would give it."""
        wrong = {}
        made = self.instance(headers, target)
        for asked, shown in rds.RESET.items():
            wanted = fields.get(asked, "false").lower()
            if (rds.text(made, shown) or "false") != wanted:
                wrong[asked] = wanted
        if "DBParameterGroupName" not in fields:
            major = self.source.fields["engine_version"].split(".")[0]
            wrong["DBParameterGroupName"] = f"default.{self.source.fields['engine']}{major}"
        if not any(field.startswith("VpcSecurityGroupIds.") for field in fields):
            wrong["VpcSecurityGroupIds.VpcSecurityGroupId.1"] = self.default_group(headers)
        if wrong:
            status, root = self.call(headers, Action="ModifyDBInstance", ApplyImmediately="true",
                                     DBInstanceIdentifier=target, **wrong)
            if status != 200:
                print(f"moto refused {wrong}: {rds.render(root)}", flush=True)

    def default_group(self, headers):
        """The security group that AWS puts a restored instance in when it is told none."""
        scope = headers["Authorization"].replace("/rds/", "/ec2/")
        query = "Action=DescribeSecurityGroups&Version=2016-11-15&GroupName.1=default"
        sent = {"Authorization": scope, "Content-Type": "application/x-www-form-urlencoded"}
        _, _, body = self.ask("POST", "/", sent, query.encode())
        found = re.search(rb"<groupId>([^<]+)</groupId>", body)
        return found.group(1).decode() if found else "sg-default"

    def delete(self, region, restore, forward):
        if restore.status == "deleting":
            raise rds.Refused("InvalidDBInstanceState",
                              f"Instance {restore.identifier} is already being deleted.")
        status, answered, content = forward()
        if status == 200:
            root = rds.parse(content)
            element = rds.instances(root)[0]
            self.restores.delete(restore, element)
            self.rewrite(region, element)
            content = rds.render(root)
        return status, answered, content

    def describe(self, region, fields, status, answered, content):
        identifier = fields.get("DBInstanceIdentifier", "")
        restore = self.restores.get(region, identifier) if identifier else None
        if status != 200 and restore and restore.last_seen is not None:
            self.rewrite(region, restore.last_seen)
            root = rds.described("localstack-gateway", [restore.last_seen])
            return 200, [("Content-Type", "text/xml")], rds.render(root)
        if status != 200:
            return status, answered, content
        root = rds.parse(content)
        if not identifier and not any(field.startswith("Filters.") for field in fields):
            shown = {rds.text(e, "DBInstanceIdentifier") for e in rds.instances(root)}
            for parent in root.iter(rds.tag("DBInstances")):
                parent.extend(r.last_seen for r in list(self.restores.all.values())
                              if r.last_seen is not None and r.region == region
                              and r.identifier not in shown)
        for element in rds.instances(root):
            self.rewrite(region, element)
        return status, answered, rds.render(root)

    def backups(self, headers, region, content):
        root = rds.parse(content)
        for element in root.iter(rds.tag("DBInstanceAutomatedBackup")):
            window = self.source.window()
            if window and self.is_source(region, rds.text(element, "DBInstanceIdentifier") or ""):
                source = self.instance(headers, self.source.instance)
                rds.add_window(element, source, *window)
        return rds.render(root)

    def rewritten(self, region, content):
        root = rds.parse(content)
        for element in rds.instances(root):
            self.rewrite(region, element)
        return rds.render(root)

    def rewrite(self, region, element):
        """Makes moto's description of a backed instance true."""
        identifier = rds.text(element, "DBInstanceIdentifier") or ""
        restore = self.restores.get(region, identifier)
        if self.is_source(region, identifier):
            rds.set_endpoint(element, self.public, self.source.server.port)
            window = self.source.window()
            if window:
                rds.set_child(element, "LatestRestorableTime", rds.format_time(window[1]))
            else:
                rds.drop(element, "LatestRestorableTime")
        elif restore:
            # moto copies the source's replicas, and takes the restored one for another.
            rds.drop(element, "ReadReplicaSourceDBInstanceIdentifier")
            rds.drop(element, "ReadReplicaDBInstanceIdentifiers")
            # Nothing of it is archived: there is no instant that it could be restored to.
            rds.drop(element, "LatestRestorableTime")
            rds.set_child(element, "DBInstanceStatus", restore.status)
            if restore.status in ("creating", "incompatible-restore"):
                rds.drop(element, "Endpoint")
            else:
                rds.set_endpoint(element, self.public, restore.server.port)

    def status(self):
        window = self.source.window()
        return {
            "server": NAME,
            "moto": f"http://{self.moto}",
            "time": now().isoformat(),
            "source": {
                "instance": self.source.instance,
                "region": self.source.region,
                "database": self.source.database,
                "user": self.source.user,
                "address": self.public,
                "port": self.source.server.port,
                "data": str(self.source.server.directory),
                "running": self.source.server.is_running(),
                "problem": self.source.problem,
            },
            "window": window and {"earliest": rds.format_time(window[0]),
                                  "latest": rds.format_time(window[1])},
            "base_backups": [str(base.directory) for base in self.source.bases],
            "restores": [restore.describe() for restore in list(self.restores.all.values())],
            "planted": self.restores.planted,
        }


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    stack = None

    def handle_any(self):
        body = self.body()
        try:
            if self.path.startswith("/_gateway/"):
                self.own()
            else:
                self.proxied(body)
        except rds.Refused as error:
            print(f"refused: {error}", flush=True)
            self.reply(error.status, [("Content-Type", "text/xml")], error.body())
        except (OSError, http.client.HTTPException) as error:
            print(f"moto does not answer: {error}", flush=True)
            self.reply(502, [("Content-Type", "text/plain")], f"moto: {error}\n".encode())
        except Exception:  # a mistake of the gateway must not look like a lost connection
            traceback.print_exc()
            error = rds.Refused("InternalFailure", "the gateway failed; see its log", 500)
            self.reply(error.status, [("Content-Type", "text/xml")], error.body())

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(parts)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = handle_any

    def proxied(self, body):
        stack = self.stack
        request = rds.parameters(self.headers, body)

        def forward():
            return stack.ask(self.command, self.path, self.headers, body)

        if request is None:
            return self.reply(*forward())
        region, fields = request
        answer = stack.rds(self.headers, body, region, fields, forward)
        if not fields["Action"].startswith(("Describe", "List")):
            print(f"{fields['Action']} {region} -> {answer[0]}", flush=True)
        return self.reply(*answer)

    def own(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if (self.command, url.path) == ("GET", "/_gateway/status"):
            return self.json(200, self.stack.status())
        if (self.command, url.path) == ("POST", "/_gateway/plant"):
            kind = query.pop("kind", "")
            if kind not in (*PLANTS, "none"):
                return self.json(400, {"error": f"no plant `{kind}`", "plants": PLANTS})
            if not re.fullmatch(r"\d+(\.\d+)?", query.get("seconds", "60")):
                return self.json(400, {"error": "`seconds` must be a number from 0"})
            self.stack.restores.plant_next(None if kind == "none" else kind, query)
            return self.json(200, {"planted": self.stack.restores.planted})
        return self.json(404, {"error": f"nothing at {self.command} {url.path}"})

    def json(self, status, value):
        body = json.dumps(value, indent=2).encode() + b"\n"
        self.reply(status, [("Content-Type", "application/json")], body)

    def reply(self, status, headers, body):
        self.send_response_only(status)
        for key, value in headers:
            if key.lower() not in HOP:
                self.send_header(key, value)
        self.send_header("x-drctl-server", NAME)
        length = str(len(body))
        if self.command == "HEAD":  # the length of what a GET would bring
            length = next((v for k, v in headers if k.lower() == "content-length"), length)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        """Only what changes something is logged, in `proxied`."""


def main():
    stack = Stack(sys.argv[1])
    stack.source.make()
    stopped = threading.Event()
    ticking = threading.Thread(target=stack.source.run, args=(stopped,), daemon=True)
    ticking.start()
    Handler.stack = stack
    port = int(os.environ.get("DRCTL_LOCALSTACK_PORT", "5600"))
    server = http.server.ThreadingHTTPServer((stack.home.address, port), Handler)
    server.daemon_threads = True

    def stop(*_):
        stopped.set()
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"{NAME} on http://{stack.home.address}:{port}", flush=True)
    server.serve_forever()
    ticking.join(timeout=5)
    stack.restores.stop_all()
    stack.source.server.stop()


if __name__ == "__main__":
    main()
