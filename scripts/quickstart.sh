#!/usr/bin/env bash
# From nothing to ranked alerts: makes .venv, installs secad, reads sample_logs into the store
# quickstart-store, detects, and prints the ten alerts to read first. Run it again as you like:
# what is installed, read and found already is not done twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/environment.sh
ensure_environment

secad() {
    printf '\n$ secad --store quickstart-store %s\n' "$*" >&2
    .venv/bin/secad --store quickstart-store "$@"
}

secad ingest logs sample_logs/{auditd.log.gz,syslog.log,text.log.gz,weblog.log,evtx.evtx,windows.zip}
secad ingest logs --format jsonl --map sample_logs/jsonl.toml sample_logs/jsonl.jsonl.gz
secad ingest logs --format csv --map sample_logs/csv.toml sample_logs/csv.csv.gz
secad detect
secad rank-alerts --top 10
