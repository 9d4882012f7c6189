#include "node/resources.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "net/tap.h"
#include "node/vsock_dial.h"
#include "storage/disk_file.h"

namespace sheaf::node {

namespace {

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

Result<Resources> Resources::open(const RunOptions& options) {
    auto resources = Resources{};
    auto& spec = resources.spec_;
    spec.cpus = options.cpus;
    spec.memory = options.memory;
    spec.command_line = options.command_line;
    spec.balloon = options.balloon;
    spec.kernel_name = options.kernel;
    spec.kernel = resources.keep(TRY(open_input("kernel", options.kernel)));
    if (options.initrd) {
        spec.initrd_name = *options.initrd;
        spec.initrd = resources.keep(TRY(open_input("initrd", *options.initrd)));
    }
    for (const auto& option : options.disks) {
        auto disk = DiskSpec{};
        const auto access =
            option.read_only ? storage::Access::read_only : storage::Access::read_write;
        disk.descriptor = resources.keep(TRY(storage::open_disk(option.path, access)));
        disk.read_only = option.read_only;
        disk.serial =
            option.serial.empty() ? fmt::format("disk{}", spec.disks.size()) : option.serial;
        spec.disks.push_back(std::move(disk));
    }
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
    spec.kvm = resources.keep(TRY(open_kvm()));
    return resources;
}

std::vector<int> Resources::descriptors() const {
    auto numbers = std::vector<int>{};
    std::ranges::transform(owned_, std::back_inserter(numbers), &Fd::get);
    return numbers;
}

}  // namespace sheaf::node
