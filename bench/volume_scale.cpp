// What is done to a whole volume of a pool, and how long it takes and what memory:
// volume_scale POOL VOLUME test=NAME [chunks=N]. test=map makes so many chunks of a new volume
// exist, as far apart as can be, without writing them; test=open, snapshot, clone and read_all do
// that once.

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "base/bytes.h"
#include "io/make_loop.h"
#include "io/task_group.h"
#include "loads.h"
#include "storage/aligned_buffer.h"
#include "storage/checksum.h"
#include "storage/pool/clone.h"
#include "storage/pool/held_layers.h"
#include "storage/volume/journal.h"
#include "storage/volume/map_format.h"
#include "storage/volume/map_geometry.h"
#include "storage/volume/page.h"

namespace bench {
namespace {

using sheaf::volume::Volume;
namespace io = sheaf::io;
namespace pool = sheaf::pool;
namespace volume = sheaf::volume;

constexpr std::size_t block = volume::block_size;
constexpr std::uint64_t page_span = volume::chunk_size * volume::chunks_per_page;

// Its own memory, without what is mapped from files.
std::uint64_t resident_kib() {
    constexpr std::string_view name = "RssAnon:";
    std::ifstream status{"/proc/self/status"};
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(name)) return std::strtoull(line.data() + name.size(), nullptr, 10);
    return 0;
}

// Of one thing that is done.
class Cost {
  public:
    void print(std::string_view name) const {
        const auto time = std::chrono::nanoseconds{Clock::now() - began_}.count();
        std::printf("metric %.*s us=%ld kib=%lu\n", static_cast<int>(name.size()), name.data(),
                    time / 1000, std::max(resident_kib(), before_) - before_);
    }

  private:
    std::uint64_t before_ = resident_kib();
    Clock::time_point began_ = Clock::now();
};

// A map of chunks that hold zeros: the data file is a hole, and takes no room. All pages are in
// their first homes, written a directory at a time.
class MapMaker {
  public:
    struct Size {
        std::uint64_t chunks;  // that exist
        std::uint64_t places;  // where they could be
    };
    MapMaker(volume::File& map, volume::Id layer, Size size)
        : map_(map), layer_(layer), size_(size) {
        const sheaf::storage::AlignedBuffer zeros{block};
        std::ranges::fill(zeros.bytes(), std::byte{0});
        full_.states = 0xaaaaaaaaaaaaaaaa;
        full_.checksums.fill(sheaf::storage::crc32c(zeros.bytes()));
    }
    // Gives the pointer to the root.
    io::Task<volume::Pointer> make();

  private:
    using PointerPage = volume::PointerPage;

    std::uint64_t place_of_next() const { return next_ * size_.places / size_.chunks; }
    template <class Page>
    volume::Pointer put(const Page& page, volume::PageKind kind, std::uint64_t position,
                        std::size_t at = 0);
    bool fill(volume::SlotsPage& page, std::uint64_t number);
    io::Task<volume::Pointer> make_directory(std::uint64_t number);
    io::Task<volume::Pointer> write(const PointerPage& page, volume::PageKind kind,
                                    std::uint64_t position, std::uint64_t place);

