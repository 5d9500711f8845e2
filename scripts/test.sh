#!/usr/bin/env bash
# All checks and tests: style, types, the floors of the house, then pytest. Makes .venv and
# installs the test extras where they are missing. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/environment.sh
ensure_environment dev

check() {
    printf '\n$ %s\n' "$*" >&2
    .venv/bin/"$@"
}

check python -m pip check
check ruff check .
check ruff format --check .
check mypy
check lint-imports
check pytest "$@"
