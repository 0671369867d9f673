#!/bin/sh
# Makes .venv with the locked dependencies: `tools/setup.sh` what the product needs, `tools/setup.sh dev` what the
# tests and checks need as well. `tools/setup.sh python` only prints the Python it would take (or says why there is none).
# PYTHON=/path/to/python chooses another one.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*"; }
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 2
}

# A Python counts only if it runs, has the version asked for and can make an environment; pyenv's shims often cannot.
works() { "$1" -c "import ensurepip, ssl, sys, venv; sys.exit(sys.version_info[:2] != (3, $2))" >/dev/null 2>&1; }

# 3.12 first: LightFM has ready-made wheels for it on Linux and macOS. Every 3.11 needs a compiler.
find_python() {
    for minor in 12 13 11; do
        if [ -n "${PYTHON:-}" ]; then
            set -- "$PYTHON"
        else
            set -- "python3.$minor" python3 python "$HOME"/.pyenv/versions/3."$minor".*/bin/python3 \
                /opt/homebrew/bin/python3."$minor" /usr/local/bin/python3."$minor" /usr/bin/python3."$minor"
        fi
        for candidate; do
            if works "$candidate" "$minor"; then
                "$candidate" -c 'import sys; print(sys._base_executable)' # not the one of an active .venv
                return
            fi
        done
    done
    fail "No usable Python was found (${PYTHON:-none of 3.12, 3.13, 3.11 runs here with its venv and ssl modules});" \
        "install Python 3.12 (on Debian also python3-venv), or name one with PYTHON=/path/to/python."
}

# LightFM's wheels: 3.12 and 3.13 on Linux x86-64, 3.12 on Apple silicon. Elsewhere pip compiles it.
check_compiler() {
    case "$(uname -sm) $("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" in
    "Linux x86_64 3.12" | "Linux x86_64 3.13" | "Darwin arm64 3.12") return ;;
    esac
    missing=
    command -v "${CC:-cc}" >/dev/null 2>&1 || missing="a C compiler (on Debian: gcc)"
    "$1" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_paths()["include"] + "/Python.h"))' ||
        missing="${missing:+$missing and }the headers of $1 (on Debian: python3-dev)"
    [ -z "$missing" ] || fail "With $("$1" -V) LightFM is built from source, which needs $missing: install that," \
        "or Python 3.12, which needs neither."
}

# A stamp is written after its install has ended well: the Python and the lock it was made of.
stamp() { .venv/bin/python -V && cat "$1"; }
stands() { [ -f ".venv/$1.done" ] && stamp "$1" 2>/dev/null | cmp -s - ".venv/$1.done"; }

pip() {
    .venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r "$lock" "$@" && touch .venv/installed
}

install() {
    if [ -t 1 ]; then
        pip | awk -v total="$(grep -c '^[a-z0-9]' "$lock")" '
            /^ *Collecting / { printf "\r  %3d of %d packages  %-30.30s", ++n, total, $2; fflush() }
            /^ *Building wheel/ { printf "\r%-60s", "  building LightFM"; fflush() }
            /^ *Installing collected/ { printf "\r%-60s", "  unpacking " total " packages"; fflush() }
            END { printf "\r%60s\r", "" }'
    else
        pip -q || true
    fi
    [ -f .venv/installed ] || fail "pip could not install $lock (its own words stand above); call make again to retry."
    rm .venv/installed
}

lock=requirements.txt
case "${1:-}" in
'') ;;
dev) lock=requirements-dev.txt ;;
python) find_python && exit ;;
*) fail "tools/setup.sh knows 'dev' and 'python', not '$1'." ;;
esac

other_python=
if [ -n "${PYTHON:-}" ]; then
    python=$(find_python)
    [ "$("$python" -V)" = "$(.venv/bin/python -V 2>&1)" ] || other_python=yes
fi
[ -z "$other_python" ] && stands "$lock" && exit

# What an interrupted install left cannot be trusted: start anew, unless the product's own packages stand.
if [ -n "$other_python" ] || ! stands requirements.txt; then
    python=$(find_python)
    check_compiler "$python"
    say "Making .venv with $("$python" -V) ($python)"
    rm -rf .venv
    "$python" -m venv .venv
fi
say "Installing the packages locked in $lock (the first time this downloads some hundred megabytes)"
rm -f .venv/*.done
install
stamp requirements.txt >.venv/requirements.txt.done
[ "$lock" = requirements.txt ] || stamp "$lock" >".venv/$lock.done"
say "The environment in .venv is ready"
