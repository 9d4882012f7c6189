#include "vmm/debug/debuggee.h"

#include <algorithm>

#include "vmm/debug/page_walk.h"

namespace sheaf::vmm::debug {

Result<Gpa> Debuggee::place_of(std::size_t cpu, std::uint64_t address) const {
    return translate(memory, registers.at(cpu).system, address);
}

Result<Debuggee::Piece> Debuggee::piece(std::size_t cpu, std::uint64_t address,
                                        std::size_t length) const {
    const auto start = TRY(place_of(cpu, address));
    const auto in_page = std::min<std::uint64_t>(length, 4_KiB - address % 4_KiB);
    TRY(memory.slice(start, in_page));
    return Piece{start, in_page};
}

std::size_t Debuggee::read(std::size_t cpu, std::uint64_t address,
                           std::span<std::byte> bytes) const {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto part = piece(cpu, address + done, bytes.size() - done);
        if (!part) break;
        const auto into = bytes.subspan(done, part->length);
        std::ranges::copy(*memory.slice(part->start, part->length), into.begin());
        breakpoints.hide(part->start, into);
        done += part->length;
    }
    return done;
}

Result<void> Debuggee::write(std::size_t cpu, std::uint64_t address,
                             std::span<const std::byte> bytes) {
    auto pieces = std::vector<Piece>{};
    for (std::size_t found = 0; found < bytes.size(); found += pieces.back().length)
        pieces.push_back(TRY(piece(cpu, address + found, bytes.size() - found)));
    for (const auto& [start, length] : pieces) {
        TRY(breakpoints.write(memory, start, bytes.first(length)));
        bytes = bytes.subspan(length);
    }
    return {};
}

}  // namespace sheaf::vmm::debug
