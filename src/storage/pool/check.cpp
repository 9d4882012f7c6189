#include "storage/pool/check.h"

#include <fcntl.h>

#include <algorithm>

#include "storage/pool/inspection.h"
#include "storage/pool/summary.h"
#include "storage/volume/journal.h"

namespace sheaf::pool {

namespace {

using volume::File;
using volume::Journal;

Result<void> look_at_about(const Holding& holding, Repair repair, CheckReport& report) {
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

// The engine takes what is sound from either; that one of them is not is worth knowing.
io::Task<void> compare_journals(io::Loop& loop, const Directory& directory, CheckReport& report) {
    std::vector<std::uint64_t> sequences;
    for (const auto* name : {"journal.0", "journal.1"}) {
        const auto sequence = co_await sequence_of_copy(loop, directory, name).result();
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

Result<void> compare_claims(const OpenVolume& opened, const std::vector<Id>& before,
                            CheckReport& report) {
    const auto needed = TRY(opened.holding().layers());
    for (const auto& layer : before)
        if (std::ranges::find(needed, layer) == needed.end())
            tell(report.found, fmt::format("the claim on layer {}, which is not needed, was ended",
                                           to_text(layer)));
    return {};
}

io::Task<void> look_inside(io::Loop& loop, OpenVolume& opened, ProgressSink& sink,
                           CheckReport& report) {
    // Nothing is left to be merged while the slots are counted, and nobody is served.
    static_cast<void>(co_await opened.engine().wait_idle().result());
    const auto slots = co_await opened.engine().check_slots().result();
    if (!slots) tell(report.damaged, slots.error().text());
    co_await opened.serve();
    auto seen = co_await inspect(loop, opened.engine(), sink);
    report.bytes = seen.bytes;
    report.snapshots = seen.snapshots;
    for (auto& text : seen.damaged) tell(report.damaged, std::move(text));
}

io::Task<CheckReport> check_here(io::Loop& loop, const Pool& pool, Holding holding, Repair repair,
                                 ProgressSink& sink) {
    CheckReport report;
    co_await look_at_about(holding, repair, report);
    co_await compare_journals(loop, holding.directory(), report);
    const auto claimed = co_await holding.layers();
    const auto before = co_await summarize(loop, pool, Shelf::volumes, holding.name());
    if (before.state == State::in_use || before.state == State::not_closed)
        tell(report.found, "the volume was not closed cleanly; it was recovered");
    NoUser user;
    auto opened = co_await OpenVolume::open(loop, pool, std::move(holding), user).result();
    if (!opened) {
        tell(report.damaged, opened.error().text());
        co_return report;
    }
    const auto& volume = *opened;
    auto outcome = compare_claims(*volume, claimed, report);
    if (outcome) outcome = co_await look_inside(loop, *volume, sink, report).result();
    auto closed = co_await volume->shut_down().result();
    co_await std::move(outcome);
    co_await std::move(closed);
    co_return report;
}

io::Task<CheckReport> check_there(Reached& reached, Repair repair, ProgressSink& sink) {
    if (repair == Repair::yes)
        co_await fail(Kind::conflict, "in use by {}; repairs need it at rest", reached.holder);
    ControlRequest request;
    request.request = ControlVerb::check;
    auto status = co_await ask(*reached.engine, std::move(request), sink);
    if (!status.checked) co_await fail(Kind::unsupported, "{} does not check", reached.holder);
    co_return *std::move(status.checked);
}

}  // namespace

io::Task<CheckReport> check_volume(io::Loop& loop, const Pool& pool, std::string name,
                                   Repair repair, ProgressSink& sink) {
    auto reached = co_await reach(loop, pool, Shelf::volumes, name, "volume check");
    auto checking = reached.held ? check_here(loop, pool, *std::move(reached.held), repair, sink)
                                 : check_there(reached, repair, sink);
    auto report = co_await std::move(checking).result();
    if (!report) co_await told_of("volume " + name, Error{report.error()});
    co_return *std::move(report);
}

}  // namespace sheaf::pool
