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
# when they lack a name or offer files that the archive no longer has. apt does not wait for another that
# updates the lists, so two scripts take turns; what the other installed is no longer missing then.
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
    run_logged "$SHEAF_CACHE/log/apt-update" as_root apt-get -qy update
    if package_unknown "${missing[@]}"; then
        die "apt offers not all of: ${missing[*]} (Sheaf is built on Debian 12, bookworm)"
    fi
    install_packages "${missing[@]}" || {
        tail -n 20 "$SHEAF_CACHE/log/apt-install" >&2
        die "apt-get install failed (its whole output is in $SHEAF_CACHE/log/apt-install)"
    }
}

install_packages() {
    mkdir -p "$SHEAF_CACHE/log"
    # Another program of the system may hold dpkg for a while.
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qy -o DPkg::Lock::Timeout=600 install --no-install-recommends "$@" \
        >"$SHEAF_CACHE/log/apt-install" 2>&1
}
