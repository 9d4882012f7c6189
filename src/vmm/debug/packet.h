#pragma once

// Why: a debugger's stream is taken apart into frames here, before anything looks at what they mean
// (GDB manual, "Overview" of the remote serial protocol). Whoever connects may send anything.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace sheaf::vmm::debug {

// The most bytes between a frame's "$" and "#", either way.
inline constexpr std::size_t packet_limit = 16_KiB;

struct Frame {
    enum class Kind {
        packet,
        damaged,       // a packet whose checksum is wrong
        acknowledged,  // "+"
        refused,       // "-": the last packet is wanted again
        interrupt,     // Ctrl-C
    };
    Kind kind = Kind::packet;
    std::string payload;  // of a packet, escapes undone
};

class FrameReader {
  public:
    // Takes bytes from the front of `bytes` until a frame is whole; none where all of them were
    // taken before that. Fails with invalid for a byte that is no part of the protocol, and with
    // exhausted for a packet over the limit; the stream is then of no more use.
    Result<std::optional<Frame>> next(std::span<const std::byte>& bytes);

  private:
    enum class State { outside, payload, escaped, first_digit, second_digit };

    Result<std::optional<Frame>> outside(char letter);
    Result<void> inside(char letter);
    std::optional<Frame> checked(char letter);

    State state_ = State::outside;
    std::string payload_;
    std::size_t taken_ = 0;  // bytes of the payload as they were sent
    std::uint8_t sum_ = 0;
    int first_digit_ = -1;
};

// The payload as a frame, with its escapes and checksum.
std::string make_frame(std::string_view payload);

}  // namespace sheaf::vmm::debug
