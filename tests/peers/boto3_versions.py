"""Asks the simulator's versions, replication, locks, parts and configuration what AWS documents, through boto3.

Prints one line a check and exits non-zero at the first that does not hold.
"""

import gzip
import io
import json
import time
import urllib.request

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import MissingDependencyException
from boto3_checks import check, client, done, refused

SOURCE, COPY, LARGE = "shop-documents", "shop-documents-west", "shop-large"
s3, west, cloudwatch = client("s3"), client("s3", "us-west-2"), client("cloudwatch")


def until(what, holds):
    for _ in range(300):
        if holds():
            return check(what, True)
        time.sleep(0.1)
    check(what, False, "never")


def code(answer):
    return answer["ResponseMetadata"]["HTTPStatusCode"]


# What the estate says is there.
check("versioning", s3.get_bucket_versioning(Bucket=SOURCE)["Status"] == "Enabled")
rules = s3.get_bucket_replication(Bucket=SOURCE)["ReplicationConfiguration"]["Rules"]
check("replication rules", [rule["ID"] for rule in rules] == ["all"], rules[0]["Destination"]["Bucket"])
check("encryption", s3.get_bucket_encryption(Bucket=SOURCE)["ServerSideEncryptionConfiguration"]["Rules"][0]
      ["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256")
check("public access is blocked", all(s3.get_public_access_block(Bucket=SOURCE)["PublicAccessBlockConfiguration"].values()))
check("ownership", s3.get_bucket_ownership_controls(Bucket=SOURCE)["OwnershipControls"]["Rules"][0]["ObjectOwnership"]
      == "BucketOwnerEnforced")
check("an inventory", [one["Id"] for one in
                       s3.list_bucket_inventory_configurations(Bucket=SOURCE)["InventoryConfigurationList"]] == ["daily"])
for what, wanted, call in [
    ("no lifecycle", "NoSuchLifecycleConfiguration", lambda: s3.get_bucket_lifecycle_configuration(Bucket=SOURCE)),
    ("no lock", "ObjectLockConfigurationNotFoundError", lambda: s3.get_object_lock_configuration(Bucket=SOURCE)),
    ("no policy", "NoSuchBucketPolicy", lambda: s3.get_bucket_policy_status(Bucket=SOURCE)),
    ("no tags", "NoSuchTagSet", lambda: s3.get_bucket_tagging(Bucket=SOURCE)),
    ("no replication", "ReplicationConfigurationNotFoundError", lambda: s3.get_bucket_replication(Bucket=COPY)),
    ("suspending what is replicated", "InvalidBucketState", lambda: s3.put_bucket_versioning(
        Bucket=SOURCE, VersioningConfiguration={"Status": "Suspended"})),
]:
    refused(what, wanted, call)

# Versions and delete markers.
first = s3.put_object(Bucket=SOURCE, Key="k", Body=b"one", Tagging="a=1", Metadata={"by": "ann"})["VersionId"]
second = s3.put_object(Bucket=SOURCE, Key="k", Body=b"two")["VersionId"]
marker = s3.delete_object(Bucket=SOURCE, Key="k")
check("a delete marker", marker["DeleteMarker"] and marker["VersionId"] not in (first, second))
error = refused("a deleted object", "NoSuchKey", lambda: s3.get_object(Bucket=SOURCE, Key="k"))
check("says that it is a marker", error.response["ResponseMetadata"]["HTTPHeaders"].get("x-amz-delete-marker") == "true")
refused("a marker by its id", "MethodNotAllowed",
        lambda: s3.get_object(Bucket=SOURCE, Key="k", VersionId=marker["VersionId"]))
refused("head of a marker", "405", lambda: s3.head_object(Bucket=SOURCE, Key="k", VersionId=marker["VersionId"]))
check("an old version", s3.get_object(Bucket=SOURCE, Key="k", VersionId=first)["Body"].read() == b"one")
pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=SOURCE, Prefix="k", PaginationConfig={"PageSize": 1}))
found = [one["VersionId"] for page in pages for one in page.get("Versions", []) + page.get("DeleteMarkers", [])]
check("versions over pages, newest first", found == [marker["VersionId"], second, first], found)
copied = s3.copy_object(Bucket=SOURCE, Key="k", CopySource={"Bucket": SOURCE, "Key": "k", "VersionId": first}, IfNoneMatch="*")
check("an old version on top", copied["CopySourceVersionId"] == first and copied["VersionId"] != first)
head = s3.head_object(Bucket=SOURCE, Key="k")
check("with metadata and tags", head["Metadata"] == {"by": "ann"} and head["ResponseMetadata"]["HTTPHeaders"]["x-amz-tagging-count"] == "1")
refused("a copy over a newer write", "PreconditionFailed", lambda: s3.copy_object(
    Bucket=SOURCE, Key="k", CopySource={"Bucket": SOURCE, "Key": "k", "VersionId": second}, IfNoneMatch="*"))
