"""The fields of Suricata's EVE records, and the column that each has here.

A field without an arrow has an extension column of its own path, ``tls.ja3.hash`` has
``suricata_tls_ja3_hash``. Fields that are not listed become labels.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from secad.base.schemas import ECS

# path, path->column, # for whole numbers; of several paths of a column the first with a value
# counts; ~ for what becomes a column only with other fields
_FIELDS = """
timestamp->time event_type->~type host->host_name flow_id->session_id src_ip->source_ip
src_port->source_port dest_ip->destination_ip dest_port->destination_port
proto->network_transport app_proto->network_protocol in_iface community_id vlan tx_id# pcap_cnt#
pkt_src direction icmp_type# icmp_code# response_icmp_type# response_icmp_code# parent_id
app_proto_ts app_proto_tc app_proto_orig app_proto_expected spi tenant_id# log_level verdict.action
verdict.reject ether.src_mac ether.dest_mac ether.src_macs ether.dest_macs sensor_name
metadata.flowbits payload_printable stream# pcap_filename ip_v#

alert.signature->rule_name alert.signature_id->event_code alert.action alert.gid# alert.rev#
alert.category alert.severity# alert.rule

flow.bytes_toserver->source_bytes flow.bytes_toclient->destination_bytes
flow.pkts_toserver# flow.pkts_toclient# flow.start->~start flow.end->~end flow.age# flow.state
flow.reason flow.alerted flow.action flow.emergency flow.bypass
netflow.bytes->source_bytes netflow.pkts# netflow.start->~start netflow.end->~end netflow.age#
netflow.min_ttl# netflow.max_ttl#
tcp.tcp_flags tcp.tcp_flags_ts tcp.tcp_flags_tc tcp.state tcp.syn tcp.fin tcp.rst tcp.psh tcp.ack
tcp.urg tcp.ecn tcp.cwr

dns.rrname->dns_question_name dns.queries->~queries dns.query->~queries dns.version# dns.type
dns.id# dns.flags dns.qr dns.rd dns.ra dns.aa dns.tc dns.z dns.opcode# dns.rrtype dns.rcode
dns.tx_id# dns.rdata dns.ttl# dns.answers dns.authorities dns.additionals
dns.grouped.A dns.grouped.AAAA dns.grouped.CNAME dns.grouped.MX dns.grouped.NS dns.grouped.PTR
dns.grouped.TXT dns.grouped.SRV dns.grouped.SOA dns.grouped.NULL

http.hostname->url_domain http.url->~target http.http_method->http_request_method
http.protocol->~version http.status->http_response_status_code http.length->http_response_bytes
http.http_user_agent->user_agent_original http.http_refer->http_request_referrer
http.http_content_type http.redirect http.xff http.http_port# http.http_request_body_printable
http.http_response_body_printable http.request_headers http.response_headers http.server
http.location

tls.sni->destination_domain tls.subject tls.issuerdn tls.serial tls.fingerprint tls.version
tls.notbefore tls.notafter tls.session_resumed tls.from_proto tls.ja3.hash tls.ja3.string
tls.ja3s.hash tls.ja3s.string tls.ja4 tls.subjectaltname tls.client_alpns tls.server_alpns
tls.client.subject tls.client.issuerdn tls.client.fingerprint
quic.sni->destination_domain quic.version quic.ua->user_agent_original quic.ja3.hash quic.ja4

fileinfo.filename->file_path fileinfo.magic fileinfo.mimetype fileinfo.state fileinfo.stored
fileinfo.gaps fileinfo.size# fileinfo.tx_id# fileinfo.md5 fileinfo.sha1 fileinfo.sha256
fileinfo.file_id# fileinfo.sid

smtp.helo smtp.mail_from smtp.rcpt_to email.status email.from email.to email.cc email.subject
email.date email.message_id email.attachment email.url email.x_mailer

ssh.client.proto_version ssh.client.software_version ssh.client.hassh.hash
ssh.server.proto_version ssh.server.software_version ssh.server.hassh.hash

anomaly.event->rule_name anomaly.type anomaly.layer anomaly.code# anomaly.app_proto

dhcp.hostname->source_domain dhcp.type dhcp.dhcp_type dhcp.id# dhcp.client_mac dhcp.assigned_ip
dhcp.client_ip dhcp.relay_ip dhcp.next_server_ip dhcp.requested_ip dhcp.client_id
dhcp.lease_time# dhcp.renewal_time# dhcp.rebinding_time# dhcp.routers dhcp.subnet_mask
dhcp.dns_servers dhcp.params dhcp.vendor_class_identifier

