# shellcheck shell=bash
# Configures and builds presets; sourced after common.sh.

# build_preset NAME [TARGET...]: configures once, then builds what changed of these targets, or of all,
# with ninja's own progress.
build_preset() {
    local preset=$1 log=$SHEAF_ROOT/build/$1.log
    shift
    mkdir -p "$SHEAF_ROOT/build"
    if [ ! -e "$SHEAF_ROOT/build/$preset/build.ninja" ]; then
        say "configuring build/$preset"
        (cd "$SHEAF_ROOT" && run_logged "$log" cmake --preset "$preset")
    fi
    say "building build/$preset"
    (cd "$SHEAF_ROOT" && NINJA_STATUS="  [%f/%t] " cmake --build --preset "$preset" ${1:+--target "$@"}) |
        build_progress "$log" || {
        tail -n 40 "$log" >&2
        die "build/$preset does not build (its whole output is in $log)"
    }
}

# The whole output goes into the file $1, and a line now and then to the person who waits.
build_progress() {
    python3 -u -c '
import sys, time
shown = time.monotonic()
with open(sys.argv[1], "w") as log:
    for line in sys.stdin:
        log.write(line)
        if line.lstrip().startswith("[") and time.monotonic() - shown >= 10:
            shown = time.monotonic()
            print("      " + line.split("]")[0].strip() + "]", file=sys.stderr)
' "$1"
}
