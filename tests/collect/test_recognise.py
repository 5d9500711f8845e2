"""``--format auto`` on real logs: each is taken for what it is, by its head alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from secad import plugins
from secad.collect.transports.files import Stream, find_streams

EXPECTED = {
    "glad/ait_audit/intranet_server_audit.log": "auditd",
    "glad/bgl/BGL_lines_000001-060000.log.xz": "text",
    "glad/hdfs/HDFS_first20000.log.xz": "text",
    "glad/sotm34/raw/http/access_log.1": "weblog",
    "glad/sotm34/raw/http/error_log.1": "apache_error",
    "glad/sotm34/raw/syslog/maillog.1": "syslog",
    "glad/sotm34/raw/syslog/messages.1": "syslog",
    "glad/sotm34/raw/syslog/secure.1": "syslog",
    "gid/auditbeat_nano_scp/auditbeat.jsonl.xz": "ecs",
    "gid/otrf_sysmon/empire_launcher_vbs.zip": "windows",
    "gid/otrf_sysmon/purplesharp_ad_playbook_I.zip": "windows",
    "ape/lsass_campaigns/campaign_04_host.zip": "windows",
    "parsing/evtx/evtx_attack_samples.tar.xz": "evtx",
    "parsing/fail2ban_logs/apache-badbots": "weblog",
    "parsing/fail2ban_logs/dropbear": "syslog",
    "parsing/fail2ban_logs/nginx-http-auth": "nginx_error",
    "parsing/fail2ban_logs/apache-auth": "apache_error",
    "parsing/fail2ban_logs/haproxy-http-auth": "haproxy",
    "parsing/fail2ban_logs/selinux-ssh": "auditd",
    "parsing/fail2ban_logs/traefik-auth": "weblog",
    "parsing/loghub_2k/Android/Android_2k.log": "text",
    "parsing/loghub_2k/Apache/Apache_2k.log": "apache_error",
    "parsing/loghub_2k/BGL/BGL_2k.log": "text",
    "parsing/loghub_2k/HDFS/HDFS_2k.log": "text",
    "parsing/loghub_2k/HPC/HPC_2k.log": "text",
    "parsing/loghub_2k/Hadoop/Hadoop_2k.log": "text",
    "parsing/loghub_2k/Linux/Linux_2k.log": "syslog",
    "parsing/loghub_2k/OpenSSH/OpenSSH_2k.log": "syslog",
    "parsing/loghub_2k/Spark/Spark_2k.log": "text",
    "parsing/loghub_2k/Windows/Windows_2k.log": "text",
    "parsing/loghub_2k/Zookeeper/Zookeeper_2k.log": "text",
    "car/ait_ads/fox_alerts.csv.xz": "csv",
    "mines/atrdf/README.md": None,
    "mines/atrdf/dataset_1_dev.jsonl.xz": "http_api",
    "mines/csic2010/normalTrafficTest_first30pct.txt.xz": "http_api",
    "mines/trainticket_webnorm/api_records_dev.jsonl.xz": "http_api",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_is_taken_for_what_it_is(name: str, data_file: Callable[[str], Path]) -> None:
    streams = find_streams(str(data_file(name)))
    for stream in streams:
        assert isinstance(stream, Stream), stream
        with stream:
            if "LICENSE" in stream.path:  # of the archive, not a log
                continue
            found = plugins.recognise(stream.head)
            assert (found.format.name if found else None) == EXPECTED[name], stream.path
