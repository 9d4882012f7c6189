# Starting, watching and ending one Sheaf machine; sourced by the scripts of this folder. Every wait has a
# limit, and everything made here is removed on every way out.

machine_folder=$(mktemp -d)
machine=
taps=()

cleanup_machine() {
    [ -z "$machine" ] || kill -KILL "$machine" 2>/dev/null || true
    local tap
    for tap in "${taps[@]}"; do ip link delete "$tap" 2>/dev/null || true; done
    rm -rf "$machine_folder"
}
trap cleanup_machine EXIT
trap 'exit 130' INT TERM

# tap_up NAME ADDRESS/LENGTH
tap_up() {
    [ -e /dev/net/tun ] || modprobe tun 2>/dev/null || true
    ip tuntap add dev "$1" mode tap multi_queue
    taps+=("$1")
    ip address add "$2" dev "$1"
    ip link set "$1" up
}

# A private copy of the guest's root disk, sparse.
copy_of_root() {
    cp --sparse=always "$1/root.raw" "$machine_folder/root.raw"
    echo "$machine_folder/root.raw"
}

command_line() { echo "root=/dev/vda rw console=ttyS0 panic=-1 quiet"; }

# start_machine SHEAF GUEST KERNEL-KIND ROOT-DISK OPTION...: sets machine, console and report. The console goes
# to a file; with "--console stdio" among the options it is shown as well.
start_machine() {
    local sheaf=$1 guest=$2 kind=$3 disk=$4 option shown=
    shift 4
    console=$machine_folder/console
    report=$machine_folder/report
    rm -f "$report"
    : >"$console"
    for option in "$@"; do [ "$option" = stdio ] && shown=1; done
    if [ -n "$shown" ]; then
        "$sheaf" run --kernel "$guest/kernel-$kind" --initrd "$guest/initrd-$kind" --memory 512M \
            --disk "path=$disk" --report "$report" "$@" </dev/null > >(tee "$console") 2>&1 &
    else
        "$sheaf" run --kernel "$guest/kernel-$kind" --initrd "$guest/initrd-$kind" --memory 512M \
            --disk "path=$disk" --report "$report" --console "$console" "$@" </dev/null 2>"$machine_folder/errors" &
    fi
    machine=$!
}

# wait_for_console PATTERN SECONDS: fails when the machine ends or the time is over first.
wait_for_console() {
    local deadline=$((SECONDS + $2))
    until grep -aqE "$1" "$console"; do
        kill -0 "$machine" 2>/dev/null || { grep -aqE "$1" "$console"; return; }
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

fail_machine() {
    echo "FAILED: $1; the last console lines:" >&2
    tail -n 25 "$console" >&2
    cat "$machine_folder/errors" "$report" 2>/dev/null >&2 || true
    exit 1
}

# end_machine EXIT-CODE SECONDS: waits for the machine's own end and checks its exit code.
end_machine() {
    local deadline=$((SECONDS + $2)) status=0
    while kill -0 "$machine" 2>/dev/null; do
        [ "$SECONDS" -lt "$deadline" ] || fail_machine "the machine did not end within $2 s"
        sleep 0.2
    done
    wait "$machine" || status=$?
    machine=
    [ "$status" -eq "$1" ] || fail_machine "exit code $status where $1 was due"
}
