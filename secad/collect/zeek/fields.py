"""The logs that Zeek is known to write: their fields, and the column that each field has here.

A field without an arrow has an extension column of its own name, ``certificate.serial`` has
``zeek_certificate_serial``. Fields that none of the logs below has become labels.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from secad.base.schemas import ECS

# log, ECS category, protocol or "-": field, field->column, # for whole numbers, ~ for what becomes
# more than one column
_LOGS = """
conn network -: service->network_protocol duration->event_duration orig_bytes->source_bytes
  resp_bytes->destination_bytes conn_state local_orig local_resp missed_bytes# history orig_pkts#
  orig_ip_bytes# resp_pkts# resp_ip_bytes# tunnel_parents orig_l2_addr resp_l2_addr vlan#
  inner_vlan# community_id ip_proto# orig_cc resp_cc
dns network dns: trans_id# rtt query->dns_question_name qclass# qclass_name qtype# qtype_name rcode#
  rcode_name AA TC RD RA Z# answers TTLs rejected opcode# opcode_name auth addl total_answers#
  total_replies# saw_query saw_reply
http web http: trans_depth# method->http_request_method host->url_domain uri->~target
  referrer->http_request_referrer version->http_version origin request_body_len->source_bytes
  response_body_len->http_response_bytes status_code->http_response_status_code status_msg
  info_code# info_msg tags username->user_name password proxied orig_fuids orig_filenames
  orig_mime_types resp_fuids resp_filenames resp_mime_types client_header_names
  server_header_names cookie_vars uri_vars post_body filename
ssl network ssl: version cipher curve server_name->destination_domain resumed last_alert
  next_protocol established ssl_history cert_chain_fps client_cert_chain_fps cert_chain_fuids
  client_cert_chain_fuids subject issuer client_subject client_issuer sni_matches_cert
  validation_status validation_code ocsp_status ja3 ja3s ja4 ja4s session_id issuer_subject
  not_valid_before not_valid_after notary.first_seen notary.last_seen notary.times_seen
  notary.valid client_issuer_subject cert_hash valid_ct_logs# valid_ct_operators#
files file -: fuid source->network_protocol depth# analyzers mime_type filename->file_path
  duration->event_duration local_orig is_orig seen_bytes# total_bytes# missing_bytes#
  overflow_bytes# timedout parent_fuid md5 sha1 sha256 extracted extracted_cutoff
  extracted_size# entropy tx_hosts rx_hosts conn_uids->session_id
x509 network ssl: id->zeek_fuid fingerprint certificate.version# certificate.serial
  certificate.subject certificate.issuer certificate.cn certificate.not_valid_before
  certificate.not_valid_after certificate.key_alg certificate.sig_alg certificate.key_type
  certificate.key_length# certificate.exponent certificate.curve san.dns san.uri san.email san.ip
  basic_constraints.ca basic_constraints.path_len# host_cert client_cert logcert
ocsp network -: id->zeek_fuid hashAlgorithm issuerNameHash issuerKeyHash serialNumber certStatus
  revoketime revokereason thisUpdate nextUpdate
notice intrusion_detection -: fuid file_mime_type file_desc note->rule_name msg->message sub
  src->source_ip dst->destination_ip p->destination_port n# peer_descr peer_name peer actions
  email_dest suppress_for dropped remote_location.country_code remote_location.region
  remote_location.city remote_location.latitude remote_location.longitude policy_items
weird network -: name->rule_name addl notice peer source identifier
ssh session ssh: version auth_success auth_attempts# direction->network_direction client server
  cipher_alg mac_alg compression_alg kex_alg host_key_alg host_key status inferences hassh
  hasshServer hasshAlgorithms hasshServerAlgorithms cshka sshka remote_location.country_code
  remote_location.region remote_location.city remote_location.latitude remote_location.longitude
