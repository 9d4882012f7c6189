#pragma once

// Why: guest memory is the one thing the guest and all devices share, and every address in it comes
// from the guest. Each access is checked against the map, and a structure is copied once before
// it is looked at, so that the guest cannot change it between check and use.

#include <vector>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/mapping.h"
#include "base/units.h"

namespace sheaf::vmm {

class GuestMemory {
  public:
    enum class Backing { anonymous, memfd };

    struct Region {
        Gpa start;
        std::span<std::byte> bytes;  // this process's view of it
    };

    // `size` bytes, a multiple of 4 KiB: up to layout::hole_start from address 0, the rest from
    // 4 GiB. Immutable once made, so every thread may use it.
    static Result<GuestMemory> create(std::uint64_t size, Backing backing);

    std::uint64_t size() const { return size_; }
    std::span<const Region> regions() const { return regions_; }

    // Gives the host pages that lie wholly within `bytes`, a part of what slice() gave, back to the
    // host: they then read as zeroes and cost nothing until they are written. Gives how many bytes
    // that were. Waits for no device. Any thread. Fails with invalid where it is not guest memory.
    Result<std::uint64_t> discard(std::span<std::byte> bytes) const;

    // The host bytes behind [address, address + length), which must lie within one region.
    Result<std::span<std::byte>> slice(Gpa address, std::uint64_t length) const;

    template <WireStruct T>
    Result<T> read(Gpa address) const {
        return load<T>(TRY(slice(address, sizeof(T))));
    }
    template <WireStruct T>
    Result<void> write(Gpa address, const T& value) const {
        store(TRY(slice(address, sizeof(T))), value);
        return {};
    }
    Result<void> write(Gpa address, std::span<const std::byte> bytes) const;

  private:
    std::uint64_t size_ = 0;
    std::uint64_t page_size_ = 0;  // of the host's pages behind it
    Fd file_;                      // holds one region after the other
    std::vector<Mapping> mappings_;
    std::vector<Region> regions_;
};

// An index that guest and device both touch, at an aligned host address inside guest memory. The
// guest may change it at any time, so it is read once and ordered against what it stands for.
template <std::unsigned_integral T>
T load_acquire(std::span<const std::byte> at) {
    return __atomic_load_n(reinterpret_cast<const T*>(at.first(sizeof(T)).data()),
                           __ATOMIC_ACQUIRE);
}
template <std::unsigned_integral T>
void store_release(std::span<std::byte> at, T value) {
    __atomic_store_n(reinterpret_cast<T*>(at.first(sizeof(T)).data()), value, __ATOMIC_RELEASE);
}

}  // namespace sheaf::vmm
