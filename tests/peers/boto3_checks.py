"""What the scripts that ask the simulator through boto3 share: clients, checks, refusals.

A check prints one line, and the first that does not hold ends the script with a failure.
"""

import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1]
passed = 0


def client(service, region="us-east-1", attempts=1, key="AKIDEXAMPLE", config=None, **more):
    """A client of the server under test that sends a call at most `attempts` times."""
    tried = Config(retries={"total_max_attempts": attempts, "mode": "standard"}, **(config or {}))
    return boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key="example",
        config=tried,
        **more,
    )


def check(what, holds, seen=""):
    global passed
    if not holds:
        sys.exit(f"FAILED: {what}: {seen}")
    passed += 1
    print(f"ok: {what} {seen}")


def refused(what, code, call, says=""):
    """The call is refused with `code`, and its message has `says` in it; returns the error."""
    try:
        call()
    except ClientError as error:
        found, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        check(what, found == code and says in message, f"{found} {message}" if says else found)
        return error
    sys.exit(f"FAILED: {what}: not refused, expected {code}")


def done():
    print(f"{passed} checks passed")
