# shellcheck shell=bash disable=SC2034
# The Debian 12 packages that each part needs; sourced.

packages_build=(clang-19 lld-19 llvm-19 ccache ninja-build cmake pkg-config git python3
    libfmt-dev liburing-dev libsqlite3-dev libssl-dev libisal-dev libboost1.81-dev zlib1g-dev libzstd-dev nettle-dev libyaml-dev
    libcap-dev libseccomp-dev acpica-tools)
packages_test=(curl clang-tidy-19 clang-format-19 libclang-rt-19-dev libgtest-dev libgmock-dev
    libbenchmark-dev shellcheck fio iproute2 iputils-ping
    libnbd-bin python3-libnbd qemu-utils e2fsprogs xfsprogs fuse3 etcd-server openssl dpkg-dev groff-base)
# Another kubectl does as well, and its package may have the same file.
command -v kubectl >/dev/null || packages_test+=(kubernetes-client)
packages_lab=(qemu-system-x86 busybox-static kmod cpio e2fsprogs iproute2 iputils-ping
    netcat-openbsd util-linux python3 gdb nbd-client)
packages_guest=(mmdebstrap debian-archive-keyring e2fsprogs)
packages_uefi=(build-essential nasm acpica-tools uuid-dev python3 dpkg-dev debian-archive-keyring)
packages_disk=(fdisk dosfstools mtools grub-common grub-efi-amd64-bin)
packages_media=(grub-common grub-efi-amd64-bin xorriso mtools)
