# shellcheck shell=bash
# Where stock guests can run on this machine; sourced after common.sh.

# sheaf_binary: the program under test: $SHEAF_BINARY, or the newest build. Fails if there is none.
sheaf_binary() {
    local candidate newest=
    if [ -n "${SHEAF_BINARY:-}" ]; then
        readlink -f "$SHEAF_BINARY"
        return
    fi
    for candidate in "$SHEAF_ROOT"/build/{release,check,dev}{,/src}/sheaf; do
        if [ -x "$candidate" ] && { [ -z "$newest" ] || [ "$candidate" -nt "$newest" ]; }; then
            newest=$candidate
        fi
    done
    [ -n "$newest" ] && echo "$newest"
}

# kvm_ring0: "hardware", "emulated" or "none". Doctor measures it; without a build the processor's flags
# and the module that serves /dev/kvm decide.
kvm_ring0() {
    local binary answer
    if [ ! -e /dev/kvm ]; then
        echo none
        return
    fi
    if binary=$(sheaf_binary) && answer=$("$binary" doctor --json 2>/dev/null) &&
        answer=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["kvm"]["ring0"])' \
            <<<"$answer" 2>/dev/null); then
        echo "$answer"
    elif grep -qwE 'vmx|svm' /proc/cpuinfo &&
        { [ -e /sys/module/kvm_intel ] || [ -e /sys/module/kvm_amd ]; }; then
        echo hardware
    else
        echo emulated
    fi
}

# lab_lane: "direct" where stock guests run on this machine's KVM, else "lab". SHEAF_LAB_LANE overrides.
lab_lane() {
    if [ -n "${SHEAF_LAB_LANE:-}" ]; then
        echo "$SHEAF_LAB_LANE"
    elif [ "$(kvm_ring0)" = hardware ]; then
        echo direct
    else
        echo lab
    fi
}
