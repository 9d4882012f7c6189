#pragma once

// Why: fuzz targets of devices read their input as the deeds of a driver: chains of pieces, well
// formed or not, offered to a queue.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "support/driver_queue.h"

namespace sheaf::test {

// The input from its front; zeroes when it has run out.
class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size)
        : rest_(std::as_bytes(std::span{data, size})) {}

    bool empty() const { return rest_.empty(); }
    std::span<const std::byte> bytes(std::size_t count) {
        const auto taken = rest_.first(std::min(count, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }
    template <WireStruct T>
    T number() {
        T value{};
        std::ranges::copy(bytes(sizeof(T)), std::as_writable_bytes(std::span{&value, 1}).begin());
        return value;
    }

  private:
    std::span<const std::byte> rest_;
};

// How much of a queue and of guest memory one run may use up; the verbs of the driver end the
// process where a test asks for more than there is.
struct Budget {
    unsigned descriptors = 60;
    std::uint32_t memory = 512 * 1024;
    bool strayed = false;  // a descriptor was made up: where it leads, the test does not know
};

// Offers a chain that the input describes; false where the budget is used up.
inline bool offer_chain(Input& input, DriverQueue& queue, Budget& budget) {
    const auto shape = input.number<std::uint8_t>();
    const unsigned pieces = 1 + shape % 6;
    if (pieces > budget.descriptors) return false;
    budget.descriptors -= pieces;
    auto chain = queue.chain();
    for (unsigned piece = 0; piece < pieces; ++piece) {
        const auto kind = input.number<std::uint8_t>();
        if (kind % 8 == 7) {
            const auto address = input.number<std::uint64_t>();
            const auto length = input.number<std::uint32_t>();
            chain.piece(Gpa{address}, length, input.number<std::uint16_t>());
            budget.strayed = true;
            continue;
        }
        const std::uint32_t length = kind % 8 == 6 ? input.number<std::uint16_t>() : kind / 8u;
        if (length > budget.memory) return false;
        budget.memory -= length;
        if (kind % 2 == 0) {
            chain.readable(input.bytes(length));
        } else {
            chain.writable(length);
        }
    }
    if (shape & 0x80) {
        chain.offer_indirect();
    } else {
        chain.offer();
    }
    return true;
}

}  // namespace sheaf::test
