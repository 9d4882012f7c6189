# The Debian packages that each part needs; sourced after common.sh.

packages_build=(clang-19 lld-19 llvm-19 libclang-rt-19-dev ccache ninja-build cmake pkg-config git
    libsimdjson-dev libfmt-dev liburing-dev libboost1.81-dev acpica-tools python3)
packages_test=(clang-tidy-19 clang-format-19 libgtest-dev libgmock-dev libbenchmark-dev
    fio iproute2 util-linux)
packages_lab=(qemu-system-x86 busybox-static kmod cpio xz-utils e2fsprogs iproute2
    netcat-openbsd iputils-ping)
packages_guest=(mmdebstrap e2fsprogs kmod)
