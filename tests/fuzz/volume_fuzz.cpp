// A volume whose metadata says anything at all, under right checksums: it is refused with a
// sentence, or reads and writes end, each in one way or another. Nothing is read outside the files,
// and no memory is taken that the files do not warrant.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "io/task_group.h"
#include "sim/volume_world.h"
#include "storage/volume/map_geometry.h"
#include "storage/volume/page.h"

namespace {

using sheaf::load;
using sheaf::store;
using sheaf::sim::VolumeWorld;
using sheaf::volume::page_size;
namespace io = sheaf::io;
namespace volume = sheaf::volume;
using Part = VolumeWorld::Part;
using Contents = std::array<std::vector<std::byte>, VolumeWorld::parts>;

constexpr std::uint64_t volume_size = 4 << 20;

volume::Options small_steps() {
    volume::Options options;
    options.growth = {.segment = 4, .ahead = 2};
    return options;
}

io::Task<void> make(VolumeWorld& world) {
    auto files = co_await world.open();
    co_await volume::Volume::create(world.loop(), std::move(files), world.shape());
    auto again = co_await world.open();
    auto made =
        co_await volume::Volume::open(world.loop(), std::move(again), world.store(), small_steps());
    std::vector<std::byte> bytes((64 << 10), std::byte{0x5a});
    const iovec piece{bytes.data(), bytes.size()};
    for (std::uint64_t offset = 0; offset < volume_size; offset += 768 << 10)
        co_await made->write(offset, std::span{&piece, 1});
    co_await made->flush();
    co_await made->checkpoint();
    co_await made->write(1 << 20, std::span{&piece, 1});
    co_await made->flush();
    co_await made->abandon();
}

// The files of a volume as a kill left them, log and all.
const Contents& sound() {
    static const Contents contents = [] {
        VolumeWorld world{1, volume_size, 2 * volume_size};
        if (!io::run(world.loop(), make(world))) std::abort();
        Contents found;
        for (std::size_t part = 0; part < found.size(); ++part) {
            const auto content = world.disk(static_cast<Part>(part)).content();
            found.at(part).assign(content.begin(), content.end());
        }
        return found;
    }();
    return contents;
}

// Bytes over bytes: which file, where, what.
void patch(Contents& contents, std::span<const std::byte> input) {
    constexpr std::size_t head = 5;
    while (input.size() > head) {
        auto& file = contents.at(std::to_integer<std::size_t>(input[0]) % contents.size());
        const auto place = load<std::uint32_t>(input.subspan(1)) % file.size();
        const auto length =
            std::min<std::size_t>({std::to_integer<std::size_t>(input[head]) % 16 + 1,
                                   input.size() - head - 1, file.size() - place});
        std::ranges::copy(input.subspan(head + 1, length), file.begin() + place);
        input = input.subspan(std::min(input.size(), head + 1 + length));
    }
}

// Gives a page the checksum that its bytes have; what it says of itself stays.
std::optional<std::uint32_t> reseal(std::span<std::byte> page) {
    const auto header = load<volume::PageHeader>(page);
    const volume::PageName name{static_cast<volume::PageKind>(header.kind), header.owner,
                                header.position};
    return volume::seal(page, name, header.sequence);
}

std::span<std::byte> page_at(std::vector<std::byte>& file, std::uint64_t place) {
    if ((place + 1) * page_size > file.size()) return {};
    return std::span{file}.subspan(place * page_size, page_size);
}

// From the leaves to the root, so that each pointer fits what it points at.
void reseal_below(std::vector<std::byte>& map, std::span<std::byte> page, unsigned level,
                  std::uint64_t number) {
    constexpr std::array places{&volume::slots_place, &volume::directory_place,
                                &volume::branch_place};
    for (std::uint64_t child = 0; level > 0 && child < 2; ++child) {
        const auto pointer_bytes =
            page.subspan(sizeof(volume::PageHeader) + child * sizeof(volume::Pointer));
        auto pointer = load<volume::Pointer>(pointer_bytes);
        if (!pointer.present()) continue;
        const auto below = number * volume::fan_out + child;
        auto target = page_at(map, places.at(level - 1)(below) + pointer.home());
        if (target.empty()) continue;
        reseal_below(map, target, level - 1, below);
        const auto checksum = reseal(target);
        const auto sequence = load<volume::PageHeader>(target).sequence;
        store(pointer_bytes, volume::Pointer::to(*checksum, pointer.home(), sequence));
    }
}

void reseal_journal(std::vector<std::byte>& journal, volume::Pointer root) {
    for (std::uint64_t home = 0; home < 2; ++home) {
        auto page = page_at(journal, home);
        const auto body = page.subspan(sizeof(volume::PageHeader));
        auto superblock = load<volume::Superblock>(body);
        const auto length = std::uint64_t{superblock.table_length};
        if (length >= page_size && length % page_size == 0 && length < journal.size() &&
            superblock.table_offset <= journal.size() - length) {
            const auto table = std::span{journal}.subspan(superblock.table_offset, length);
            auto entry = load<volume::LayerEntry>(table.subspan(256));
            entry.root = root;
            store(table.subspan(256), entry);
            superblock.table_checksum = *reseal(table);
            store(body, superblock);
        }
        reseal(page);
    }
    for (std::uint64_t place = 2; place < 18; ++place)
        if (auto page = page_at(journal, place); !page.empty()) reseal(page);
}

void reseal_all(Contents& contents) {
    auto& map = contents.at(static_cast<std::size_t>(Part::map));
    const auto root_home = load<volume::PageHeader>(page_at(map, 1)).sequence >
                           load<volume::PageHeader>(page_at(map, 0)).sequence;
    auto root = page_at(map, root_home ? 1 : 0);
    reseal_below(map, root, 3, 0);
    const auto checksum = reseal(root);
    const auto pointer =
        volume::Pointer::to(*checksum, root_home ? 1 : 0, load<volume::PageHeader>(root).sequence);
    for (const auto part : {Part::first_journal, Part::second_journal})
        reseal_journal(contents.at(static_cast<std::size_t>(part)), pointer);
    auto& intent = contents.at(static_cast<std::size_t>(Part::intent));
    for (std::uint64_t place = 0; !page_at(intent, place).empty(); ++place)
        reseal(page_at(intent, place));
}

io::Task<void> use(VolumeWorld& world) {
    auto files = co_await world.open();
    auto opened =
        co_await volume::Volume::open(world.loop(), std::move(files), world.store(), small_steps())
            .result();
    if (!opened) {
        if (opened.error().text().empty()) std::abort();
        co_return;
    }
    const auto volume = *std::move(opened);
    std::vector<std::byte> bytes((256 << 10));
    const iovec piece{bytes.data(), bytes.size()};
    const auto size = std::min<std::uint64_t>(volume->geometry().size, volume_size);
    for (std::uint64_t offset = 0; offset + bytes.size() <= size; offset += bytes.size()) {
        const auto read = co_await volume->read(offset, std::span{&piece, 1}).result();
        const auto written =
            co_await volume->write(offset / 2, std::span{&piece, 1}.first(1)).result();
    }
    const auto discarded = co_await volume->discard(0, size / 2).result();
    const auto flushed = co_await volume->flush().result();
    const auto ended = co_await volume->shut_down().result();
}

// A write may wait for room as long as it likes; after a while it is told to stop.
io::Task<void> use_for_a_while(VolumeWorld& world) {
    io::TaskGroup group;
    group.start(use(world));
    co_await world.loop().sleep(std::chrono::seconds{30});
    group.cancel();
    co_await group.join();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    auto contents = sound();
    const auto input = std::as_bytes(std::span{data, size});
    patch(contents, input.subspan(1));
    if (data[0] % 8 != 0) reseal_all(contents);
    VolumeWorld world{2, volume_size, 2 * volume_size};
    for (std::size_t part = 0; part < contents.size(); ++part)
        world.disk(static_cast<Part>(part)).set_content(contents.at(part));
    const auto outcome = io::run(world.loop(), use_for_a_while(world));
    return 0;
}
