"""Asks the simulated Route 53 over TCP what AWS documents, through boto3, and its name servers over UDP
and TCP with packets put together here.

Prints one line a check and exits non-zero at the first that does not hold.
"""

import socket
import struct
import sys

from botocore.exceptions import ClientError

from boto3_checks import check, client, done, refused

DNS = ("127.0.0.1", int(sys.argv[2]))
ZONE = "Z0SHOP1"


def record(name, kind="A", value="192.0.2.9", ttl=60, **more):
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value}], **more}


def change(*changes):
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": what} for action, what in changes]}
    return r53.change_resource_record_sets(HostedZoneId=ZONE, ChangeBatch=batch)["ChangeInfo"]


def ask(name, kind=1, tcp=False):
    """Code and the raw data of the answers."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    packet = struct.pack(">HHHHHH", 77, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)
    if tcp:
        with socket.create_connection(DNS, 5) as stream:
            stream.sendall(struct.pack(">H", len(packet)) + packet)
            size = struct.unpack(">H", stream.recv(2, socket.MSG_WAITALL))[0]
            answer = stream.recv(size, socket.MSG_WAITALL)
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            sock.sendto(packet, DNS)
            answer = sock.recv(4096)
    flags, _, count = struct.unpack(">HHH", answer[2:8])
    at = 12 + len(labels) + 5
    found = []
    for _ in range(count):
        while answer[at] and answer[at] < 192:
            at += answer[at] + 1
        at += 2 if answer[at] >= 192 else 1
        _, _, ttl, size = struct.unpack(">HHIH", answer[at:at + 10])
        found.append((ttl, answer[at + 10:at + 10 + size]))
        at += 10 + size
    return flags & 15, found


r53 = client("route53", attempts=8)
zones = r53.list_hosted_zones()["HostedZones"]
check("zones have their path", [zone["Id"] for zone in zones] == [f"/hostedzone/{ZONE}"], zones)
by = r53.list_hosted_zones_by_name(DNSName="shop.example")
check("by name", by["HostedZones"][0]["Name"] == "shop.example.")
one = r53.get_hosted_zone(Id=ZONE)
check("a public zone has name servers", len(one["DelegationSet"]["NameServers"]) == 3)
refused("no such zone", "NoSuchHostedZone", lambda: r53.get_hosted_zone(Id="Z9"))

pages = r53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=ZONE, PaginationConfig={"PageSize": 2})
names = [(found["Name"], found["Type"], found.get("SetIdentifier")) for page in pages for found in page["ResourceRecordSets"]]
check("pages give every set once, in order", names == [
    ("shop.example.", "NS", None), ("shop.example.", "SOA", None), ("\\052.shop.example.", "TXT", None),
    ("api.shop.example.", "A", "east"), ("api.shop.example.", "A", "west"), ("www.shop.example.", "A", None),
], names)

check("a name server answers over UDP", ask("api.shop.example") == (0, [(60, bytes([192, 0, 2, 1]))]))
check("and over TCP", ask("api.shop.example", tcp=True) == (0, [(60, bytes([192, 0, 2, 1]))]))
check("an alias is answered with its target", ask("www.shop.example")[1][0][1] == bytes([192, 0, 2, 1]))
check("a wildcard", ask("what.ever.shop.example", 16)[1][0][1] == b"\x0bv=spf1 -all")
check("no such record", ask("api.shop.example", 28) == (0, []))
check("not ours is refused", ask("shop.other")[0] == 5)

sent = change(("CREATE", record("new.shop.example")))
check("a change is pending", sent["Status"] == "PENDING" and sent["Id"].startswith("/change/C"), sent)
check("the API shows it at once", r53.list_resource_record_sets(
    HostedZoneId=ZONE, StartRecordName="new.shop.example", StartRecordType="A", MaxItems="1",
)["ResourceRecordSets"][0]["ResourceRecords"] == [{"Value": "192.0.2.9"}])
check("name servers do not", ask("new.shop.example")[1] != [(60, bytes([192, 0, 2, 9]))])
r53.get_waiter("resource_record_sets_changed").wait(Id=sent["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
check("they do when it is in sync", ask("new.shop.example") == (0, [(60, bytes([192, 0, 2, 9]))]))
refused("twice", "InvalidChangeBatch", lambda: change(("CREATE", record("new.shop.example"))), "but it already exists")
refused("other values", "InvalidChangeBatch", lambda: change(("DELETE", record("new.shop.example", ttl=61))),
        "values provided do not match the current values")
refused("all or nothing", "InvalidChangeBatch", lambda: change(
    ("DELETE", record("new.shop.example")), ("CREATE", record("api.shop.example"))), "weighted")
change(("DELETE", record("new.shop.example")), ("CREATE", record("new.shop.example", value="192.0.2.10")))
refused("no such change", "NoSuchChange", lambda: r53.get_change(Id="C0NOSUCH"))

told = r53.test_dns_answer(HostedZoneId=ZONE, RecordName="api.shop.example", RecordType="A")
check("TestDNSAnswer", (told["RecordData"], told["ResponseCode"]) == (["192.0.2.1"], "NOERROR"), told)

checks = r53.list_health_checks()["HealthChecks"]
check("a health check has its version", checks[0]["HealthCheckVersion"] == 1, checks)
east = checks[0]["Id"]
status = r53.get_health_check_status(HealthCheckId=east)["HealthCheckObservations"]
check("checkers say what they saw", status[0]["StatusReport"]["Status"].startswith("Success"), status[0])
r53.update_health_check(HealthCheckId=east, HealthCheckVersion=1, Inverted=True)
refused("an old version", "HealthCheckVersionMismatch",
        lambda: r53.update_health_check(HealthCheckId=east, HealthCheckVersion=1, Inverted=False))
check("inverted", r53.get_health_check(HealthCheckId=east)["HealthCheck"]["HealthCheckConfig"]["Inverted"])
check("traffic moves to weight 0", ask("api.shop.example")[1][0][1] == bytes([192, 0, 2, 2]))
made = r53.create_health_check(CallerReference="r-1", HealthCheckConfig={
    "Type": "HTTPS", "FullyQualifiedDomainName": "a.example", "Port": 443, "ResourcePath": "/"})
check("a health check is made", made["ResponseMetadata"]["HTTPStatusCode"] == 201)
r53.delete_health_check(HealthCheckId=made["HealthCheck"]["Id"])
refused("and removed", "NoSuchHealthCheck", lambda: r53.get_health_check(HealthCheckId=made["HealthCheck"]["Id"]))

plain = client("route53")
codes = []
for _ in range(200):
    try:
        plain.get_hosted_zone(Id=ZONE)
    except ClientError as error:
        codes.append(error.response["Error"]["Code"])
check("an account has five calls a second", set(codes) == {"Throttling"}, f"{len(codes)} of 200 throttled")

done()
