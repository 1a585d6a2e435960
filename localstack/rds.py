"""The part of the RDS query protocol that the gateway reads and rewrites."""

import datetime
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree

SPACE = "http://rds.amazonaws.com/doc/2014-10-31/"
ElementTree.register_namespace("", SPACE)
#: Booleans that a point-in-time restore sets to `false` unless it is told otherwise. moto copies
#: them from the source, and drops a `false` that the request carries.
RESET = {
    "MultiAZ": "MultiAZ",
    "DeletionProtection": "DeletionProtection",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "PubliclyAccessible": "PubliclyAccessible",
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
}


class Refused(Exception):
    """An error answer in AWS's form."""

    def __init__(self, code, message, status=400):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status

    def body(self, request_id="localstack-gateway"):
        root = ElementTree.Element(tag("ErrorResponse"))
        error = ElementTree.SubElement(root, tag("Error"))
        set_child(error, "Type", "Sender")
        set_child(error, "Code", self.code)
        set_child(error, "Message", self.message)
        set_child(root, "RequestId", request_id)
        return ElementTree.tostring(root, encoding="utf-8")


def tag(name):
    return f"{{{SPACE}}}{name}"


def parameters(headers, body):
    """Region and parameters of an RDS request; `None` for anything else."""
    scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/rds/", headers.get("Authorization", ""))
    if not scope:
        return None
    found = dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return (scope.group(1), found) if "Action" in found else None


def parse_time(text):
    """An ISO 8601 instant of a request."""
    try:
        instant = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Refused("InvalidParameterValue", f"Invalid RestoreTime: {text}") from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=datetime.timezone.utc)
    return instant


def format_time(instant):
    """Milliseconds, cut and never rounded up: a later instant might not be restorable."""
    instant = instant.astimezone(datetime.timezone.utc)
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def parse(body):
    return ElementTree.fromstring(body)


def render(root):
    return ElementTree.tostring(root, encoding="utf-8")


def instances(root):
    """Every DBInstance element."""
    return list(root.iter(tag("DBInstance")))


def child(element, name):
    return element.find(tag(name))


def text(element, name):
    found = child(element, name)
    return found.text if found is not None else None


def set_child(element, name, value):
    found = child(element, name)
    if found is None:
        found = ElementTree.SubElement(element, tag(name))
    found.text = value
    return found


def drop(element, name):
    for found in element.findall(tag(name)):
        element.remove(found)


def set_endpoint(element, address, port):
    endpoint = child(element, "Endpoint")
    if endpoint is None:
        endpoint = ElementTree.SubElement(element, tag("Endpoint"))
    set_child(endpoint, "Address", address)
    set_child(endpoint, "Port", str(port))


def described(region_request_id, elements):
    """A DescribeDBInstances answer with the given instances."""
    root = ElementTree.Element(tag("DescribeDBInstancesResponse"))
    result = ElementTree.SubElement(root, tag("DescribeDBInstancesResult"))
    ElementTree.SubElement(result, tag("DBInstances")).extend(elements)
    meta = ElementTree.SubElement(root, tag("ResponseMetadata"))
    set_child(meta, "RequestId", region_request_id)
    return root


def add_window(element, instance, earliest, latest):
    """Completes a DBInstanceAutomatedBackup, of which moto tells only name and status."""
    for name in ("DBInstanceArn", "DbiResourceId", "Engine", "EngineVersion", "AllocatedStorage",
                 "BackupRetentionPeriod", "KmsKeyId", "MasterUsername", "InstanceCreateTime",
                 "StorageType", "AvailabilityZone", "OptionGroupName"):
        value = text(instance, name)
        if value is not None:
            set_child(element, name, value)
    arn = text(instance, "DBInstanceArn")
    if arn:
        set_child(element, "Region", arn.split(":")[3])
    set_child(element, "Encrypted", text(instance, "StorageEncrypted") or "false")
    window = child(element, "RestoreWindow")
    if window is None:
        window = ElementTree.SubElement(element, tag("RestoreWindow"))
    set_child(window, "EarliestTime", format_time(earliest))
    set_child(window, "LatestTime", format_time(latest))
