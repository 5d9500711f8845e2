from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from secad.base.protocols import ParseContext
from secad.collect.formats.cloudtrail import CloudTrail

FORM = CloudTrail()
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
ROLE = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLE:i-0123",
    "arn": "arn:aws:sts::111122223333:assumed-role/Shop/i-0123",
    "accountId": "111122223333",
    "accessKeyId": "ASIAEXAMPLE",
    "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "Shop"}},
}
RECORD: dict[str, Any] = {
    "eventVersion": "1.11",
    "userIdentity": ROLE,
    "eventTime": "2026-03-02T10:00:00Z",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "RunInstances",
    "awsRegion": "eu-central-1",
    "sourceIPAddress": "192.0.2.1",
    "userAgent": "aws-cli/2",
    "requestParameters": {"instancesSet": {"items": [{"imageId": "ami-1", "minCount": 1}]}},
    "responseElements": {"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}},
    "resources": [{"type": "AWS::EC2::Instance", "ARN": "arn:aws:ec2:::instance/i-1"}],
    "recipientAccountId": "111122223333",
}
ENVELOPES = {
    "file in S3": {"Records": [RECORD]},
    "lookup-events": {"Events": [{"EventId": "e", "CloudTrailEvent": json.dumps(RECORD)}]},
    "EventBridge": {
        "version": "0", "id": "1", "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2", "account": "111122223333", "time": "2026-03-02T10:00:00Z",
        "region": "eu-central-1", "resources": [], "detail": RECORD,
    },
    "CloudWatch": {
        "messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g",
        "logEvents": [{"id": "1", "timestamp": 1, "message": json.dumps(RECORD)}],
    },
    "line": RECORD,
    "Splunk": {"preview": False, "result": {"_time": "x", "_raw": json.dumps(RECORD)}},
    "Elasticsearch": {"_index": "trail", "_source": RECORD},
    "Wazuh": {"integration": "aws", "aws": RECORD | {"source": "cloudtrail"}},
}  # fmt: skip


def rows(document: Any, indent: int | None = None) -> list[dict[str, Any]]:
    found = []
    for lines, rejects in FORM.frames(
        io.BytesIO(json.dumps(document, indent=indent).encode()), 999
    ):
        assert rejects.num_rows == 0
        parsed = FORM.parse(lines, CONTEXT)
        assert parsed.rejects.num_rows == 0, parsed.rejects.to_pylist()
        found += parsed.events.to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in found]


def row(**more: Any) -> dict[str, Any]:
    return rows([RECORD | more])[0]


@pytest.mark.parametrize("name", ENVELOPES)
@pytest.mark.parametrize("indent", [None, 2])
def test_every_envelope_holds_the_same_event(name: str, indent: int | None) -> None:
    text = json.dumps(ENVELOPES[name], indent=indent).encode() + b"\n"
    assert FORM.matches(text) == pytest.approx(0.98)
    [found] = rows(ENVELOPES[name], indent)
    assert found["time"] == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert (found["user_name"], found["user_effective_name"]) == ("Shop", "Shop")
    assert found["session_id"] == "ASIAEXAMPLE"
    assert (found["cloud_account_id"], found["cloud_region"]) == ("111122223333", "eu-central-1")
    assert (found["event_action"], found["event_code"]) == ("run-instances", "RunInstances")
    assert found["cloudtrail_image_id"] == "ami-1"
    if name != "EventBridge":  # whose own resources come first, and are empty
        assert found["cloudtrail_resource_arn"] == "arn:aws:ec2:::instance/i-1"
    assert (found["cloudtrail_instance_id"], found["source_ip"]) == ("i-1", "192.0.2.1")


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ({"type": "IAMUser", "userName": "ann", "arn": "arn:aws:iam::1:user/team/ann"}, "ann"),
        ({"type": "Root", "arn": "arn:aws:iam::1:root", "principalId": "1"}, "root"),
        (ROLE | {"arn": "arn:aws:sts::1:assumed-role/Shop/ann@corp.example"}, "ann@corp.example"),
        ({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}, "ec2.amazonaws.com"),
        ({"type": "FederatedUser", "arn": "arn:aws:sts::1:federated-user/bob"}, "bob"),
        ({"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": "2"}, "AIDAEXAMPLE"),
        ({"type": "WebIdentityUser", "userName": "ci", "principalId": "x:y:z"}, "ci"),
    ],
)
def test_whoever_called_has_a_name(identity: dict[str, Any], name: str) -> None:
    assert row(userIdentity=identity)["user_name"] == name


