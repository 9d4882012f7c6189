# shellcheck shell=bash
# Installs Debian packages; sourced after common.sh.

# package_missing NAME
package_missing() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" != installed ]
}

# package_unknown NAME...: true if apt's lists do not offer one of them.
package_unknown() {
    local name
    for name in "$@"; do
        apt-cache show "$name" >/dev/null 2>&1 || return 0
    done
    return 1
}

# need_packages NAME...: installs those that are missing. The lists are updated at most once, and only
# when they lack a name or offer files that the archive no longer has. Two scripts take turns; what the other
# installed is no longer missing then.
need_packages() {
    local missing=()
    missing_of "$@"
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        die "needs Debian packages (${missing[*]}), and this system has no apt-get"
    local turn
    mkdir -p "$SHEAF_CACHE"
    exec {turn}>"$SHEAF_CACHE/apt.lock"
    if ! flock -n "$turn"; then
        say "waiting for another script that installs packages"
        flock "$turn"
    fi
    missing_of "$@"
    if [ ${#missing[@]} -gt 0 ]; then install_missing; fi
    exec {turn}>&-
}

# Sets missing, as its caller declared it.
missing_of() {
    local name
    missing=()
    for name in "$@"; do
        if package_missing "$name"; then missing+=("$name"); fi
    done
}

install_missing() {
    say "installing ${#missing[@]} Debian packages: ${missing[*]}"
    if ! package_unknown "${missing[@]}" && install_packages "${missing[@]}"; then return; fi
    say "updating the package lists"
    run_apt update || die "apt-get update failed (its whole output is in $SHEAF_CACHE/log/apt-update)"
    if package_unknown "${missing[@]}"; then
        die "apt offers not all of: ${missing[*]} (Sheaf is built on Debian 12, bookworm)"
    fi
    install_packages "${missing[@]}" || {
        tail -n 20 "$SHEAF_CACHE/log/apt-install" >&2
        die "apt-get install failed (its whole output is in $SHEAF_CACHE/log/apt-install)"
    }
}

install_packages() { run_apt install --no-install-recommends "$@"; }

# run_apt VERB [ARGUMENT...]: its output goes to a file. Where another apt has the lock, as the first update of
# a fresh machine does, it waits until that one has ended.
run_apt() {
    local log=$SHEAF_CACHE/log/apt-$1 holder
    mkdir -p "$SHEAF_CACHE/log"
    until as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
        apt-get -qy -o DPkg::Lock::Timeout=-1 "$@" >"$log" 2>&1; do
        holder=$(sed -n 's/^E: Could not get lock .* held by process \([0-9]*\).*/\1/p' "$log" | head -n 1)
        [ -n "$holder" ] || return 1
        say "waiting for another apt (process $holder)"
        tail --pid="$holder" -f /dev/null
    done
}