smtp email smtp: trans_depth# helo mailfrom rcptto date from to cc reply_to msg_id in_reply_to
  subject x_originating_ip first_received second_received last_reply path tls fuids is_webmail
  urls domains
ftp network ftp: user->user_name password command arg mime_type file_size->destination_bytes
  reply_code# reply_msg data_channel.passive data_channel.orig_h data_channel.resp_h
  data_channel.resp_p# cwd fuid passive tags
dhcp network dhcp: uids->session_id client_addr->source_ip server_addr->destination_ip mac
  host_name->source_domain client_fqdn domain requested_addr assigned_addr assigned_ip lease_time
  client_message server_message msg_types duration->event_duration trans_id# msg_orig
  client_software server_software circuit_id agent_remote_id subscriber_id client_chaddr
  last_message_ts client_port# server_port# vendor_class hostname->source_domain
  client_id
kerberos authentication krb: request_type client->~principal service success error_msg error_code
  from till cipher forwardable renewable client_cert_subject client_cert_fuid server_cert_subject
  server_cert_fuid auth_ticket new_ticket ticket_cipher session_cipher
ntlm authentication ntlm: username->user_name hostname->source_domain domainname->user_domain
  server_nb_computer_name server_dns_computer_name server_tree_name success status
smb_files file smb: fuid action path name->~file size# prev_name times.modified
  times.accessed times.created times.changed data_offset_req# data_len_req# data_len_rsp#
smb_mapping network smb: path->file_path service native_file_system share_type
smb_cmd network smb: command sub_command argument status rtt version username->user_name tree
  tree_service referenced_file.fuid referenced_file.action referenced_file.path
  referenced_file.name referenced_file.size referenced_file.prev_name
dce_rpc network dce_rpc: rtt named_pipe endpoint operation
rdp session rdp: cookie->user_name result security_protocol client_channels keyboard_layout
  client_build client_name->source_domain client_dig_product_id desktop_width# desktop_height#
  requested_color_depth cert_type cert_count# cert_permanent encryption_level encryption_method
  ssl done rdfp_hash rdfp_string auth_success cookie_type
rfb session rfb: client_major_version client_minor_version server_major_version
  server_minor_version authentication_method auth share_flag desktop_name width height
software package -: host->source_ip host_p->source_port software_type name version.major
  version.minor version.minor2 version.minor3 version.addl unparsed_version url force_log
known_hosts host -: host->source_ip
known_services network -: host->destination_ip port_num->destination_port
  port_proto->network_transport service->network_protocol
known_certs network ssl: host->destination_ip port_num->destination_port subject issuer_subject
  serial
known_devices host dhcp: mac dhcp_host_name->source_domain
known_modbus network modbus: host->source_ip device_type
modbus network modbus: tid# unit# func pdu_type exception
modbus_register_change network modbus: register# old_val# new_val# delta
dnp3 network dnp3: fc_request fc_reply iin#
tunnel network -: tunnel_type action
pe file -: id->zeek_fuid machine compile_ts os subsystem is_exe is_64bit uses_aslr uses_dep
  uses_code_integrity uses_seh has_import_table has_export_table has_cert_table has_debug_data
  section_names
snmp network snmp: duration->event_duration version community get_requests# get_bulk_requests#
  get_responses# set_requests# display_string up_since
sip network sip: trans_depth# method->http_request_method uri->url_path date request_from
  request_to response_from response_to reply_to call_id seq subject request_path response_path
  status_code->http_response_status_code status_msg warning request_body_len->source_bytes
  response_body_len->destination_bytes content_type
socks network socks: version user->user_name password status request.host
  request.name->destination_domain request_p# bound.host bound.name bound_p#
radius authentication radius: username->user_name mac framed_addr tunnel_client remote_ip
  connect_info reply_msg result ttl logged
mysql database mysql: cmd arg success rows# response
postgresql database postgresql: user->user_name database application_name frontend frontend_arg
  backend backend_arg success rows#