refused("a copy of a marker", "InvalidRequest", lambda: s3.copy_object(
    Bucket=SOURCE, Key="k2", CopySource={"Bucket": SOURCE, "Key": "k", "VersionId": marker["VersionId"]}))
s3.delete_object(Bucket=SOURCE, Key="k", VersionId=copied["VersionId"])
gone = s3.delete_objects(Bucket=SOURCE, Delete={"Objects": [{"Key": "k", "VersionId": marker["VersionId"]}, {"Key": "none"}]})
check("several by version", [one.get("DeleteMarkerVersionId") == marker["VersionId"] for one in gone["Deleted"]] == [True, False])
check("is undone by the marker's id", s3.get_object(Bucket=SOURCE, Key="k")["Body"].read() == b"two")

# Replication.
status = lambda key: s3.head_object(Bucket=SOURCE, Key=key).get("ReplicationStatus")
s3.put_object(Bucket=SOURCE, Key="fresh", Body=b"fresh", Metadata={"by": "bob"})
until("it is replicated", lambda: status("fresh") == "COMPLETED")
one, other = s3.head_object(Bucket=SOURCE, Key="fresh"), west.head_object(Bucket=COPY, Key="fresh")
check("under the same id", one["VersionId"] == other["VersionId"] and other["ReplicationStatus"] == "REPLICA")
check("with its metadata", other["Metadata"] == {"by": "bob"} and other["ETag"] == one["ETag"])
s3.delete_object(Bucket=SOURCE, Key="fresh")
until("the delete marker too", lambda: any(
    m["Key"] == "fresh" for m in west.list_object_versions(Bucket=COPY).get("DeleteMarkers", [])))
listed = cloudwatch.list_metrics(Namespace="AWS/S3")["Metrics"]
check("metrics of it", {metric["MetricName"] for metric in listed} == {
    "ReplicationLatency", "BytesPendingReplication", "OperationsPendingReplication", "OperationsFailedReplication"})

# Parts, ranges, checksums.
body = bytes(range(256)) * (48 * 1024)
s3.upload_fileobj(io.BytesIO(body), SOURCE, "parts", Config=TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20))
head = s3.head_object(Bucket=SOURCE, Key="parts")
check("an object of parts", head["ContentLength"] == len(body) and head["ETag"].endswith('-3"'), head["ETag"])
back = io.BytesIO()
s3.download_fileobj(SOURCE, "parts", back, Config=TransferConfig(multipart_threshold=5 << 20))
check("comes back whole", back.getvalue() == body)
check("a range", s3.get_object(Bucket=SOURCE, Key="parts", Range="bytes=250-260")["Body"].read() == body[250:261])
refused("a range beyond the end", "InvalidRange", lambda: s3.get_object(Bucket=SOURCE, Key="parts", Range="bytes=99999999-"))
for algorithm in ("CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"):
    try:
        s3.put_object(Bucket=SOURCE, Key="sum", Body=b"hello", ChecksumAlgorithm=algorithm)
    except MissingDependencyException:  # boto3 has these only with its compiled parts
        continue
    told = s3.get_object_attributes(Bucket=SOURCE, Key="sum", ObjectAttributes=["Checksum", "ObjectSize"])
    check(f"{algorithm} is kept", told["Checksum"].get(f"Checksum{algorithm}") and told["ObjectSize"] == 5)
refused("a wrong SHA-256", "BadDigest", lambda: s3.put_object(
    Bucket=SOURCE, Key="sum", Body=b"x", ChecksumSHA256="LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="))
upload = s3.create_multipart_upload(Bucket=SOURCE, Key="small")["UploadId"]
tags = [{"PartNumber": n, "ETag": s3.upload_part(Bucket=SOURCE, Key="small", UploadId=upload, PartNumber=n, Body=b"x")["ETag"]}
        for n in (1, 2)]
