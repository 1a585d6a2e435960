"""Asks the simulator's S3 over TCP what AWS documents, through boto3, in both styles of bodies.

Prints one line a check and exits non-zero at the first that does not hold.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1]
BUCKET = "techcorp-journals"
passed = 0


def client(region="eu-west-1", **more):
    return boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        region_name=region,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="example",
        config=Config(retries={"total_max_attempts": 1, "mode": "standard"}, **more),
    )


def check(what, holds, seen=""):
    global passed
    if not holds:
        sys.exit(f"FAILED: {what}: {seen}")
    passed += 1
    print(f"ok: {what} {seen}")


def refused(what, code, call, status=None):
    try:
        call()
    except ClientError as error:
        found = error.response["Error"]["Code"]
        check(what, found == code, found)
        if status:
            check(f"{what}: status", error.response["ResponseMetadata"]["HTTPStatusCode"] == status, status)
        return error
    sys.exit(f"FAILED: {what}: not refused, expected {code}")


s3 = client()
refused("a missing bucket", "NoSuchBucket", lambda: s3.list_objects_v2(Bucket=BUCKET), 404)
s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
check("its region", s3.head_bucket(Bucket=BUCKET)["BucketRegion"] == "eu-west-1")
check("its location", s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] == "eu-west-1")
check("it is listed", BUCKET in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]])

seen = {}
s3.meta.events.register("before-send.s3", lambda request, **_: seen.update(request.headers))
put = s3.put_object(Bucket=BUCKET, Key="a/b c+ü", Body=b"hello", Metadata={"who": "boto3"})
check("a tag", put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"', put["ETag"])
check("it came with a checksum", any("checksum" in name.lower() for name in seen), sorted(seen))
got = s3.get_object(Bucket=BUCKET, Key="a/b c+ü")
check("the same bytes", got["Body"].read() == b"hello")
check("and metadata", got["Metadata"] == {"who": "boto3"}, got["Metadata"])
head = s3.head_object(Bucket=BUCKET, Key="a/b c+ü")
check("head has the length", head["ContentLength"] == 5 and head["ETag"] == put["ETag"], head["LastModified"])
import io


class Stream(io.RawIOBase):
    """A body of unknown digest, which boto3 sends in chunks with the checksum behind."""

    def __init__(self):
        self.inner = io.BytesIO(b"streamed " * 2000)

    def read(self, size=-1):
        return self.inner.read(size)

    def seek(self, *where):
        return self.inner.seek(*where)

    def tell(self):
        return self.inner.tell()

    def seekable(self):
        return True


for algorithm in ("CRC32", "SHA256", "SHA1"):
    s3.put_object(Bucket=BUCKET, Key="stream", Body=Stream(), ChecksumAlgorithm=algorithm)
    check(f"a stream with {algorithm}", s3.get_object(Bucket=BUCKET, Key="stream")["Body"].read() == b"streamed " * 2000,
          seen.get("Content-Encoding", "plain"))
refused("a wrong checksum", "BadDigest",
        lambda: s3.put_object(Bucket=BUCKET, Key="bad", Body=b"x", ContentMD5="XUFAKrxLKna5cZ2REBfFkg=="), 400)
refused("a missing key", "NoSuchKey", lambda: s3.get_object(Bucket=BUCKET, Key="bad"), 404)
refused("a missing key by head", "404", lambda: s3.head_object(Bucket=BUCKET, Key="bad"), 404)

s3.put_object(Bucket=BUCKET, Key="once", Body=b"1", IfNoneMatch="*")
refused("a second create", "PreconditionFailed",
        lambda: s3.put_object(Bucket=BUCKET, Key="once", Body=b"2", IfNoneMatch="*"), 412)
tag = s3.head_object(Bucket=BUCKET, Key="once")["ETag"]
refused("a wrong tag", "PreconditionFailed", lambda: s3.put_object(Bucket=BUCKET, Key="once", Body=b"2", IfMatch='"00"'), 412)
refused("a tag of nothing", "NoSuchKey", lambda: s3.put_object(Bucket=BUCKET, Key="never", Body=b"2", IfMatch=tag), 404)
s3.put_object(Bucket=BUCKET, Key="once", Body=b"2", IfMatch=tag)
check("the right tag writes", s3.get_object(Bucket=BUCKET, Key="once")["Body"].read() == b"2")
refused("reading by an old tag", "PreconditionFailed", lambda: s3.get_object(Bucket=BUCKET, Key="once", IfMatch=tag), 412)
refused("what is known", "304", lambda: s3.get_object(
    Bucket=BUCKET, Key="once", IfNoneMatch=s3.head_object(Bucket=BUCKET, Key="once")["ETag"]), 304)


def race(number):
    try:
        client().put_object(Bucket=BUCKET, Key="race", Body=str(number).encode(), IfNoneMatch="*")
        return number
    except ClientError as error:
        assert error.response["Error"]["Code"] == "PreconditionFailed", error
        return None


with ThreadPoolExecutor(16) as pool:
    winners = [number for number in pool.map(race, range(32)) if number is not None]
check("of 32 writers one wins", len(winners) == 1, winners)
check("and it is what is there", s3.get_object(Bucket=BUCKET, Key="race")["Body"].read() == str(winners[0]).encode())

for number in range(25):
    s3.put_object(Bucket=BUCKET, Key=f"runs/{number % 5}/{number:03}", Body=b"x")
pages = s3.get_paginator("list_objects_v2")
keys = [item["Key"] for page in pages.paginate(Bucket=BUCKET, Prefix="runs/", PaginationConfig={"PageSize": 7}) for item in page["Contents"]]
check("pages add up, in order", len(keys) == 25 and keys == sorted(keys), len(keys))
found = s3.list_objects_v2(Bucket=BUCKET, Prefix="runs/", Delimiter="/")
check("common prefixes", [p["Prefix"] for p in found["CommonPrefixes"]] == [f"runs/{n}/" for n in range(5)])
later = s3.list_objects_v2(Bucket=BUCKET, Prefix="runs/", StartAfter="runs/3/023")["Contents"]
check("start after", later[0]["Key"] == "runs/4/004", later[0]["Key"])
check("odd keys survive a list", "a/b c+ü" in [k["Key"] for k in s3.list_objects_v2(Bucket=BUCKET)["Contents"]])
gone = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys] + [{"Key": "<&>"}]})
check("several are deleted", len(gone["Deleted"]) == 26, len(gone["Deleted"]))
check("and are gone", s3.list_objects_v2(Bucket=BUCKET, Prefix="runs/")["KeyCount"] == 0)
s3.delete_object(Bucket=BUCKET, Key="never")
refused("a bucket that is not empty", "BucketNotEmpty", lambda: s3.delete_bucket(Bucket=BUCKET), 409)

elsewhere = client("us-east-1")
check("in another region it is told where to go", elsewhere.get_object(Bucket=BUCKET, Key="once")["Body"].read() == b"2")
refused("what is not simulated", "MethodNotAllowed", lambda: s3.get_object_torrent(Bucket=BUCKET, Key="once"), 405)
refused("a name that is none", "InvalidBucketName",
        lambda: elsewhere.create_bucket(Bucket="x.."), 400)
for key in [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]:
    s3.delete_object(Bucket=BUCKET, Key=key)
s3.delete_bucket(Bucket=BUCKET)
refused("gone", "404", lambda: s3.head_bucket(Bucket=BUCKET), 404)
print(f"{passed} checks passed")
