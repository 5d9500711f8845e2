"""Every rule keeps its own promises, and a broken rules file says what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from secad.base.errors import RuleError
from secad.base.protocols import ParseContext, Parsed
from secad.collect.formats.syslog import Syslog
from secad.collect.formats.text import RULE_KEYS as HEADER_KEYS
from secad.collect.formats.text import RULES_FILE as HEADERS
from secad.collect.formats.text import PlainText, compile_headers
from secad.collect.rules import Rule, RuleFile, read_rule_file, read_rules, rules_folder
from secad.collect.syslog.columns import RULES_FOLDER as PHRASES
from secad.collect.syslog.rules import RULE_KEYS as PHRASE_KEYS
from secad.collect.syslog.rules import compile_rules, programs_of

ANCHOR = datetime(2026, 11, 23, tzinfo=UTC)
PHRASE_FILE = read_rules(PHRASES, "phrase", PHRASE_KEYS)
HEADER_FILE = read_rules(HEADERS, "header", HEADER_KEYS)
FRAME = {"time", "line", "byte_offset", "byte_length", "host_name", "process_name", "process_pid"}
MakeLines = Callable[[list[bytes]], pa.RecordBatch]


def filled(parsed: Parsed, row: int, without: set[str]) -> dict[str, Any]:
    event = parsed.events.slice(row, 1).to_pylist()[0]
    labels = {f"labels.{key}": value for key, value in event.pop("labels") or ()}
    return {
        name: value
        for name, value in {**event, **labels}.items()
        if value is not None and name not in without
    }


def syslog_line(message: str, program: str) -> bytes:
    tag = f"{program}: " if program else ""
    if program.startswith("pam_"):
        tag = f"app({program})[1]: "
    if program.startswith("/"):
        tag = f"postfix{program}[1]: "
    if program.isdigit() or (program.isupper() and not program.startswith("CRON")):
        tag = f"%ASA-6-{program}: "
    if " " in program:
        tag = f"{program}[1]: "
    return f"Nov 20 10:00:00 host {tag}{message}".encode()


@pytest.mark.parametrize("rule", PHRASE_FILE.rules, ids=lambda rule: rule.id)
def test_phrase_rule_reads_its_examples(rule: Rule, make_lines: MakeLines) -> None:
    assert rule.tests, "a rule has at least one test"
    default = (*programs_of(rule, PHRASE_FILE), "any")[0]
    lines = [syslog_line(test["message"], test.get("program", default)) for test in rule.tests]
    parsed = Syslog().parse(make_lines(lines), ParseContext(ANCHOR))
    assert parsed.rejects.num_rows == 0
    for row, test in enumerate(rule.tests):
        assert filled(parsed, row, {*FRAME, "message"}) == test["expect"]


@pytest.mark.parametrize("rule", HEADER_FILE.rules, ids=lambda rule: rule.id)
def test_header_rule_reads_its_examples(rule: Rule, make_lines: MakeLines) -> None:
    assert rule.tests, "a rule has at least one test"
    for test in rule.tests:
        line = test["line"].encode()
        parsed = PlainText().parse(make_lines([line]), ParseContext(ANCHOR, head=line))
        assert parsed.rejects.num_rows == 0
        got = filled(parsed, 0, {"line", "byte_offset", "byte_length"})
        assert got.pop("event_provider") == got.pop("event_action") == rule.id
        assert got.pop("time") == datetime.fromisoformat(test["expect"]["time"])
        assert got == {key: value for key, value in test["expect"].items() if key != "time"}


@pytest.mark.parametrize("file", [PHRASE_FILE, HEADER_FILE], ids=lambda file: file.path.name)
def test_rule_names_are_ids(file: RuleFile) -> None:
    for rule in file.rules:
        assert rule.id == rule.id.lower()
        assert set(rule.id) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_rules_lie_beside_the_package() -> None:
    assert (rules_folder() / PHRASES).is_dir()


GOOD = 'id = "a"\nwhy = "w"\nowner = "o"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[phrase]", "not valid TOML"),
        ('[[phrase]]\nid = "a"', "rule 'a': key 'why' is missing"),
        ("[[phrase]]\nwhy = 'w'", "rule 'number 1': key 'id' is missing"),
        (
            f"[[phrase]]\n{GOOD}color = 1",
            "'color' is not known, allowed are cases, id, owner, pairs",
        ),
        (f"[[phrase]]\n{GOOD}phrases = 'x'", "'phrases' is 'x', it must be a list"),
        (f"[[phrase]]\n{GOOD}[[phrase]]\n{GOOD}", "the id is taken by another rule"),
        ("[[phrases]]", "table 'phrases' is not known, allowed are 'phrase'"),
        ("[programs]\nsshd = 'x'", "programs 'sshd' is 'x', it must be a list"),
    ],
)
def test_broken_file_says_what_is_wrong_and_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(RuleError) as caught:
        read_rule_file(path, "phrase", dict(PHRASE_KEYS))
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_error_names_the_line_of_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(f"[[phrase]]\n{GOOD}\n[[phrase]]\n{GOOD.replace('a', 'b', 1)}colour = 1")
    with pytest.raises(RuleError, match=r"rules\.toml:7"):
        read_rule_file(path, "phrase", dict(PHRASE_KEYS))


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="cannot read the rules"):
        read_rule_file(tmp_path / "none.toml", "phrase", {})


def made(tmp_path: Path, table: str, body: str, keys: tuple[tuple[str, type], ...]) -> RuleFile:
    path = tmp_path / "rules.toml"
    path.write_text(f"[[{table}]]\n{GOOD}{body}")
    return read_rule_file(path, table, dict(keys))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "phrases = ['{colour}']",
            "'colour' is no column of syslog, allowed are destination_domain",
        ),
        ("phrases = ['x']\nsets = {colour = 'red'}", "'colour' is no column of syslog"),
        ("phrases = ['{user_name}{user_id}']", "two slots with nothing between them"),
        ("phrases = []", "it must be a list of one or more texts"),
    ],
)
def test_phrase_rule_is_checked(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        compile_rules(made(tmp_path, "phrase", body, PHRASE_KEYS))
    assert said in str(caught.value)
    assert "rule 'a'" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("patterns = ['{time:iso} {colour}']", "'colour' is no column of text, allowed are"),
        ("patterns = ['{message:rest}']", "has no slot {time:FORMAT}"),
        ("patterns = ['{time:%Q} {message:rest}']", "allowed are %H"),
        ("patterns = ['{time:iso} x']\nparts = {_a = ['{b}']}", "'b' is no column of text"),
        ("also = ['{time:iso} x']", "'patterns' is missing"),
    ],
)
def test_header_rule_is_checked(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        compile_headers(made(tmp_path, "header", body, HEADER_KEYS))
    assert said in str(caught.value)
    assert "rule 'a'" in str(caught.value)