redis database redis: cmd.name cmd.key cmd.value success reply.value
ldap network ldap: message_id# version opcode result diagnostic_message object argument
ldap_search network ldap: message_id# scope deref_aliases base_object result_count# result
  diagnostic_message filter attributes
irc network irc: nick user->user_name command value addl dcc_file_name dcc_file_size#
  dcc_mime_type fuid
syslog host syslog: facility severity->log_level message->message
ntp network ntp: version mode stratum poll precision root_delay root_disp ref_id ref_time
  org_time rec_time xmt_time num_exts#
quic network quic: version client_initial_dcid client_scid server_scid
  server_name->destination_domain client_protocol history
mqtt_connect network mqtt: proto_name proto_version client_id connect_status will_topic
  will_payload
mqtt_publish network mqtt: from_client retain qos status topic payload payload_len#
mqtt_subscribe network mqtt: action topics qos_levels granted_qos_level ack
websocket network websocket: host->url_domain uri->url_path subprotocol client_protocols
  server_extensions client_extensions
intel threat -: fuid file_mime_type file_desc seen.indicator seen.indicator_type seen.where
  seen.node matched sources
signatures intrusion_detection -: src_addr->source_ip src_port->source_port
  dst_addr->destination_ip dst_port->destination_port note sig_id->rule_name event_msg->message
  sub_msg sig_count# host_count#
traceroute network -: src->source_ip dst->destination_ip
dpd network -: analyzer failure_reason packet_segment failure_data
analyzer network -: cause analyzer_kind analyzer_name fuid failure_reason failure_data
stats process -: peer mem# pkts_proc# bytes_recv# pkts_dropped# pkts_link# pkt_lag
  events_proc# events_queued# active_tcp_conns# active_udp_conns# active_icmp_conns# tcp_conns#
  udp_conns# icmp_conns# timers# active_timers# files# active_files# dns_requests#
  active_dns_requests# reassem_tcp_size# reassem_file_size# reassem_frag_size#
  reassem_unknown_size# pkts_filtered#