def test_an_address_may_be_a_service() -> None:
    found = row(sourceIPAddress="autoscaling.amazonaws.com")
    assert found["source_domain"] == "autoscaling.amazonaws.com"
    assert "source_ip" not in found


def test_errors_and_refused_logins_are_failures() -> None:
    assert row()["event_outcome"] == "success"
    assert row(errorCode="AccessDenied", errorMessage="no")["event_outcome"] == "failure"
    login = {"eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com"}
    failed = row(**login, responseElements={"ConsoleLogin": "Failure"})
    assert (failed["event_outcome"], failed["event_category"]) == ("failure", "authentication")
    passed = row(**login, responseElements={"ConsoleLogin": "Success"})
    assert passed["event_outcome"] == "success"


@pytest.mark.parametrize(
    ("name", "action"),
    [("GetBucketAcl", "get-bucket-acl"), ("DescribeDBInstances", "describe-db-instances"),
     ("ListFunctions20150331", "list-functions"), ("Encrypt", "encrypt"),
     ("UpdateFunctionCode20150331v2", "update-function-code"), ("PutObject", "put-object")],
)  # fmt: skip
def test_actions_are_the_words_of_names(name: str, action: str) -> None:
    assert row(eventName=name)["event_action"] == action


def test_what_was_asked_for_is_kept() -> None:
    asked = {"bucketName": "b", "key": "a/b.csv", "roleName": "r", "acl": {"x": 1}}
    found = row(requestParameters=asked)
    assert (found["cloudtrail_bucket_name"], found["file_path"]) == ("b", "a/b.csv")
    assert found["cloudtrail_role_name"] == "r"
    assert ("requestParameters.acl.x", "1") in found["labels"]


def test_insights_have_their_names_inside() -> None:
    inner = {"eventSource": "ec2.amazonaws.com", "eventName": "RunInstances", "state": "Start"}
    bare = {key: value for key, value in RECORD.items() if key not in {"eventName", "eventSource"}}
    [found] = rows([bare | {"eventType": "AwsCloudTrailInsight", "insightDetails": inner}])
    assert (found["event_provider"], found["event_code"]) == ("ec2.amazonaws.com", "RunInstances")


def test_others_are_not_ours() -> None:
    assert FORM.matches(b'{"eventName":"x","eventSource":"y"}\n') == 0
    assert FORM.matches(b'{"Records":[{"eventSource":"aws:s3","s3":{}}]}') == 0
    assert FORM.matches(b"eventSource eventName\n") == 0


def test_insights_are_recognised_alone() -> None:
    insight = {
        "eventVersion": "1.07",
        "eventTime": "2026-03-02T10:00:00Z",
        "awsRegion": "us-east-1",
        "insightDetails": {"eventSource": "iam.amazonaws.com", "eventName": "PutUserPolicy"},
    }
    assert FORM.matches(json.dumps(insight).encode() + b"\n") == pytest.approx(0.98)


def test_logstash_moves_the_time() -> None:
    moved = {name: value for name, value in RECORD.items() if name != "eventTime"}
    [found] = rows([moved | {"@timestamp": "2026-03-02T10:00:00.000Z"}])
    assert found["time"] == datetime(2026, 3, 2, 10, tzinfo=UTC)
