#include "storage/pool/inspection.h"

#include <algorithm>

#include "storage/aligned_buffer.h"

namespace sheaf::pool {

namespace {

using storage::Extent;

constexpr std::uint64_t read_at_once = 1 << 20;
constexpr std::size_t extents_at_once = 1024;
constexpr std::uint64_t page_span = volume::chunk_size * volume::chunks_per_page;
constexpr std::size_t most_told = 100;
constexpr auto patience = std::chrono::seconds{30};
constexpr auto look_interval = std::chrono::milliseconds{100};

class Inspection {
  public:
    Inspection(io::Loop& loop, volume::Volume& engine, ProgressSink& sink)
        : loop_(loop), engine_(engine), sink_(sink) {}

    io::Task<void> run();
    CheckReport report;

  private:
    io::Task<void> wait_for_checksums();
    io::Task<void> read_all(storage::Block& block, storage::Extents& map, std::string what);
    io::Task<void> read_extent(storage::Block& block, std::uint64_t begin, std::uint64_t length,
                               const std::string& what);
    io::Task<void> find_blocks(storage::Block& block, std::uint64_t begin, std::uint64_t length,
                               const std::string& what);
    void came(std::uint64_t bytes);

    io::Loop& loop_;
    volume::Volume& engine_;
    ProgressSink& sink_;
    storage::AlignedBuffer buffer_{read_at_once};
    ControlProgress progress_;
};

void Inspection::came(std::uint64_t bytes) {
    progress_.done += bytes;
    sink_.progressed(progress_);
}

// After a crash the checksums of some regions are computed anew, behind requests.
io::Task<void> Inspection::wait_for_checksums() {
    auto done = engine_.counters().regions_reconciled;
    auto since = loop_.now();
    while (engine_.reconciling()) {
        co_await loop_.sleep(look_interval);
        if (done != engine_.counters().regions_reconciled) {
            done = engine_.counters().regions_reconciled;
            since = loop_.now();
        }
        if (loop_.now() - since > patience) {
            tell(report.damaged, "some regions that a crash left cannot be read");
            co_return;
        }
    }
}

// Block by block, to name the damaged ones.
io::Task<void> Inspection::find_blocks(storage::Block& block, std::uint64_t begin,
                                       std::uint64_t length, const std::string& what) {
    for (auto place = begin; place < begin + length; place += volume::block_size) {
        const iovec piece{buffer_.bytes().data(), volume::block_size};
        const auto outcome = co_await block.read(place, std::span{&piece, 1}).result();
        if (!outcome)
            tell(report.damaged,
                 fmt::format("{}: 4 KiB at {}: {}", what, place, outcome.error().text()));
    }
}

io::Task<void> Inspection::read_extent(storage::Block& block, std::uint64_t begin,
                                       std::uint64_t length, const std::string& what) {
    for (auto place = begin; place < begin + length;) {
        const auto count = std::min(read_at_once, begin + length - place);
        const iovec piece{buffer_.bytes().data(), count};
        const auto outcome = co_await block.read(place, std::span{&piece, 1}).result();
        if (!outcome) co_await find_blocks(block, place, count, what);
        report.bytes += count;
        place += count;
        came(count);
    }
}

// Where a page of a map is damaged, the next one may tell of more.
io::Task<void> Inspection::read_all(storage::Block& block, storage::Extents& map,
                                    std::string what) {
    const auto size = block.geometry().size;
    for (std::uint64_t place = 0; place < size;) {
        const auto extents = co_await map.extents(place, size - place, extents_at_once).result();
        if (!extents) {
            tell(report.damaged,
                 fmt::format("{}: what is at {}: {}", what, place, extents.error().text()));
            const auto next = std::min(size, (place / page_span + 1) * page_span);
            came(next - place);
            place = next;
            continue;
        }
        for (const auto& extent : *extents) {
            if (extent.kind == Extent::Kind::data) {
                co_await read_extent(block, place, extent.length, what);
            } else {
                came(extent.length);
            }
            place += extent.length;
        }
    }
}

io::Task<void> Inspection::run() {
    if (buffer_.bytes().empty()) co_await fail(Kind::exhausted, "no memory to read into");
    co_await wait_for_checksums();
    const auto snapshots = engine_.snapshots();
    progress_.total = engine_.geometry().size;
    for (const auto& snapshot : snapshots) progress_.total += snapshot.size;
    co_await read_all(engine_, engine_, "the volume");
    for (const auto& snapshot : snapshots) {
        const auto view = engine_.view(snapshot.name);
        if (!view) continue;  // it was deleted meanwhile
        co_await read_all(**view, **view, "snapshot " + snapshot.name);
        ++report.snapshots;
    }
}

}  // namespace

void tell(std::vector<std::string>& list, std::string text) {
    if (list.size() == most_told) list.emplace_back("and more, which is not listed");
    if (list.size() < most_told) list.push_back(std::move(text));
}

io::Task<CheckReport> inspect(io::Loop& loop, volume::Volume& engine, ProgressSink& sink) {
    Inspection inspection{loop, engine, sink};
    co_await inspection.run();
    co_return std::move(inspection.report);
}

}  // namespace sheaf::pool
