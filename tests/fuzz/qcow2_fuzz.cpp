// Any bytes as a qcow2 image: refused with a sentence, or a disk of which every read and every walk
// ends, in one way or another. Nothing is read outside the file, and no memory taken that it does
// not warrant.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "io/sim_loop.h"
#include "io/task_group.h"
#include "storage/image/qcow2.h"

namespace {

namespace io = sheaf::io;
using sheaf::image::Qcow2;
using sheaf::storage::Extent;

constexpr std::uint64_t most_read = 8 << 20;
constexpr std::uint64_t unit = 128 << 10;
constexpr std::size_t most_extents = 64;
constexpr unsigned most_walks = 256;

void require(bool holds) {
    if (!holds) std::abort();
}

// Reads what an extent claims to be zeros, and looks.
io::Task<void> check_zeros(Qcow2& image, std::uint64_t offset, std::uint64_t length) {
    std::vector<std::byte> bytes(std::min(length, unit), std::byte{0xa5});
    const iovec piece{bytes.data(), bytes.size()};
    co_await image.read(offset, std::span{&piece, 1});
    require(std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; }));
}

io::Task<void> walk(Qcow2& image) {
    const auto size = image.geometry().size;
    std::uint64_t offset = 0;
    for (unsigned walks = 0; offset < size && walks < most_walks; ++walks) {
        const auto found = co_await image.extents(offset, size - offset, most_extents);
        require(!found.empty() && found.size() <= most_extents);
        for (std::size_t index = 0; index < found.size(); ++index) {
            const auto& extent = found[index];
            require(extent.length > 0 && extent.length <= size - offset);
            require(index == 0 || found[index - 1].kind != extent.kind);
            if (extent.kind != Extent::Kind::data && walks < 4)
                co_await check_zeros(image, offset, extent.length);
            offset += extent.length;
        }
    }
}

// From the beginning, in two unequal pieces.
io::Task<void> read_through(Qcow2& image) {
    std::vector<std::byte> bytes(unit);
    const auto size = std::min(image.geometry().size, most_read);
    for (std::uint64_t offset = 0; offset < size; offset += unit) {
        const auto length = std::min(unit, size - offset);
        const std::array pieces{iovec{bytes.data(), 512}, iovec{bytes.data() + 512, length - 512}};
        const auto outcome = co_await image.read(offset, pieces).result();
        require(outcome || !outcome.error().text().empty());
    }
}

io::Task<void> use(io::Loop& loop, sheaf::Fd file, std::uint64_t size) {
    auto opened = co_await Qcow2::open(loop, std::move(file), size).result();
    if (!opened) {
        require(!opened.error().text().empty());
        co_return;
    }
    auto& image = **opened;
    const auto walked = co_await walk(image).result();
    co_await read_through(image);
    // The end, and the places where one table follows the other.
    const auto disk = image.geometry().size;
    if (disk >= 1024) {
        std::array<std::byte, 1024> bytes{};
        const iovec piece{bytes.data(), bytes.size()};
        const std::span pieces{&piece, 1};
        const auto end = co_await image.read(disk - 1024, pieces).result();
        const auto coverage = image.header().l2_coverage();
        if (disk > coverage + 512) {
            const auto border = co_await image.read(coverage - 512, pieces).result();
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span{data, size});
    io::SimDisk disk{0, 1, {.least_delay = {}, .most_delay = {}}};
    disk.set_content({bytes.begin(), bytes.end()});
    const auto loop = io::SimLoop::create(1);
    if (!loop) return 0;
    auto file = (*loop)->open(disk);
    if (!file) return 0;
    const auto outcome = io::run(**loop, use(**loop, *std::move(file), size));
    return 0;
}
