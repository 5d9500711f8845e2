"""The kinds of Windows events: provider and event id -> ``event_action`` and ``event_category``.

Names are short, in small letters with hyphens, and the same where two providers tell of the same
thing (Sysmon 1 and Security 4688 are ``process-create``). Categories are those of ECS. What the
table does not know is named after its provider and id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

_ACTION_CAP = 64  # a name, whatever a provider calls itself

# provider without "microsoft-windows-", then a category with ids and their names
_KINDS: Mapping[str, Mapping[str, str]] = {
    "sysmon": {
        "process": """1 process-create, 5 process-terminate, 8 remote-thread-create,
            10 process-access, 25 process-tampering""",
        "file": """2 file-time-change, 9 raw-disk-read, 11 file-create, 15 file-stream-create,
            17 pipe-create, 18 pipe-connect, 23 file-delete, 26 file-delete, 27 file-create-block,
            28 file-shred-block, 29 executable-create""",
        "registry": "12 registry-key-change, 13 registry-value-set, 14 registry-rename",
        "network": "3 network-connection, 22 dns-query",
        "library": "7 image-load",
        "driver": "6 driver-load",
        "configuration": """4 sysmon-state-change, 16 sysmon-config-change, 19 wmi-filter-change,
            20 wmi-consumer-change, 21 wmi-binding-change""",
        "host": "24 clipboard-change, 255 sysmon-error",
    },
    "security-auditing": {
        "authentication": """4624 logon, 4625 logon-failure, 4627 logon-groups, 4634 logoff,
            4647 logoff-request, 4648 explicit-credentials-logon, 4649 replay-attack,
            4672 special-privileges-logon, 4675 logon-sids-filter, 4768 kerberos-tgt-request,
            4769 kerberos-service-request, 4770 kerberos-ticket-renew,
            4771 kerberos-preauth-failure, 4772 kerberos-tgt-failure,
            4773 kerberos-service-failure, 4774 account-map, 4776 credential-validation,
            4777 credential-validation-failure, 4964 special-group-logon,
            6272 network-access-grant, 6273 network-access-deny""",
        "session": """4778 session-reconnect, 4779 session-disconnect, 4800 workstation-lock,
            4801 workstation-unlock, 4802 screen-saver-start, 4803 screen-saver-stop""",
        "process": """4688 process-create, 4689 process-terminate, 4690 handle-duplicate,
            4696 process-token-assign, 4703 token-right-change""",
        "file": """4656 handle-request, 4658 handle-close, 4659 object-delete-request,
            4660 object-delete, 4663 object-access, 4664 hard-link-create, 4670 permissions-change,
            4985 transaction-state-change, 5140 share-access, 5142 share-create, 5143 share-change,
            5144 share-delete, 5145 share-object-access, 5168 share-spn-failure""",
        "registry": "4657 registry-value-set",
        "iam": """4661 sam-handle-request, 4662 directory-object-access, 4673 privileged-call,
            4674 privileged-object-access, 4704 user-right-add, 4705 user-right-remove,
            4717 logon-right-add, 4718 logon-right-remove, 4720 user-create, 4722 user-enable,
            4723 password-change, 4724 password-reset, 4725 user-disable, 4726 user-delete,
            4727 group-create, 4728 group-member-add, 4729 group-member-remove, 4730 group-delete,
            4731 group-create, 4732 group-member-add, 4733 group-member-remove, 4734 group-delete,
            4735 group-change, 4737 group-change, 4738 user-change, 4740 user-lockout,
            4741 computer-create, 4742 computer-change, 4743 computer-delete, 4754 group-create,
            4755 group-change, 4756 group-member-add, 4757 group-member-remove, 4758 group-delete,
            4764 group-type-change, 4765 sid-history-add, 4766 sid-history-failure,
            4767 user-unlock, 4780 admin-acl-set, 4781 account-rename, 4782 password-hash-access,
            4793 password-policy-check, 4794 dsrm-password-set, 4797 blank-password-query,
            4798 user-groups-query, 4799 group-members-query, 5136 directory-object-change,
            5137 directory-object-create, 5138 directory-object-undelete,
            5139 directory-object-move, 5141 directory-object-delete, 5376 credentials-backup,
            5377 credentials-restore, 5379 credentials-read, 5381 vault-credentials-list,
            5382 vault-credentials-read""",
        "configuration": """4616 system-time-change, 4697 service-install, 4698 task-create,
            4699 task-delete, 4700 task-enable, 4701 task-disable, 4702 task-update,
            4706 domain-trust-create, 4707 domain-trust-delete, 4713 kerberos-policy-change,
            4716 domain-trust-change, 4719 audit-policy-change, 4739 domain-policy-change,
            4826 boot-configuration-load, 4907 audit-settings-change, 4912 audit-policy-change,
            4946 firewall-rule-add, 4947 firewall-rule-change, 4948 firewall-rule-delete,
            4950 firewall-setting-change, 4957 firewall-rule-failure, 5447 filter-change,
            6416 external-device""",
        "network": """5031 firewall-application-block, 5152 packet-block, 5153 packet-block,
            5154 port-listen, 5155 port-listen-block, 5156 network-connection,
            5157 network-connection-block, 5158 port-bind, 5159 port-bind-block""",
        "host": """4608 windows-start, 4609 windows-shutdown, 4610 authentication-package-load,
            4611 logon-process-register, 4614 notification-package-load, 4622 security-package-load,
            4692 dpapi-backup, 4693 dpapi-recovery, 4694 dpapi-protect, 4695 dpapi-unprotect,
            4886 certificate-request, 4887 certificate-issue, 5058 key-file-operation,
            5059 key-migration, 5061 cryptographic-operation""",
    },
    "eventlog": {
        "configuration": """104 log-clear, 1100 log-service-stop, 1102 audit-log-clear,
            1104 audit-log-full, 1105 log-archive, 6005 log-service-start, 6006 log-service-stop""",
    },
    "powershell": {
        "process": """400 powershell-start, 403 powershell-stop, 600 powershell-provider-start,
            800 powershell-pipeline, 4100 powershell-error, 4103 powershell-command,
            4104 powershell-script, 4105 powershell-script-start, 4106 powershell-script-stop,
            40961 powershell-console-start, 40962 powershell-console-ready,
            53504 powershell-pipe-start""",
    },
    "wmi-activity": {
        "process": """5857 wmi-provider-start, 5858 wmi-operation-failure, 5859 wmi-filter-register,
            5860 wmi-consumer-register, 5861 wmi-permanent-consumer""",
    },
    "service control manager": {
        "configuration": """7000 service-start-failure, 7009 service-timeout, 7023 service-failure,
            7031 service-crash, 7034 service-crash, 7035 service-control, 7036 service-state-change,
            7040 service-start-type-change, 7045 service-install""",
    },
    "taskscheduler": {
        "process": """100 task-start, 102 task-complete, 106 task-create, 107 task-trigger,
            110 task-trigger, 118 task-trigger, 119 task-trigger, 129 task-process-create,
            140 task-update, 141 task-delete, 200 task-action-start, 201 task-action-complete""",
    },
    "terminalservices-localsessionmanager": {
        "session": """21 session-logon, 22 session-shell-start, 23 session-logoff,
            24 session-disconnect, 25 session-reconnect, 39 session-disconnect,
            40 session-disconnect""",
    },
    "terminalservices-remoteconnectionmanager": {
        "authentication": "261 rdp-connection, 1149 rdp-authentication",
    },
    "windows defender": {
        "malware": """1006 malware-detection, 1007 malware-action, 1116 malware-detection,
            1117 malware-action, 1118 malware-action-failure, 1119 malware-action-failure""",
        "configuration": """5001 antivirus-disable, 5004 antivirus-config-change,
            5007 antivirus-config-change, 5010 antivirus-disable, 5012 antivirus-disable""",
    },
    "bits-client": {
        "network": "3 bits-job-create, 59 bits-transfer-start, 60 bits-transfer-stop",
    },
    "winrm": {
        "network": "6 winrm-session-create, 91 winrm-shell-create, 169 winrm-authentication",
    },
}

_CHANNELS = {  # the provider of a record that names only its channel
    "security": "Microsoft-Windows-Security-Auditing",
    "windows powershell": "PowerShell",
}


def _rows() -> Iterator[tuple[str, str, str]]:
    for provider, categories in _KINDS.items():
        for category, kinds in categories.items():
            for kind in kinds.split(","):
                code, action = kind.split()
                yield f"{provider} {code}", action, category


_KEYS, _ACTIONS, _CATEGORIES = (pa.array(column) for column in zip(*_rows(), strict=True))


def kinds(provider: pa.Array, code: pa.Array, channel: pa.Array) -> dict[str, pa.Array]:
    """Returns ``event_provider``, ``event_action`` and ``event_category`` of N events.

    Args:
        provider: (N,) string; where it is null the channel tells the provider.
        code: (N,) string, the event ids.
        channel: (N,) string.
    """
    told = _provider_of(channel)
    named = pc.coalesce(provider, told)
    family = _family(named)
    key = pc.binary_join_element_wise(family, code, " ")
    known = pc.index_in(key, _KEYS)
    parts = [pc.coalesce(family, ""), pc.coalesce(code, "")]
    other = pc.binary_join_element_wise(*parts, "-")
    other = pc.replace_substring_regex(pc.ascii_lower(other), "[^a-z0-9]+", "-")
    other = pc.utf8_slice_codeunits(pc.utf8_trim(other, "-"), 0, _ACTION_CAP)
    other = pc.if_else(pc.equal(other, ""), "unknown", other)
    return {
        "event_provider": named,
        "event_action": pc.coalesce(_ACTIONS.take(known), other),
        "event_category": _CATEGORIES.take(known),
    }


def _provider_of(channel: pa.Array) -> pa.Array:
    """Returns Microsoft-Windows-Sysmon of Microsoft-Windows-Sysmon/Operational."""
    place = pc.index_in(pc.utf8_lower(channel), pa.array(list(_CHANNELS)))
    return pc.coalesce(
        pa.array(list(_CHANNELS.values())).take(place),
        pc.replace_substring_regex(channel, "/[^/]*$", ""),
    )


def _family(provider: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(pc.utf8_lower(provider), "^microsoft-windows-", "")
