# Shared by the scripts of this folder; sourced, never run. Says what happens with elapsed time, installs
# Debian packages that are missing, and keeps what is expensive to make in one cache folder.

SHEAF_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SHEAF_CACHE=${SHEAF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sheaf}
export SHEAF_ROOT SHEAF_CACHE

say() { printf '[%3ds] %s\n' "$SECONDS" "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "needs root for: $* (run it as root, or install sudo)"
    fi
}

# need_packages NAME...: installs those that are missing, after one update of the lists.
need_packages() {
    local missing=() name
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
            missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "installing ${#missing[@]} Debian packages: ${missing[*]}"
    as_root apt-get -q update >/dev/null || die "apt-get update failed"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends \
        "${missing[@]}" >/dev/null || die "apt-get install failed"
}

# run_logged FILE COMMAND...: keeps the output in FILE, and shows its end when the command fails.
run_logged() {
    local log=$1
    shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 && return
    tail -n 40 "$log" >&2
    die "failed: $* (all of its output: $log)"
}
