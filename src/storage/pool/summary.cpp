#include "storage/pool/summary.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "storage/pool/layers.h"
#include "storage/volume/journal.h"

namespace sheaf::pool {

namespace {

using volume::File;
using volume::Journal;

io::Task<std::unique_ptr<Journal>> read_journal(io::Loop& loop, const Directory& directory) {
    auto first_file = co_await directory.open_file("journal.0", O_RDONLY);
    auto second_file = co_await directory.open_file("journal.1", O_RDONLY);
    auto first = co_await File::create(loop, std::move(first_file));
    auto second = co_await File::create(loop, std::move(second_file));
    Journal::Files files{std::move(first), std::move(second)};
    co_return co_await Journal::open(std::move(files));
}

io::Task<void> read_content(io::Loop& loop, const Directory& directory, Summary& summary) {
    const auto journal = co_await read_journal(loop, directory);
    const auto& superblock = journal->superblock();
    summary.size = superblock.size;
    summary.layers = superblock.layers;
    summary.checksums = (superblock.features & volume::feature_checksums) != 0;
    summary.state = superblock.state == volume::state_closed ? State::clean : State::not_closed;
}

std::uint64_t space_of(const Directory& layer) {
    std::uint64_t bytes = 0;
    for (const auto* name : {"map", "data"}) {
        struct stat status{};
        if (::fstatat(layer.descriptor().get(), name, &status, AT_SYMLINK_NOFOLLOW) == 0)
            bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
    return bytes;
}

// A layer may go while this looks at it: it then takes no space.
Result<void> add_space(const Pool& pool, const Directory& directory, Summary& summary) {
    const auto id = TRY(id_of(directory));
    for (const auto& layer : TRY(noted_layers(directory))) {
        const auto claimed = has_claim(pool.layers(), layer, id);
        const auto files = pool.layers().open_below(to_text(layer));
        if (!files || !claimed || !*claimed) continue;
        const auto space = space_of(*files);
        const auto others = has_other_claims(pool.layers(), layer, id);
        summary.used += space;
        if (others && *others) summary.shared += space;
    }
    return {};
}

void note_problem(Summary& summary, const Error& error) {
    summary.state = State::damaged;
    if (summary.problem.empty()) summary.problem = error.text();
}

}  // namespace

io::Task<Summary> summarize(io::Loop& loop, const Pool& pool, Shelf shelf, std::string name) {
    const auto directory = co_await pool.find(shelf, name);
    Summary summary;
    summary.name = std::move(name);
    const auto read = co_await read_content(loop, directory, summary).result();
    if (!read) note_problem(summary, read.error());
    if (auto about = read_volume_about(directory)) {
        summary.created = std::move(about->created);
        summary.source = std::move(about->source);
        summary.sha256 = std::move(about->sha256);
        summary.node = std::move(about->node);
    } else {
        note_problem(summary, about.error());
    }
    if (const auto counted = add_space(pool, directory, summary); !counted)
        note_problem(summary, counted.error());
    const auto holder = co_await holder_of(directory);
    if (holder) {
        summary.holder = holder->text();
        if (summary.state == State::not_closed) summary.state = State::in_use;
    }
    co_return summary;
}

io::Task<std::vector<Summary>> summarize_all(io::Loop& loop, const Pool& pool, Shelf shelf) {
    std::vector<Summary> summaries;
    const auto names = co_await pool.names(shelf);
    for (const auto& name : names) {
        auto summary = co_await summarize(loop, pool, shelf, name).result();
        if (!summary && summary.error().kind() == Kind::not_found) continue;
        summaries.push_back(co_await std::move(summary));
    }
    co_return summaries;
}

}  // namespace sheaf::pool
