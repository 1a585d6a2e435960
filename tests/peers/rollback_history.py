"""A random history of a bucket, written and recorded through boto3, and the check of a roll-back against it.

    rollback_history.py make ENDPOINT FILE STEPS     writes the history, stores what was seen at four instants
    rollback_history.py check ENDPOINT FILE PLACE    compares the bucket with what was seen at one of them

The record is made of what was written, never of what a listing says.
"""

import json
import random
import sys
import time
from datetime import datetime, timezone

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = "papers-history"
KEYS = [f"plain/{number}" for number in range(40)] + [
    "a b", "a+b", "a%2Bb", "ä€", "a?b&c=d#e", "quote'<>&", "x" * 1000, "dir/", "new\nline",
]


def client(endpoint):
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id="test", aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 4, "mode": "standard"}, s3={"addressing_style": "path"}),
    )


def versions(s3):
    found = {}
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET):
        for kind in ("Versions", "DeleteMarkers"):
            for entry in page.get(kind, []):
                found.setdefault(entry["Key"], []).append(entry["VersionId"])
    return found


def make(endpoint, file, steps):
    s3, draw = client(endpoint), random.Random(7)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    keys = usable(s3)
    now, instants, stops = {}, [], sorted(draw.sample(range(steps // 10, steps), 4))
    for step in range(steps):
        key = draw.choice(keys)
        if draw.random() < 0.25:
            s3.delete_object(Bucket=BUCKET, Key=key)
            now.pop(key, None)
        else:
            body = draw.choice("abcde") * draw.randint(1, 3)
            metadata = {f"m{n}": str(draw.randint(0, 9)) for n in range(draw.randint(0, 2))}
            tags = {f"t{n}": str(draw.randint(0, 9)) for n in range(draw.randint(0, 2))}
            kind = draw.choice(["text/plain", "application/json"])
            written = {"Body": body, "Metadata": metadata, "ContentType": kind}
            if tags:
                written["Tagging"] = "&".join(f"{name}={value}" for name, value in tags.items())
            s3.put_object(Bucket=BUCKET, Key=key, **written)
            now[key] = [body, metadata, tags, kind]
        if step in stops:
            # The instant is a second of its own: nothing is written in it.
            time.sleep(1.1)
            at = datetime.now(timezone.utc).replace(microsecond=0)
            instants.append({"at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "objects": dict(now)})
            time.sleep(1.1)
    time.sleep(1.1)
    with open(file, "w") as out:
        json.dump({"keys": keys, "instants": instants, "versions": versions(s3), "end": now}, out)
    print(len(keys), "keys", steps, "steps", sum(map(len, versions(s3).values())), "entries")


def usable(s3):
    """The keys that this server takes at all."""
    keys = []
    for key in KEYS:
        try:
            s3.put_object(Bucket=BUCKET, Key=key, Body="first")
            s3.head_object(Bucket=BUCKET, Key=key)
            s3.delete_object(Bucket=BUCKET, Key=key)
            keys.append(key)
        except ClientError as error:
            print("not taken:", repr(key[:20]), error)
    return keys


def check(endpoint, file, place):
    s3 = client(endpoint)
    with open(file) as text:
        record = json.load(text)
    wanted, wrong = record["instants"][place]["objects"], []
    for key in record["keys"]:
        try:
            found = s3.get_object(Bucket=BUCKET, Key=key)
            tagging = s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
            seen = [found["Body"].read().decode(), found["Metadata"],
                    {tag["Key"]: tag["Value"] for tag in tagging}, found["ContentType"]]
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            seen = None
        if seen != wanted.get(key):
            wrong.append(f"{key!r}: {seen}, and it was {wanted.get(key)}")
    there = versions(s3)
    for key, ids in record["versions"].items():
        lost = set(ids) - set(there.get(key, []))
        if lost:
            wrong.append(f"{key!r}: versions are gone: {lost}")
    print("\n".join(wrong) or f"{len(record['keys'])} keys as they were")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    what, endpoint, file, number = sys.argv[1:]
    (make if what == "make" else check)(endpoint, file, int(number))
