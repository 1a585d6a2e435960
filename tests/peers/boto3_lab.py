"""What the checks through boto3 share: clients, one line a check, a count of every operation called."""

import collections
import sys
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

lock = threading.Lock()
passed = 0
calls = collections.Counter()
refusals = collections.defaultdict(collections.Counter)


def client(endpoint, service="rds", region="us-east-1"):
    made = boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="example",
        config=Config(retries={"max_attempts": 4, "mode": "standard"}),
    )

    def count(model, **_):
        with lock:
            calls[model.name] += 1

    made.meta.events.register(f"before-call.{service}", count)
    return made


class Failed(Exception):
    pass


def check(what, holds, seen=""):
    global passed
    if not holds:
        raise Failed(f"{what}: {seen}")
    with lock:
        passed += 1
        print(f"ok: {what} {seen}")


def refused(what, code, call, says=""):
    try:
        call()
    except ClientError as error:
        found, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        with lock:
            refusals[error.operation_name][found] += 1
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        missing = code.endswith("NotFound") or code.endswith("NotFoundFault")
        check(what, found == code and says in message and (status == 404) == missing,
              f"{found} {status} {message}")
        return
    raise Failed(f"{what}: not refused, expected {code}")


def status(rds, name):
    try:
        return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceStatus"]
    except ClientError as error:
        return error.response["Error"]["Code"]


def instance(rds, name):
    return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def course(rds, name, last, calm=0.3, seconds=180):
    """The statuses that an instance goes through until it stays in `last`."""
    seen, since, deadline = [], None, time.time() + seconds
    while time.time() < deadline:
        now = status(rds, name)
        if not seen or seen[-1] != now:
            seen.append(now)
        if now != last:
            since = None
        elif since is None:
            since = time.time()
        elif time.time() - since > calm:
            return seen
        time.sleep(0.005)
    raise Failed(f"{name} never stayed {last}: {seen}")


def went(what, wanted, seen):
    """Every status in `seen` is one of `wanted`, in that order, and the last one is there."""
    rest = iter(wanted)
    check(what, all(any(one == want for want in rest) for one in seen) and seen[-1] == wanted[-1], seen)


def until(what, holds, seconds=120):
    deadline = time.time() + seconds
    while time.time() < deadline:
        if holds():
            check(what, True)
            return
        time.sleep(0.01)
    raise Failed(f"{what}: never")


def tell(stories):
    """Runs the stories beside each other; ends the program when one does not hold."""
    failures = []

    def run(story):
        try:
            story()
        except Exception as error:  # whatever it is, it is a failed check
            failures.append(f"{story.__name__}: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=run, args=(story,)) for story in stories]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit("FAILED: " + "\nFAILED: ".join(failures))


def table(wanted):
    """Prints how often each operation was called and refused; fails when one was not called."""
    for name in sorted(wanted):
        codes = ", ".join(f"{code} {count}" for code, count in sorted(refusals[name].items()))
        print(f"operation: {name}: {calls[name]} calls; refused: {codes or '-'}")
    missing = sorted(set(wanted) - {name for name, count in calls.items() if count})
    if missing:
        sys.exit(f"FAILED: never called: {missing}")
