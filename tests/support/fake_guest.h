#pragma once

// Why: device tests need somebody who behaves, or misbehaves, as a guest without KVM: memory of its
// own to put things into, and bytes of it to look at afterwards.

#include <span>
#include <string>
#include <vector>

#include "vmm/guest_memory.h"

namespace sheaf::test {

// Fails the process with the error where there is one: for set-up that a test is not about.
template <class T>
T must(Result<T> result) {
    if (!result) {
        fmt::print(stderr, "test set-up: {}\n", result.error().text());
        std::abort();
    }
    return detail::unwrap(std::move(result));
}

class FakeGuest {
  public:
    explicit FakeGuest(std::uint64_t size = 16_MiB)
        : memory_(must(vmm::GuestMemory::create(size, vmm::GuestMemory::Backing::anonymous))) {}

    const vmm::GuestMemory& memory() const { return memory_; }
    Gpa end() const { return Gpa{memory_.size()}; }

    // Memory that nobody else uses, zeroed. Never freed; aborts when there is none left.
    Gpa allocate(std::uint64_t length, std::uint64_t alignment = 16) {
        const auto start = Gpa{align_up(next_.value(), alignment)};
        next_ = start + length;
        if (next_ > end()) std::abort();
        return start;
    }
    // The same, filled.
    Gpa place(std::span<const std::byte> content) {
        const auto start = allocate(content.size());
        must(memory_.write(start, content));
        return start;
    }

    std::span<std::byte> view(Gpa address, std::uint64_t length) const {
        return must(memory_.slice(address, length));
    }
    std::vector<std::byte> copy(Gpa address, std::uint64_t length) const {
        const auto bytes = view(address, length);
        return {bytes.begin(), bytes.end()};
    }
    template <WireStruct T>
    T read(Gpa address) const {
        return must(memory_.read<T>(address));
    }
    template <WireStruct T>
    void write(Gpa address, const T& value) const {
        must(memory_.write(address, value));
    }

  private:
    vmm::GuestMemory memory_;
    Gpa next_{4_KiB};  // address 0 stays unused, as a mistake ends there
};

}  // namespace sheaf::test
