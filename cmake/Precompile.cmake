# Headers that most sources include, compiled once a target. Only the builds that the gate makes beside
# the shipped one do so, and the unit tests of the gate: dev, release and check compile every source of
# Sheaf's own with nothing but its own includes.
option(SHEAF_PRECOMPILE "Precompile the standard headers that most sources include" OFF)

set(sheaf_precompiled
    <algorithm> <array> <atomic> <bit> <cerrno> <chrono> <concepts> <coroutine> <cstdint> <cstring>
    <deque> <expected> <filesystem> <functional> <map> <memory> <mutex> <optional> <set> <span>
    <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector>
    <fcntl.h> <sys/socket.h> <sys/stat.h> <unistd.h> <fmt/format.h>)

# sheaf_precompile(TARGET HEADER...): the common headers and the given ones.
function(sheaf_precompile target)
    target_precompile_headers(${target} PRIVATE ${sheaf_precompiled} ${ARGN})
    # A time stamp in it would keep ccache from knowing it again.
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
endfunction()
