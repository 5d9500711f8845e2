#!/usr/bin/env bash
# All checks and tests: style, types, the floors of the house, then pytest on up to four cores.
# Makes .venv and installs the test extras where they are missing. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/environment.sh
ensure_environment dev

check() {
    printf '\n$ %s\n' "$*" >&2
    .venv/bin/"$@"
}

check python -m pip check
# without its cache, which remembers how imports sorted before a module was there
check ruff check --no-cache .
check ruff format --no-cache --check .
check mypy
check lint-imports
# worksteal keeps a module's tests, and what they share, in one process for as long as it can
check pytest --numprocesses auto --maxprocesses 4 --dist worksteal "$@"
