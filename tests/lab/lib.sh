# shellcheck shell=bash
# What the guest tests share; sourced by each of them. A test runs in a folder of its own ($PWD), which
# tests/lab/inside made, on a root disk that all tests of a run share, as boots of one machine
# would; its exit code says whether it held: 0 yes, 77 skipped, anything else no.

set -euo pipefail
SHEAF_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
: "${SHEAF_BINARY:?}" "${SHEAF_GUEST:?}" "${SHEAF_LAB_DISK:?}"

guest_pid=
guest_exit=
console=$PWD/console
report=$PWD/report.json

fail() {
    echo "# $*"
    exit 1
}
skip() {
    echo "# $*"
    exit 77
}

# guest_script: standard input becomes the disk that the guest runs as a shell script.
guest_script() {
    cat >command.raw
    [ "$(stat -c %s command.raw)" -le 65536 ] || fail "the guest's script is longer than 64 KiB"
    truncate -s 65536 command.raw
}

# The lab's processor is QEMU's, which does not show a guest's XSETBV to KVM as real ones do. A guest's kernel
# would notice the wrong size of the XSAVE area, warn with a call trace, and go on without XSAVE; so there it
# is told not to use it. Directly, the guest uses all that its processor has.
lane_words=
if [ "${SHEAF_LANE:-direct}" = lab ]; then lane_words="noxsave systemd.show_status=auto"; fi

# guest_start KERNEL CPUS [OPTION...]: boots the guest; its console goes to a file.
# guest_words, if set, is added to the kernel's command line; guest_memory is its size, for example 1G.
guest_start() {
    local kernel=$1 cpus=$2
    shift 2
    # Everything from warnings upwards reaches the console; the rest would only cost time there.
    run_guest --kernel "$SHEAF_GUEST/kernel-$kernel" --initrd "$SHEAF_GUEST/initrd-$kernel" \
        --cmdline "root=LABEL=sheaf-root rw console=ttyS0 loglevel=5 $lane_words ${guest_words:-}" \
        --cpus "$cpus" --memory "${guest_memory:-512M}" --disk path="$SHEAF_LAB_DISK" "$@"
}

# firmware_start CPUS MEMORY [OPTION...]: starts a machine that boots from its disks.
firmware_start() {
    local cpus=$1 memory=$2
    shift 2
    run_guest --firmware uefi --cpus "$cpus" --memory "$memory" "$@"
}

run_guest() {
    if [ -e command.raw ]; then set -- "$@" --disk path=command.raw,serial=sheafcmd,readonly; fi
    "$SHEAF_BINARY" run "$@" \
        --console "${guest_console:-$console}" --report "$report" --pid-file "$PWD/pid" </dev/null >sheaf.log 2>&1 &
    guest_pid=$!
    trap guest_kill EXIT
    trap 'exit 143' TERM
}

# shellcheck disable=SC2317  # called by the trap
guest_kill() {
    if [ -n "$guest_pid" ]; then kill -KILL "$guest_pid" 2>/dev/null || true; fi
}

guest_runs() { [ -n "$guest_pid" ] && kill -0 "$guest_pid" 2>/dev/null; }

# wait_for SECONDS WHAT COMMAND...: until the command succeeds; fails at once if the guest has ended.
wait_for() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        guest_runs || { "$@" && return; } || fail "the guest ended before $what"
        [ "$SECONDS" -lt "$deadline" ] || fail "no $what in time"
        sleep 0.2
    done
}

console_has() { grep -aq -e "$1" "$console" 2>/dev/null; }
console_wait() { wait_for "$1" "\"$2\" on the console" console_has "$2"; }

# guest_wait SECONDS: until the guest has ended; sets guest_exit.
guest_wait() {
    local deadline=$((SECONDS + $1))
    while guest_runs; do
        [ "$SECONDS" -lt "$deadline" ] || fail "the guest still runs after $1 s"
        sleep 0.2
    done
    guest_exit=0
    wait "$guest_pid" || guest_exit=$?
    guest_pid=
}

report_field() {
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$report" "$1"
}

# ended EXIT HOW: how the guest must have ended, and that nothing of it is left.
ended() {
    [ "$guest_exit" = "$1" ] || fail "exit code $guest_exit instead of $1"
    [ "$(report_field how)" = "$2" ] || fail "the report says $(report_field how) instead of $2"
    [ "$(report_field exit_code)" = "$1" ] || fail "the report's exit code is $(report_field exit_code)"
    [ ! -e pid ] || fail "the pid file is still there"
    if leftover; then fail "a process of the machine is left"; fi
}

# leftover: whether a process of this test's machines still runs. Its environment tells it from others.
export SHEAF_TEST=$PWD
leftover() {
    local process
    for process in /proc/[0-9]*; do
        if [ "$process/exe" -ef "$SHEAF_BINARY" ] &&
            grep -qzsxF "SHEAF_TEST=$SHEAF_TEST" "$process/environ"; then return; fi
    done
    return 1
}

# guest_output: what the guest's script printed, without the console's carriage returns.
guest_output() {
    tr -d '\r' <"$console" | sed -n '/^SHEAF-BEGIN$/,/^SHEAF-END/p' | sed '1d;$d'
}

# script_succeeded: the guest's script ran to its end, without an error.
script_succeeded() {
    tr -d '\r' <"$console" | grep -aqx 'SHEAF-END status=0' || fail "the guest's script failed"
}

# no_kernel_faults: the guest's kernel had nothing to complain about; kernel_faults.py knows what counts.
no_kernel_faults() {
    python3 "$SHEAF_ROOT/tests/lab/kernel_faults.py" <"$console" >faults ||
        { sed 's/^/# /' faults; fail "the guest's kernel complained"; }
}
