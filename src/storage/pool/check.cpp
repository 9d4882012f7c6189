#include "storage/pool/check.h"

#include <fcntl.h>

#include <algorithm>

#include "storage/aligned_buffer.h"
#include "storage/pool/summary.h"
#include "storage/volume/journal.h"

namespace sheaf::pool {

namespace {

using storage::Extent;
using volume::File;
using volume::Journal;

constexpr std::uint64_t read_at_once = 1 << 20;
constexpr std::size_t extents_at_once = 1024;
constexpr std::size_t most_told = 100;  // pieces of damage
constexpr auto patience = std::chrono::seconds{30};
constexpr auto look_interval = std::chrono::milliseconds{100};

void tell(std::vector<std::string>& list, std::string text) {
    if (list.size() < most_told) list.push_back(std::move(text));
    if (list.size() == most_told) list.emplace_back("and more, which is not listed");
}

// One copy of the journal, read as if there were no other.
io::Task<std::uint64_t> sequence_of_copy(io::Loop& loop, const Directory& directory,
                                         std::string name) {
    auto first_file = co_await directory.open_file(name, O_RDONLY);
    auto second_file = co_await first_file.duplicate();
    auto first = co_await File::create(loop, std::move(first_file));
    auto second = co_await File::create(loop, std::move(second_file));
    Journal::Files files{std::move(first), std::move(second)};
    const auto journal = co_await Journal::open(std::move(files));
    co_return journal->sequence();
}

class Check {
  public:
    Check(io::Loop& loop, const Pool& pool, ProgressSink& sink)
        : loop_(loop), pool_(pool), sink_(sink) {}

    io::Task<void> run(Holding holding, Repair repair);
    CheckReport report;

  private:
    Result<void> look_at_about(const Holding& holding, Repair repair);
    io::Task<void> compare_journals(const Directory& directory);
    io::Task<void> look_inside(OpenVolume& opened);
    io::Task<void> wait_for_checksums(volume::Volume& engine);
    io::Task<void> read_all(storage::Block& block, storage::Extents& map, std::string what);
    io::Task<void> read_extent(storage::Block& block, std::uint64_t begin, std::uint64_t length,
                               const std::string& what);
    io::Task<void> find_blocks(storage::Block& block, std::uint64_t begin, std::uint64_t length,
                               const std::string& what);