smb.filename->file_path smb.ntlmssp.user->user_name smb.ntlmssp.domain->user_domain
smb.ntlmssp.host->source_domain smb.ntlmssp.version smb.id# smb.dialect smb.command smb.status
smb.status_code smb.session_id# smb.tree_id# smb.share smb.share_type smb.named_pipe
smb.disposition smb.access smb.size# smb.fuid smb.service.request smb.service.response
smb.dcerpc.request smb.dcerpc.response smb.dcerpc.opnum# smb.dcerpc.interfaces smb.dcerpc.call_id#
smb.kerberos.realm->user_domain smb.kerberos.snames smb.directory smb.rename.from smb.rename.to
smb.client_dialects smb.client_guid smb.server_guid smb.request.native_os smb.request.native_lm
smb.response.native_os smb.response.native_lm
dcerpc.request dcerpc.response dcerpc.rpc_version dcerpc.call_id# dcerpc.req.opnum#
dcerpc.interfaces

krb5.cname->user_name krb5.realm->user_domain krb5.msg_type krb5.sname krb5.encryption
krb5.weak_encryption krb5.error_code krb5.failed_request krb5.ticket_encryption
krb5.ticket_weak_encryption

rdp.cookie->user_name rdp.client.client_name->source_domain rdp.event_type rdp.protocol
rdp.server_supports rdp.client.version rdp.client.build rdp.client.keyboard_layout
rdp.client.keyboard_type rdp.client.product_id# rdp.client.desktop_width#
rdp.client.desktop_height# rdp.client.color_depth# rdp.channels rdp.error_code# rdp.reason
rfb.server_protocol_version.major rfb.client_protocol_version.major rfb.screen_shared
rfb.authentication.security_type# rfb.authentication.security_result rfb.framebuffer.name

ftp.command ftp.command_data ftp.reply ftp.completion_code ftp.reply_received ftp.mode
ftp.dynamic_port# ftp_data.filename->file_path ftp_data.command
tftp.file->file_path tftp.packet tftp.mode

nfs.filename->file_path nfs.version# nfs.procedure nfs.status nfs.type nfs.id# nfs.file_tx
nfs.hhash nfs.rename.from nfs.rename.to rpc.xid# rpc.status rpc.auth_type
rpc.creds.machine_name->source_domain rpc.creds.uid->user_id rpc.creds.gid#

mqtt.connect.username->user_name mqtt.connect.client_id mqtt.connect.protocol_string
mqtt.connect.protocol_version# mqtt.connack.return_code# mqtt.publish.topic mqtt.publish.message
mqtt.publish.qos# mqtt.subscribe.topics mqtt.unsubscribe.topics

ike.version_major# ike.version_minor# ike.exchange_type# ike.message_id# ike.init_spi ike.resp_spi
ike.alg_enc ike.alg_auth ike.alg_prf ike.alg_dh ike.role ike.errors ike.payload ike.notify
ikev2.version_major# ikev2.version_minor# ikev2.exchange_type# ikev2.message_id# ikev2.init_spi
ikev2.resp_spi ikev2.alg_enc ikev2.alg_auth ikev2.alg_prf ikev2.alg_dh ikev2.role ikev2.errors#
ikev2.payload ikev2.notify

snmp.version# snmp.community snmp.pdu_type snmp.vars snmp.usm snmp.error
sip.method->http_request_method sip.uri->~target sip.version sip.request_line
sip.code->http_response_status_code sip.reason sip.response_line
modbus.id# modbus.request.function.code modbus.request.access_type modbus.request.category
modbus.response.function.code modbus.response.error_flags
pgsql.request.startup_parameters.user->user_name pgsql.request.simple_query
pgsql.request.message pgsql.response.message pgsql.response.command_completed pgsql.tx_id#
telnet.tx_id# bittorrent_dht.request_type bittorrent_dht.transaction_id

drop.reason drop.len# drop.tos# drop.ttl# drop.ipid# drop.tcpseq# drop.tcpack# drop.tcpwin#
drop.udplen# drop.icmp_id# drop.icmp_seq# drop.syn drop.ack drop.psh drop.rst drop.urg drop.fin
drop.tcpres# drop.tcpurgp#
"""

IGNORED = ("stats", "packet", "packet_info", "payload")
"""What is left out: counters of the program itself, and copies of the packet's bytes."""

PREFIX = "suricata_"
PART = "~"
"""Begins the name of what is no column as it stands."""


def _columns() -> tuple[dict[str, tuple[str, ...]], set[str]]:
    columns: dict[str, tuple[str, ...]] = {}
    whole = set[str]()
    for word in _FIELDS.split():
        path, _, column = word.rstrip("#").partition("->")
        column = column or PREFIX + path.replace(".", "_").lower()
        columns[column] = (*columns.get(column, ()), path)
        if word.endswith("#"):
            whole.add(column)
    return columns, whole


COLUMNS: Mapping[str, tuple[str, ...]]
"""Column -> the paths that fill it."""
COLUMNS, _WHOLE = _columns()

EXTENSIONS = pa.schema(
    [
        pa.field(name, pa.int64() if name in _WHOLE else pa.string())
        for name in COLUMNS
        if name.startswith(PREFIX)
    ]
)
"""The columns beyond EVENTS."""

_NUMBERS = {field.name for field in ECS if pa.types.is_integer(field.type)}
WHOLE = frozenset(name for name in COLUMNS if name in _WHOLE | _NUMBERS)
"""The columns that hold whole numbers."""
