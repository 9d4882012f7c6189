// Any bytes as a debugger's stream, against a small paged guest: packets are taken apart the same
// wherever the stream is cut, what is answered can be framed and read back, breakpoints are hidden,
// and once they are cleared the guest's memory holds none.

#include <cstdlib>

#include "vmm/debug/commands.h"
#include "vmm/debug/packet.h"

namespace sheaf::vmm::debug {
namespace {

constexpr std::uint64_t present = 1;
constexpr auto breakpoint = std::byte{0xcc};

void require(bool holds) {
    if (!holds) std::abort();
}

// Payloads of whole packets, and whether the stream was refused.
struct Stream {
    std::vector<std::string> packets;
    bool refused = false;
    bool operator==(const Stream&) const = default;
};

Stream read(std::span<const std::byte> bytes, std::size_t step) {
    auto reader = FrameReader{};
    auto stream = Stream{};
    while (!bytes.empty() && !stream.refused) {
        auto piece = bytes.first(std::min(step, bytes.size()));
        bytes = bytes.subspan(piece.size());
        while (!piece.empty() && !stream.refused) {
            auto frame = reader.next(piece);
            stream.refused = !frame;
            if (frame && *frame && (*frame)->kind == Frame::Kind::packet)
                stream.packets.push_back((*frame)->payload);
        }
    }
    return stream;
}

// Four levels whose tables are memory that a debugger may write.
void make_tables(Debuggee& debuggee) {
    for (auto& file : debuggee.registers) {
        file.system.cr0 = 1u << 31;
        file.system.efer = 1u << 10;
        file.system.cr3 = 0x1000;
    }
    const auto put = [&](std::uint64_t at, std::uint64_t entry) {
        require(debuggee.memory.write(Gpa{at}, entry).has_value());
    };
    put(0x1000, 0x2000 | present);
    put(0x2000, 0x3000 | present);
    put(0x3000, 0x4000 | present);
    for (std::uint64_t page = 0; page < 16; ++page) put(0x4000 + page * 8, page << 12 | present);
}

void check(const Outcome& outcome, std::size_t cpus) {
    require(outcome.answer.size() <= packet_limit + 1);
    if (outcome.then == Outcome::Then::resume) require(outcome.go.size() == cpus);
    const auto frame = make_frame(outcome.answer);
    require(read(as_bytes(frame), 7).packets == std::vector{outcome.answer});
}

void run(std::span<const std::byte> bytes) {
    const auto stream = read(bytes, bytes.size());
    require(read(bytes, 1) == stream);

    static const auto memory = *GuestMemory::create(64_KiB, GuestMemory::Backing::anonymous);
    const auto all = memory.regions().front().bytes;
    std::ranges::fill(all, std::byte{0});
    auto debuggee = Debuggee{memory, 2};
    make_tables(debuggee);
    auto commands = Commands{debuggee};
    bool wrote = false;
    for (const auto& packet : stream.packets) {
        check(commands.handle(packet), debuggee.registers.size());
        wrote = wrote || packet.starts_with('M') || packet.starts_with('X');
    }
    debuggee.breakpoints.clear(memory);
    require(debuggee.breakpoints.empty());
    if (!wrote) require(std::ranges::find(all, breakpoint) == all.end());
}

}  // namespace
}  // namespace sheaf::vmm::debug

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 0) sheaf::vmm::debug::run(std::as_bytes(std::span{data, size}));
    return 0;
}
