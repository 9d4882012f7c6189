# shellcheck shell=bash
# Shared by the scripts; sourced, never run. Progress with elapsed time, and one cache folder for what is
# expensive to make: an entry appears there whole or not at all, and two runs do not make it twice.

SHEAF_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SHEAF_CACHE=${SHEAF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sheaf}
export SHEAF_ROOT SHEAF_CACHE

# Progress goes to standard error: standard output belongs to a script's result.
say() { printf '[%3ds] %s\n' "$SECONDS" "$*" >&2; }
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "needs root for: $* (run it as root, or install sudo)"
    fi
}

# lock NAME: holds the cache's lock of that name until the script ends.
lock() {
    mkdir -p "$SHEAF_CACHE"
    exec {SHEAF_LOCK}>"$SHEAF_CACHE/$1.lock"
    flock -n "$SHEAF_LOCK" && return
    say "waiting for another run that holds $SHEAF_CACHE/$1.lock"
    flock "$SHEAF_LOCK"
}

# run_logged FILE COMMAND...: keeps the output in FILE and shows its end when the command fails.
run_logged() {
    local log=$1
    shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 && return
    tail -n 40 "$log" >&2
    die "failed: $* (its whole output is in $log)"
}
