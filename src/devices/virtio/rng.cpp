#include "devices/virtio/rng.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace sheaf::virtio {

Rng::Rng() : traits_{.type = DeviceType::entropy, .queue_sizes = {64}, .pci_class = 0x100000} {}

io::Task<void> Rng::serve(Queue& queue) {
    while (auto chain = co_await queue.next()) co_await fill(*chain);
}

// In pieces that getrandom(2) gives whole and without being interrupted.
Result<void> Rng::fill(Chain& chain) {
    std::array<std::byte, 256> random;
    auto& to = chain.writable();
    std::uint32_t written = 0;
    while (to.size() > 0 && written < most_bytes) {
        const auto part =
            std::span{random}.first(std::min({random.size(), to.size(), most_bytes - written}));
        if (::getrandom(part.data(), part.size(), 0) != static_cast<ssize_t>(part.size()))
            return fail_os(errno, "asking the host for random bytes");
        TRY(to.copy_in(part));
        written += static_cast<std::uint32_t>(part.size());
    }
    chain.set_written(written);
    return {};
}

}  // namespace sheaf::virtio
