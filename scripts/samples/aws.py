"""``cloudtrail.json``: a week of a made AWS account, in the layout of CloudTrail's files in S3.

People come by single sign-on, a pipeline and instances by roles, services call each other. The
thief of Ana's session looks around, makes an access key, opens a security group, reads a secret and
the customers' bucket, and tries to stop the trail.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from samples.cloud import ANA, BROWSER, THIEF, THIEF_AGENT, Person, Records, guid, stamp
from samples.log import Sample, dice, moments

_ACCOUNT = "111122223333"
_REGION = "eu-central-1"
_INSTANCE = "i-0a1b2c3d4e5f60001"
_WHY = "someone with a stolen session looks around, makes a key and takes data"
_CALLS: dict[str, tuple[tuple[str, str, dict[str, Any] | None], ...]] = {
    "platform": (
        ("ec2", "DescribeInstances", {"instancesSet": {}, "filterSet": {}}),
        ("ec2", "StopInstances", {"instancesSet": {"items": [{"instanceId": _INSTANCE}]}}),
        ("iam", "ListRoles", None),
        ("cloudformation", "DescribeStacks", {"stackName": "shop"}),
        ("eks", "DescribeCluster", {"name": "shop"}),
    ),
    "shop": (
        ("lambda", "UpdateFunctionCode20150331v2", {"functionName": "shop-cart"}),
        ("logs", "FilterLogEvents", {"logGroupName": "/aws/lambda/shop-cart"}),
        ("dynamodb", "DescribeTable", {"tableName": "orders"}),
    ),
    "data": (
        ("athena", "StartQueryExecution", {"workGroup": "primary"}),
        ("s3", "GetObject", {"bucketName": "corp-reports", "key": "2026/03/daily.parquet"}),
        ("s3", "ListObjects", {"bucketName": "corp-reports", "prefix": "2026/"}),
    ),
    "security": (
        ("guardduty", "ListFindings", {"detectorId": "12ab"}),
        ("cloudtrail", "LookupEvents", {"maxResults": 50}),
    ),
    "it": (
        ("iam", "GetUser", {"userName": "svc-backup"}),
        ("iam", "AttachUserPolicy",
         {"userName": "svc-backup", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
    ),
}  # fmt: skip


def make() -> Sample:
    """Returns ``cloudtrail.json``."""
    records = Records("cloudtrail.json")

    def work(time: datetime, person: Person) -> None:
        service, name, request = records.rng.choice(_CALLS[person.team])
        event = _event(records, person, service, name, request) | {"eventTime": _time(time)}
        if records.rng.randrange(20) == 0:
            event |= {
                "errorCode": "AccessDenied",
                "errorMessage": f"User: {event['userIdentity']['arn']} is not authorized to "
                f"perform: {service}:{name}",
            }
        records.add(time, event)

    records.days(work, 3)
    for day in range(5):
        _machines(records, day)
    records.intrusion(_theft(records), _WHY)
    return records.sample('{"Records":[', ",\n", "]}\n")


def _time(time: datetime) -> str:
    return stamp(time, "seconds")


def _session(person: Person) -> dict[str, Any]:
    role = f"AWSReservedSSO_{person.team.title()}_0f1e2d3c4b5a6978"
    number = sum(map(ord, person.name))
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE{number:05}:{person.mail}",
        "arn": f"arn:aws:sts::{_ACCOUNT}:assumed-role/{role}/{person.mail}",
        "accountId": _ACCOUNT,
        "accessKeyId": f"ASIAEXAMPLE{number:09}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": f"AROAEXAMPLE{number:05}",
                "arn": f"arn:aws:iam::{_ACCOUNT}:role/aws-reserved/sso.amazonaws.com/{role}",
                "accountId": _ACCOUNT,
                "userName": role,
            },
            "attributes": {"creationDate": "2026-03-02T06:58:12Z", "mfaAuthenticated": "false"},
        },
    }


def _event(
    records: Records, person: Person, service: str, name: str, request: dict[str, Any] | None
) -> dict[str, Any]:
    reads = name.startswith(("Describe", "List", "Get", "Lookup", "Filter"))
    return {
        "eventVersion": "1.11",
        "userIdentity": _session(person),
        "eventTime": "",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1" if service == "iam" else _REGION,
        "sourceIPAddress": person.ip,
        "userAgent": BROWSER if reads else "aws-cli/2.24.9 md/awscrt#0.23.8 ua/2.1 os/linux",
        "requestParameters": request,
        "responseElements": None,
        "requestID": guid(records.rng),
        "eventID": guid(records.rng),
        "readOnly": reads,
        "eventType": "AwsApiCall",
        "managementEvent": name != "GetObject",
        "recipientAccountId": _ACCOUNT,
        "eventCategory": "Data" if name == "GetObject" else "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "clientProvidedHostHeader": f"{service}.{_REGION}.amazonaws.com",
        },
    }


def _machines(records: Records, day: int) -> None:
    """A pipeline's role, an instance's, a service's own calls, and the root user on Monday."""
    rng = dice(f"machines {day}")
    for time in moments(rng, day, 0, 24, 4):
        machine = Person(_INSTANCE, "shop", "10.20.3.17")
        event = _event(records, machine, "secretsmanager", "GetSecretValue",
                       {"secretId": "shop/database"})  # fmt: skip
        event["userIdentity"] |= {
            "arn": f"arn:aws:sts::{_ACCOUNT}:assumed-role/ShopInstance/{machine.name}"
        }
        records.add(time, event | {"eventTime": _time(time), "vpcEndpointId": "vpce-0123456789"})
    for time in moments(rng, day, 0, 24, 3):
        event = _event(records, ANA, "sts", "AssumeRole",
                       {"roleArn": f"arn:aws:iam::{_ACCOUNT}:role/AutoScaling",
                        "roleSessionName": "AutoScaling"})  # fmt: skip
        service = "autoscaling.amazonaws.com"
        event |= {
            "userIdentity": {"type": "AWSService", "invokedBy": service},
            "sourceIPAddress": service,
            "userAgent": service,
            "resources": [{"accountId": _ACCOUNT, "type": "AWS::IAM::Role",
                           "ARN": f"arn:aws:iam::{_ACCOUNT}:role/AutoScaling"}],
        }  # fmt: skip
        records.add(time, event | {"eventTime": _time(time)})
    if day == 0:
        time = moments(rng, day, 8, 9, 1)[0]
        event = _event(records, ANA, "signin", "ConsoleLogin", None)
        event |= {
            "userIdentity": {"type": "Root", "principalId": _ACCOUNT, "accountId": _ACCOUNT,
                             "arn": f"arn:aws:iam::{_ACCOUNT}:root", "accessKeyId": ""},
            "responseElements": {"ConsoleLogin": "Success"},
            "additionalEventData": {"MFAUsed": "Yes", "MobileVersion": "No"},
            "eventType": "AwsConsoleSignIn",
        }  # fmt: skip
        records.add(time, event | {"eventTime": _time(time)})


