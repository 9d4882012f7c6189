#include "node/resources.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include <fmt/ranges.h>

#include "net/tap.h"
#include "node/firmware.h"
#include "node/unix_socket.h"
#include "node/vsock_dial.h"
#include "storage/boot_record.h"
#include "storage/disk_file.h"

namespace sheaf::node {

namespace {

constexpr int gdb_backlog = 4;
constexpr auto boot_last = std::numeric_limits<unsigned>::max();

// A file to be read whole, such as a kernel.
Result<Fd> open_input(const std::string& what, const std::string& path) {
    auto file = TRY(checked_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "{} {}", what, path));
    struct stat information{};
    TRY(checked(::fstat(file.get(), &information), "{} {}", what, path));
    if (S_ISDIR(information.st_mode))
        return fail(Kind::invalid, "{} {}: it is a directory", what, path);
    if (!S_ISREG(information.st_mode))
        return fail(Kind::invalid, "{} {}: it is not a regular file", what, path);
    if (information.st_size == 0) return fail(Kind::invalid, "{} {}: it is empty", what, path);
    return file;
}

Result<Fd> open_kvm() {
    auto kvm = checked_fd(::open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
    if (kvm) return kvm;
    // Whatever the reason, it is the host that cannot; the remedy differs.
    const bool denied = kvm.error().kind() == Kind::denied;
    return fail(Kind::unavailable, "{}; {}", kvm.error().text(),
                denied ? "add yourself to the group kvm or run as root"
                       : "enable virtualisation in the firmware and load kvm_intel or kvm_amd");
}

// A locally administered address that depends on the tap's name alone, so that a guest keeps its
// address from run to run. FNV-1a spreads short names well enough.
std::string mac_of(const std::string& tap) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char letter : tap)
        hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
    return fmt::format("52:54:{:02x}:{:02x}:{:02x}:{:02x}", hash >> 24 & 0xff, hash >> 16 & 0xff,
                       hash >> 8 & 0xff, hash & 0xff);
}

}  // namespace

OwnedPath::~OwnedPath() {
    if (!path_.empty()) ::unlink(path_.c_str());
}

int Resources::keep(Fd descriptor) {
    owned_.push_back(std::move(descriptor));
    return owned_.back().get();
}

// What is on a volume its engine alone can read: firmware finds out whether it starts.
Result<DiskSpec> Resources::open_disk(const DiskOption& option,
                                      std::vector<std::string>& complaints) {
    auto disk = DiskSpec{
        .descriptor = -1, .read_only = option.read_only, .serial = option.serial, .volume = {}};
    if (!option.volume.empty()) {
        volumes_[spec_.disks.size()] = TRY(HeldVolume::take(option.pool, option.volume));
        return disk;
    }
    const auto access = option.read_only ? storage::Access::read_only : storage::Access::read_write;
    auto descriptor = TRY(storage::open_disk(option.path, access));
    if (!option.raw) TRY_WITHIN(storage::check_raw_format(descriptor), "disk {}", option.path);
    if (const auto record = storage::check_boot_record(descriptor); !record)
        complaints.push_back(fmt::format("disk {}: {}", option.path, record.error().text()));
    disk.descriptor = keep(std::move(descriptor));
    return disk;
}

// In boot order, which is the order of their slots. The numbers of disks without a serial follow
// the order in which they were given.
Result<void> Resources::open_disks(const RunOptions& options) {
    auto complaints = std::vector<std::string>{};
    auto order = std::vector<std::size_t>(options.disks.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t index) {
        return std::pair{options.disks[index].boot.value_or(boot_last), index};
    });
    for (const auto index : order) {
        auto disk = TRY(open_disk(options.disks[index], complaints));
        if (disk.serial.empty()) disk.serial = fmt::format("disk{}", index);
        spec_.disks.push_back(std::move(disk));
    }
    // A card may boot from the network; other firmware may start what is not known here.
    const bool must_boot = options.firmware == uefi && options.nets.empty();
    if (must_boot && complaints.size() == options.disks.size())
        return fail(Kind::invalid, "nothing to boot from: {}",
                    complaints.empty() ? "there is no disk"
                                       : fmt::format("{}", fmt::join(complaints, "; ")));
    return {};
}

Result<Resources> Resources::open(const RunOptions& options) {
    auto resources = Resources{};
    auto& spec = resources.spec_;
    spec.cpus = options.cpus;
    spec.memory = options.memory;
    spec.command_line = options.command_line;
    spec.balloon = options.balloon;
    spec.firmware = !options.firmware.empty();
    const auto path = spec.firmware ? TRY(find_firmware(options.firmware)) : options.kernel;
    const std::string what = spec.firmware ? "firmware" : "kernel";
    spec.kernel_name = fmt::format("{} {}", what, path);
    spec.kernel = resources.keep(TRY(open_input(what, path)));
    if (options.initrd) {
        spec.initrd_name = *options.initrd;
        spec.initrd = resources.keep(TRY(open_input("initrd", *options.initrd)));
    }
    TRY(resources.open_disks(options));
    for (const auto& option : options.nets) {
        auto nic = NicSpec{};
        const auto pairs = std::max(1u, std::min(options.cpus, 8u));
        for (auto& queue : TRY(net::open_tap(option.tap, pairs)))
            nic.descriptors.push_back(resources.keep(std::move(queue)));
        nic.mac = option.mac.empty() ? mac_of(option.tap) : option.mac;
        nic.mtu = option.mtu;
        spec.nics.push_back(std::move(nic));
    }
    if (options.vsock) {
        auto listener = TRY(listen_for_vsock(options.vsock->socket));
        resources.paths_.emplace_back(options.vsock->socket);
        spec.vsock =
            VsockSpec{.cid = options.vsock->cid, .listener = resources.keep(std::move(listener))};
    }
    if (options.gdb) {
        auto listener =
            TRY(listen_at("gdb socket", options.gdb->socket, gdb_backlog, SocketMode::owner));
        resources.paths_.emplace_back(options.gdb->socket);
        spec.gdb =
            GdbSpec{.listener = resources.keep(std::move(listener)), .wait = options.gdb->wait};
    }
    spec.kvm = resources.keep(TRY(open_kvm()));
    return resources;
}

std::vector<int> Resources::descriptors() const {
    auto numbers = std::vector<int>{};
    std::ranges::transform(owned_, std::back_inserter(numbers), &Fd::get);
    return numbers;
}

}  // namespace sheaf::node
