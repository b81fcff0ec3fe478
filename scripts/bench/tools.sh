# shellcheck shell=bash
# Sourced by scripts/bench.sh: installs what it measures against and with, under target.
# shellcheck disable=SC2154 # common.sh sets `target` and `venv`

oha=$target/bench-tools/bin/oha
# `CONTENDER: reason` of those that this machine cannot run
left_out=()

pip() {
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$@"
}

install_python_programs() {
    if ! "$venv/bin/python" -c 'import flask, fastapi, uvicorn, uvloop' 2>/dev/null; then
        echo "installing Flask and FastAPI" >&2
        "$python" -m venv --clear "$venv"
        pip flask fastapi 'uvicorn[standard]'
    fi
}

# A sentence, where there are Python programs among the contenders.
python_versions() {
    ! chosen_has '^(flask|fastapi)' || "$venv/bin/python" -c '
import importlib.metadata, platform
names = {each.metadata["Name"] for each in importlib.metadata.distributions()}
wanted = sorted(names & {"Flask", "flask", "fastapi", "uvicorn", "cx-Oracle", "cx_Oracle"}, key=str.lower)
print(f" Python {platform.python_version()}:", ", ".join(f"{n} {importlib.metadata.version(n)}" for n in wanted) + ".")'
}

install_cx_oracle() {
    if ! "$venv/bin/python" -c 'import cx_Oracle' 2>/dev/null; then
        echo "installing cx_Oracle" >&2
        # Its setup.py, of 2021, asks for a module that later setuptools no longer have. Its successor oracledb calls OCI
        # functions that the stand-in lacks (DPI-1049).
        { pip 'setuptools<81' wheel && pip --no-build-isolation cx_Oracle==8.3.0 >&2; } ||
            left_out+=("flask-oracle: cx_Oracle cannot be built here; it needs cc and Python's headers")
    fi
}

install_oha() {
    if [[ ! -x $oha ]]; then
        oha=$(command -v oha || echo "$oha")
    fi
    if [[ ! -x $oha ]]; then
        echo "installing oha" >&2
        cargo install oha --locked --quiet --root "$target/bench-tools" --target-dir "$target/bench-tools/build"
        rm -rf "$target/bench-tools/build"
    fi
}
