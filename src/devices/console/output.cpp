#include "devices/console/output.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace sheaf::console {

void Output::write(std::span<const std::byte> bytes) {
    const std::lock_guard lock{mutex_};
    if (bytes.size() > ring_.room()) {
        const auto before = ring_.size() + bytes.size();
        ring_.drop(bytes.size() - ring_.room());
        // More than the whole room at once: only its end is kept.
        if (bytes.size() > ring_.room()) bytes = bytes.last(ring_.room());
        lost_ += before - ring_.size() - bytes.size();
    }
    ring_.put(bytes);
}

std::size_t Output::take(std::span<std::byte> bytes) {
    const std::lock_guard lock{mutex_};
    if (note_.empty() && lost_ > announced_) {
        note_ = fmt::format("\r\n[sheaf: {} bytes of console output lost]\r\n", lost_ - announced_);
        announced_ = lost_;
    }
    const auto told = std::min(note_.size(), bytes.size());
    std::ranges::copy(as_bytes(note_).first(told), bytes.begin());
    note_.erase(0, told);
    return told + ring_.take(bytes.subspan(told));
}

std::uint64_t Output::lost() const {
    const std::lock_guard lock{mutex_};
    return lost_;
}

}  // namespace sheaf::console