def _theft(records: Records) -> list[dict[str, Any]]:
    anyone = {"ipPermissions": {"items": [{"ipProtocol": "-1", "ipRanges": {
        "items": [{"cidrIp": "0.0.0.0/0"}]}}]}, "groupId": "sg-0123456789abcdef0"}  # fmt: skip
    denied = {"errorCode": "AccessDenied", "errorMessage": "not authorized to perform this action"}
    calls: list[tuple[str, str, dict[str, Any] | None, dict[str, Any]]] = [
        ("sts", "GetCallerIdentity", None, {}),
        ("iam", "ListUsers", None, {}),
        ("s3", "ListBuckets", None, {}),
        ("secretsmanager", "ListSecrets", None, {}),
        ("secretsmanager", "GetSecretValue", {"secretId": "shop/database"}, {}),
        ("iam", "CreateAccessKey", {"userName": "svc-backup"}, {}),
        ("ec2", "AuthorizeSecurityGroupIngress", anyone, {}),
        ("s3", "GetObject", {"bucketName": "corp-customers", "key": "export/all.csv"}, {}),
        ("cloudtrail", "StopLogging", {"name": "org-trail"}, denied),
    ]
    return [
        _event(records, ANA, service, name, request)
        | {"eventTime": _time, "sourceIPAddress": THIEF, "userAgent": THIEF_AGENT}
        | more
        for service, name, request, more in calls
    ]
