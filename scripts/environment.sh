# Sourced by the scripts beside it: makes .venv in the repository and installs secad there.
#
# Settings of pip are honoured (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_CONFIG_FILE, ...). On a
# Linux machine without a GPU, torch can bring several GB of CUDA packages; to leave them out, name
# PyTorch's CPU index (pytorch.org tells its address) in PIP_EXTRA_INDEX_URL before the first run.
# PYTHON names the interpreter to use; else the newest that fits is taken.

TORCH_VERSION=2.13.0 # the tested release; pyproject.toml says which ones are allowed

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

python_fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    local name
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if python_fits "$name"; then
            command -v "$name"
            return
        fi
    done
    fail "no Python 3.11 or newer found (tried ${PYTHON:-python3, python3.13, python3.12, python3.11});" \
        "on Debian or Ubuntu: sudo apt-get install python3 python3-venv"
}

make_venv() {
    local python version
    python=$(find_python)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
        fail "Python $version cannot make virtual environments;" \
            "on Debian or Ubuntu: sudo apt-get install python3-venv (or python$version-venv)"
    printf 'making .venv with Python %s\n' "$version" >&2
    "$python" -m venv --clear .venv
}

# ensure_environment [EXTRA]: .venv holds secad of this checkout, with the extra's packages.
# Nothing is installed again while pyproject.toml stays as it is.
ensure_environment() {
    local extra=${1:-} wanted stamp
    stamp=.venv/secad-installed${extra:+-$extra}
    .venv/bin/python -m pip --version >/dev/null 2>&1 && python_fits .venv/bin/python || make_venv
    wanted="$PWD $(cksum <pyproject.toml)"
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
        return
    fi
    printf 'installing secad%s into .venv (the first time takes minutes)\n' "${extra:+[$extra]}" >&2
    export PIP_DISABLE_PIP_VERSION_CHECK=1
    .venv/bin/python -m pip install --quiet "torch==$TORCH_VERSION"
    .venv/bin/python -m pip install --quiet -e ".${extra:+[$extra]}"
    printf '%s\n' "$wanted" | tee .venv/secad-installed >"$stamp"
}