    io::Loop& loop_;
    const Pool& pool_;
    ProgressSink& sink_;
    storage::AlignedBuffer buffer_{read_at_once};
    ControlProgress progress_;
};

Result<void> Check::look_at_about(const Holding& holding, Repair repair) {
    const auto about = read_volume_about(holding.directory());
    if (about) return {};
    if (repair == Repair::no) {
        tell(report.damaged, about.error().text() + " (--repair writes it anew)");
        return {};
    }
    VolumeAbout anew;
    anew.id = to_text(holding.id());
    anew.created = timestamp();
    TRY(write_about(holding.directory(), anew));
    TRY(holding.directory().sync());
    tell(report.found, about.error().text() + ": written anew, with the id that the journal has");
    return {};
}

// The engine takes what is sound from either; that one of them is not is worth knowing.
io::Task<void> Check::compare_journals(const Directory& directory) {
    std::vector<std::uint64_t> sequences;
    for (const auto* name : {"journal.0", "journal.1"}) {
        const auto sequence = co_await sequence_of_copy(loop_, directory, name).result();
        if (sequence) {
            sequences.push_back(*sequence);
        } else {
            tell(report.found,
                 fmt::format("{}: {}; the other copy is used", name, sequence.error().text()));
        }
    }
    if (sequences.size() == 2 && sequences[0] != sequences[1])
        tell(report.found, "one copy of the journal is older than the other; the newer is used");
}

// After a crash the checksums of some regions are computed anew, behind requests.
io::Task<void> Check::wait_for_checksums(volume::Volume& engine) {
    auto done = engine.counters().regions_reconciled;
    auto since = loop_.now();
    while (engine.reconciling()) {
        co_await loop_.sleep(look_interval);
        if (done != engine.counters().regions_reconciled) {
            done = engine.counters().regions_reconciled;
            since = loop_.now();
        }
        if (loop_.now() - since > patience) {
            tell(report.damaged, "some regions that a crash left cannot be read");
            co_return;
        }
    }
}

// Block by block, to name the damaged ones.
io::Task<void> Check::find_blocks(storage::Block& block, std::uint64_t begin, std::uint64_t length,
                                  const std::string& what) {
    for (auto place = begin; place < begin + length; place += volume::block_size) {
        const iovec piece{buffer_.bytes().data(), volume::block_size};
        auto outcome = co_await block.read(place, std::span{&piece, 1}).result();
        if (!outcome)
            tell(report.damaged,
                 fmt::format("{}: 4 KiB at {}: {}", what, place, outcome.error().text()));
    }
}

io::Task<void> Check::read_extent(storage::Block& block, std::uint64_t begin, std::uint64_t length,
                                  const std::string& what) {
    for (auto place = begin; place < begin + length;) {
        const auto count = std::min(read_at_once, begin + length - place);
        const iovec piece{buffer_.bytes().data(), count};
        const auto outcome = co_await block.read(place, std::span{&piece, 1}).result();
        if (!outcome) co_await find_blocks(block, place, count, what);
        report.bytes += count;
        place += count;
        progress_.done += count;
        sink_.progressed(progress_);
    }
}

io::Task<void> Check::read_all(storage::Block& block, storage::Extents& map, std::string what) {
    const auto size = block.geometry().size;
    for (std::uint64_t place = 0; place < size;) {
        auto asking = map.extents(place, size - place, extents_at_once);
        const auto extents = co_await std::move(asking).result();
        if (!extents) {
            tell(report.damaged,
                 fmt::format("{}: what is at {}: {}", what, place, extents.error().text()));
            // The next piece that another page of the map speaks of.
            place += volume::chunk_size * volume::chunks_per_page;
            place -= place % (volume::chunk_size * volume::chunks_per_page);
            continue;
        }
        for (const auto& extent : *extents) {
            if (extent.kind == Extent::Kind::data) {
                co_await read_extent(block, place, extent.length, what);
            } else {
                progress_.done += extent.length;
            }
            place += extent.length;
        }
    }
}

io::Task<void> Check::look_inside(OpenVolume& opened) {
    auto& engine = opened.engine();
    co_await wait_for_checksums(engine);
    const auto slots = co_await engine.check_slots().result();
    if (!slots) tell(report.damaged, slots.error().text());
    const auto snapshots = engine.snapshots();
    report.snapshots = snapshots.size();
    progress_.total = engine.geometry().size * (1 + snapshots.size());
    co_await read_all(engine, engine, "the volume");
    for (const auto& snapshot : snapshots) {
        const auto view = co_await engine.view(snapshot.name);
        co_await read_all(*view, *view, "snapshot " + snapshot.name);
    }
}

io::Task<void> Check::run(Holding holding, Repair repair) {
    if (buffer_.bytes().empty()) co_await fail(Kind::exhausted, "no memory to read into");
    report.volume = holding.name();
    co_await look_at_about(holding, repair);
    co_await compare_journals(holding.directory());
    const auto claimed = co_await holding.layers();
    auto looking = summarize(loop_, pool_, Shelf::volumes, holding.name());
    const auto before = co_await std::move(looking);
    auto opening = OpenVolume::open(loop_, pool_, std::move(holding));
    auto opened = co_await std::move(opening).result();
    if (!opened) {
        tell(report.damaged, opened.error().text());
        co_return;
    }
    const auto& volume = *opened;
    const auto needed = co_await volume->holding().layers();
    for (const auto& layer : claimed)
        if (std::ranges::find(needed, layer) == needed.end())
            tell(report.found, fmt::format("the claim on layer {}, which is not needed, was ended",
                                           to_text(layer)));
    if (before.state == State::in_use || before.state == State::not_closed)
        tell(report.found, "the volume was not closed cleanly; it was recovered");
    auto outcome = co_await look_inside(*volume).result();
    auto closed = co_await volume->shut_down().result();
    co_await std::move(outcome);
    co_await std::move(closed);
}

}  // namespace

io::Task<CheckReport> check_volume(io::Loop& loop, const Pool& pool, Holding holding, Repair repair,
                                   ProgressSink& sink) {
    Check check{loop, pool, sink};
    co_await check.run(std::move(holding), repair);
    co_return std::move(check.report);
}

}  // namespace sheaf::pool