capture_loss process -: ts_delta peer gaps# acks# percent_lost
weird_stats network -: name->rule_name num_seen#
packet_filter configuration -: node filter init success failure_reason
loaded_scripts configuration -: name
config configuration -: id old_value new_value location
reporter process -: level->log_level message->message location
cluster process -: node message->message
broker process -: ty ev peer.address peer.bound_port# message->message
bacnet network bacnet: is_orig bvlc_function pdu_type pdu_service instance_number
"""

# what the records of any log may have
_SHARED = """
ts->time uid->session_id id.orig_h->source_ip id.orig_p->source_port id.resp_h->destination_ip
id.resp_p->destination_port proto->network_transport user_agent->user_agent_original
_system_name->host_name _write_ts->zeek_write_ts
"""

# a log whose name is not told is the first of these whose fields a record all has
_MARKS = """
conn: conn_state | signatures: sig_id | signatures: event_msg | dns: rejected | dns: qtype_name
dns: rcode_name | dns: trans_id query | sip: call_id | ssl: established | x509: certificate.version
x509: certificate.serial | files: seen_bytes | notice: note | ssh: auth_attempts
ssh: host_key_alg | smtp: trans_depth tls | smtp: mailfrom | kerberos: request_type
ntlm: server_nb_computer_name | ntlm: domainname | ntlm: username hostname
smb_mapping: share_type | smb_cmd: command version | smb_files: action path
smb_files: action name | dce_rpc: operation | dce_rpc: named_pipe | rdp: cookie
rdp: security_protocol | rdp: cert_count | rfb: client_major_version | irc: nick command
ftp: command reply_code | ftp: command arg | ftp: command user | dhcp: msg_types
dhcp: lease_time | dhcp: assigned_addr | software: software_type | tunnel: tunnel_type
pe: is_exe | pe: compile_ts | ocsp: certStatus | snmp: get_requests | modbus: func
dnp3: fc_request | socks: request_p | socks: request.host | radius: result username
radius: framed_addr | ldap_search: base_object | ldap: message_id opcode | mysql: cmd arg
mysql: cmd | postgresql: frontend | redis: cmd.name | quic: client_initial_dcid | ntp: stratum
mqtt_connect: connect_status | mqtt_publish: topic payload_len | mqtt_subscribe: topics
websocket: subprotocol | intel: seen.indicator | syslog: facility severity
analyzer: analyzer_kind | dpd: analyzer failure_reason | stats: pkts_proc | capture_loss: gaps acks
packet_filter: filter init | known_certs: issuer_subject port_num | known_services: port_num
known_devices: dhcp_host_name | traceroute: src dst | weird: name peer | weird: name notice
weird_stats: name num_seen | reporter: level message | config: old_value | cluster: node message
broker: ty ev | http: request_body_len | http: method uri | http: status_code | http: trans_depth
"""

PREFIX = "zeek_"
PART = "~"
"""Begins the name of what is no column as it stands."""


@dataclass(frozen=True)
class Log:
    """One of Zeek's logs.

    Args:
        name: its ``#path``.
        category: ECS's event.category.
        protocol: of the application, None where a field tells or nothing does.
        columns: field -> column, of the fields that any log may have too.
    """

    name: str
    category: str
    protocol: str | None
    columns: Mapping[str, str]


def _pairs(words: Iterable[str], whole: set[str]) -> dict[str, str]:
    columns = {}
    for word in words:
        field, _, column = word.rstrip("#").partition("->")
        columns[field] = column or PREFIX + field.strip("_").replace(".", "_").lower()
        if word.endswith("#"):
            whole.add(columns[field])
    return columns


def _logs() -> tuple[dict[str, Log], set[str]]:
    logs, whole = {}, set[str]()
    shared = _pairs(_SHARED.split(), whole)
    for entry in re.split(r"\n(?=\S)", _LOGS.strip()):
        first, _, words = entry.partition(":")
        name, category, protocol = first.split()
        columns = shared | _pairs(words.split(), whole)
        logs[name] = Log(name, category, None if protocol == "-" else protocol, columns)
    logs[UNKNOWN] = Log(UNKNOWN, "network", None, shared)
    return logs, whole


UNKNOWN = ""
"""The name of a log that is not known."""

LOGS, _WHOLE = _logs()

EXTENSIONS = pa.schema(
    [
        pa.field(name, pa.int64() if name in _WHOLE else pa.string())
        for name in sorted(
            {
                column
                for log in LOGS.values()
                for column in log.columns.values()
                if column.startswith(PREFIX)
            }
        )
    ]
)
"""The columns beyond EVENTS."""

FIELDS = tuple(sorted({field for log in LOGS.values() for field in log.columns}))
"""The fields of all logs."""

MARKS: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
    (mark.partition(":")[0].strip(), tuple(mark.partition(":")[2].split()))
    for mark in re.split(r"[|\n]", _MARKS.strip())
)
"""A log whose name is not told is the first of these whose fields a record all has."""


_OWN = frozenset(EXTENSIONS.names)
_ECS_WHOLE = frozenset(field.name for field in ECS if pa.types.is_integer(field.type))


def column_of(log: Log, field: str) -> str | None:
    """Returns the column of a log's field, None where it is a label."""
    if field in log.columns:
        return log.columns[field]
    own = PREFIX + field.strip("_").replace(".", "_").lower()
    return own if own in _OWN else None


def log_by_fields(fields: Collection[str]) -> str:
    """Returns the name of the log that has such fields, UNKNOWN where none has."""
    return next((log for log, mark in MARKS if all(name in fields for name in mark)), UNKNOWN)


def is_whole(column: str) -> bool:
    """Returns whether a column holds whole numbers."""
    return column in _WHOLE or column in _ECS_WHOLE