    volume::File& map_;
    volume::Id layer_;
    Size size_;
    volume::SlotEntry full_{};
    std::uint64_t next_ = 0;
    sheaf::storage::AlignedBuffer buffer_{volume::pages_per_directory * volume::page_size};
};

io::Task<volume::Pointer> MapMaker::make() {
    constexpr auto chunks_per_directory = volume::fan_out * volume::chunks_per_page;
    const auto directories = (size_.places - 1) / chunks_per_directory + 1;
    const auto root = std::make_unique<PointerPage>();
    for (std::uint64_t first = 0; first < directories; first += volume::fan_out) {
        const auto number = first / volume::fan_out;
        const auto branch = std::make_unique<PointerPage>();
        for (auto i = first; i < std::min(directories, first + volume::fan_out); ++i)
            branch->pointers.at(i - first) = co_await make_directory(i);
        root->pointers.at(number) =
            co_await write(*branch, volume::PageKind::branch, number, volume::branch_place(number));
    }
    co_return co_await write(*root, volume::PageKind::root, 0, 0);
}

io::Task<volume::Pointer> MapMaker::make_directory(std::uint64_t number) {
    std::ranges::fill(buffer_.bytes(), std::byte{0});
    const auto directory = std::make_unique<PointerPage>();
    const auto page = std::make_unique<volume::SlotsPage>();
    for (std::size_t i = 0; i < volume::fan_out; ++i) {
        const auto position = number * volume::fan_out + i;
        if (fill(*page, position))
            directory->pointers.at(i) =
                put(*page, volume::PageKind::slots, position, (2 + 2 * i) * volume::page_size);
    }
    const auto pointer = put(*directory, volume::PageKind::directory, number);
    co_await map_.write(buffer_.bytes(), volume::directory_place(number) * volume::page_size);
    co_return pointer;
}

bool MapMaker::fill(volume::SlotsPage& page, std::uint64_t number) {
    const auto before = next_;
    page = {};
    for (; next_ < size_.chunks && place_of_next() / volume::chunks_per_page == number; ++next_) {
        full_.slot = static_cast<std::uint32_t>(next_);
        page.entries.at(place_of_next() % volume::chunks_per_page) = full_;
    }
    return next_ > before;
}

template <class Page>
volume::Pointer MapMaker::put(const Page& page, volume::PageKind kind, std::uint64_t position,
                              std::size_t at) {
    const auto into = buffer_.bytes().subspan(at, volume::page_size);
    sheaf::store(into, page);
    return volume::Pointer::to(volume::seal(into, {kind, layer_, position}, 1), 0, 1);
}

io::Task<volume::Pointer> MapMaker::write(const PointerPage& page, volume::PageKind kind,
                                          std::uint64_t position, std::uint64_t place) {
    const auto pointer = put(page, kind, position);
    const auto bytes = buffer_.bytes().first(volume::page_size);
    co_await map_.write(bytes, place * volume::page_size);
    co_return pointer;
}

// One slot is left free, as in any volume of which something was discarded.
io::Task<void> make_map(io::Loop& loop, const pool::Holding& held, std::uint64_t chunks) {
    auto files = co_await held.open_files();
    auto first = co_await volume::File::create(loop, std::move(files.journal[0]));
    auto second = co_await volume::File::create(loop, std::move(files.journal[1]));
    volume::Journal::Files copies{std::move(first), std::move(second)};
    const auto journal = co_await volume::Journal::open(std::move(copies));
    auto layers = journal->layers();
    auto& head = layers.back();
    auto& layer = files.layers.front();
    const auto slots = chunks + 1;
    if (::ftruncate(layer.data.get(), static_cast<off_t>(slots * volume::chunk_size)) != 0)
        co_await sheaf::fail_os(errno, "making the data file long");
    auto map = co_await volume::File::create(loop, std::move(layer.map));
    const auto places = journal->superblock().size / volume::chunk_size;
    MapMaker maker{map, head.id, {.chunks = chunks, .places = places}};
    head.root = co_await maker.make();
    co_await map.sync();
    head.slots_used = static_cast<std::uint32_t>(chunks);
    head.slots_end = static_cast<std::uint32_t>(slots);
    const auto prepared = co_await journal->prepare(journal->superblock(), std::move(layers));
    co_await journal->commit(prepared);
}

// One block of each page of the map, which then is all known.
class Reader {
  public:
    explicit Reader(Volume& read) : volume_(read) {}
    io::Task<void> read_all() {
        io::TaskGroup readers;
        for (unsigned slot = 0; slot < most_depth; ++slot) readers.start(read(slot));
        co_await readers.join();
    }

  private:
    io::Task<void> read(unsigned slot) {
        const iovec piece{buffers_.bytes().data() + slot * block, block};
        while (next_ < volume_.geometry().size) {
            const auto place = std::exchange(next_, next_ + page_span);
            co_await volume_.read(place, std::span{&piece, 1});
        }
    }

    Volume& volume_;
    sheaf::storage::AlignedBuffer buffers_{most_depth * block};
    std::uint64_t next_ = 0;
};

// Something has changed since the last one.
io::Task<void> take_snapshot(Volume& changed) {
    const sheaf::storage::AlignedBuffer buffer{block};
    const iovec piece{buffer.bytes().data(), block};
    co_await changed.write(0, std::span{&piece, 1});
    const Cost cost;
    co_await changed.snapshot("s" + std::to_string(changed.snapshots().size()));
    cost.print("snapshot");
}

// With what it does behind requests where nothing is asked.
io::Task<void> open(io::Loop& loop, const pool::Pool& pool, const pool::Holding& held,
                    const Options& options) {
    constexpr auto settling = std::chrono::milliseconds{500};
    pool::HeldLayers layers{held};
    const Cost cost;
    const auto opened = co_await pool::open_volume(loop, pool, held, layers);
    cost.print("open");
    Reader reader{*opened};
    auto outcome = sheaf::Result<void>{};
    if (options.names("open")) co_await loop.sleep(settling);
    if (options.names("snapshot")) outcome = co_await take_snapshot(*opened).result();
    if (options.names("read_all")) outcome = co_await reader.read_all().result();
    cost.print("opened");
    auto closed = co_await opened->shut_down().result();
    co_await std::move(outcome);
    co_await std::move(closed);
}

io::Task<void> clone(io::Loop& loop, const pool::Pool& pool, std::string name) {
    pool::NewVolume wanted;
    wanted.name = name + "-clone";
    const pool::Origin origin{pool::Shelf::volumes, name, "s0"};
    const Cost cost;
    co_await pool::create_clone(loop, pool, wanted, origin);
    cost.print("clone");
}

sheaf::Result<void> run(int count, char** words) {
    if (count < 4) return sheaf::fail(sheaf::Kind::invalid, "POOL VOLUME test=NAME [chunks=N]");
    const auto options = parse(count - 1, words + 1);
    const auto pool = TRY(pool::Pool::open(words[1]));
    const auto loop = TRY(io::make_loop());
    if (options.names("clone")) return io::run(*loop, clone(*loop, *pool, words[2]));
    const auto held = TRY(pool->hold(pool::Shelf::volumes, words[2], "volume_scale"));
    if (options.names("map")) return io::run(*loop, make_map(*loop, held, options.chunks));
    return io::run(*loop, open(*loop, *pool, held, options));
}

}  // namespace
}  // namespace bench

int main(int count, char** words) {
    if (const auto outcome = bench::run(count, words); !outcome) {
        std::fprintf(stderr, "volume_scale: %s\n", outcome.error().text().c_str());
        return 1;
    }
    std::printf("blk done\n");
    return 0;
}