refused("parts too small", "EntityTooSmall", lambda: s3.complete_multipart_upload(
    Bucket=SOURCE, Key="small", UploadId=upload, MultipartUpload={"Parts": tags}))
s3.abort_multipart_upload(Bucket=SOURCE, Key="small", UploadId=upload)
refused("an upload that was given up", "NoSuchUpload", lambda: s3.list_parts(Bucket=SOURCE, Key="small", UploadId=upload))

# Tags, locks, archives.
s3.put_object_tagging(Bucket=SOURCE, Key="k", Tagging={"TagSet": [{"Key": "x", "Value": "ü & <y>"}]})
check("tags", s3.get_object_tagging(Bucket=SOURCE, Key="k")["TagSet"] == [{"Key": "x", "Value": "ü & <y>"}])
kept = s3.put_object(Bucket="shop-vault", Key="k", Body=b"x")["VersionId"]
check("a default retention", s3.get_object_retention(Bucket="shop-vault", Key="k")["Retention"]["Mode"] == "GOVERNANCE")
refused("a kept version", "AccessDenied", lambda: s3.delete_object(Bucket="shop-vault", Key="k", VersionId=kept))
s3.delete_object(Bucket="shop-vault", Key="k", VersionId=kept, BypassGovernanceRetention=True)
s3.put_object(Bucket=SOURCE, Key="cold", Body=b"x", StorageClass="GLACIER")
refused("an archive", "InvalidObjectState", lambda: s3.get_object(Bucket=SOURCE, Key="cold"))
check("is asked for", code(s3.restore_object(Bucket=SOURCE, Key="cold", RestoreRequest={"Days": 1})) == 202)
refused("twice", "RestoreAlreadyInProgress", lambda: s3.restore_object(Bucket=SOURCE, Key="cold", RestoreRequest={"Days": 1}))

# What is put is read back.
west.put_bucket_lifecycle_configuration(Bucket=COPY, LifecycleConfiguration={"Rules": [
    {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "a/"}, "NoncurrentVersionExpiration": {"NoncurrentDays": 3}}]})
check("lifecycle rules", west.get_bucket_lifecycle_configuration(Bucket=COPY)["Rules"][0]["ID"] == "old")
west.put_bucket_tagging(Bucket=COPY, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
check("tags of a bucket", west.get_bucket_tagging(Bucket=COPY)["TagSet"] == [{"Key": "a", "Value": "b"}])
refused("rules that do nothing", "MalformedXML", lambda: west.put_bucket_lifecycle_configuration(
    Bucket=COPY, LifecycleConfiguration={"Rules": [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}}]}))
refused("replication to nowhere", "InvalidRequest", lambda: west.put_bucket_replication(
    Bucket=COPY, ReplicationConfiguration={"Role": "arn:aws:iam::123456789012:role/r", "Rules": [{
        "ID": "a", "Priority": 1, "Status": "Enabled", "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"}, "Destination": {"Bucket": "arn:aws:s3:::nowhere"}}]}))

signer = client("s3", config={"signature_version": "s3v4"})
signed = signer.generate_presigned_url("get_object", Params={"Bucket": SOURCE, "Key": "k", "VersionId": first})
with urllib.request.urlopen(signed) as answer:
    check("an address signed beforehand", answer.read() == b"one")

# Keys that nobody holds.
page = s3.list_objects_v2(Bucket=LARGE, StartAfter="data/04999999", MaxKeys=3)
check("ten million keys", [one["Key"] for one in page["Contents"]] == [f"data/{n:08}" for n in range(5000000, 5000003)])
check("with content", len(s3.get_object(Bucket=LARGE, Key="data/09999999")["Body"].read()) == 16)

# An inventory from the night before the world began.
files = s3.list_objects_v2(Bucket="shop-inventory", Prefix="inv/shop-documents/daily/")["Contents"]
manifest = next(one["Key"] for one in files if one["Key"].endswith("manifest.json"))
manifest = json.loads(s3.get_object(Bucket="shop-inventory", Key=manifest)["Body"].read())
rows = gzip.decompress(s3.get_object(Bucket="shop-inventory", Key=manifest["files"][0]["key"])["Body"].read())
check("an inventory", rows.decode().startswith('"shop-documents","a/1.txt"'), manifest["fileSchema"])
done()
