#include "sim/sector_model.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"

namespace sheaf::sim {

namespace {

constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;

std::uint64_t mixed(std::uint64_t value) {
    value ^= value >> 31;
    value *= golden;
    value ^= value >> 27;
    return value * 0xbf58476d1ce4e5b9;
}

}  // namespace

SectorModel::SectorModel(std::uint64_t sectors)
    : sectors_(sectors),
      pages_((sectors + sectors_per_page - 1) / sectors_per_page, std::make_shared<Page>()) {}

SectorModel::Sector& SectorModel::changing(std::uint64_t number) {
    auto& page = pages_[number / sectors_per_page];
    if (page.use_count() > 1) page = std::make_shared<Page>(*page);
    return (*page)[number % sectors_per_page];
}

void SectorModel::fill(std::span<std::byte> sector, std::uint64_t number, Version version) {
    std::ranges::fill(sector, std::byte{0});
    if (version == 0) return;
    store(sector, version);
    store(sector.subspan(8), number);
    auto word = mixed(version * 1000003 + number);
    for (std::size_t place = 16; place < sector.size(); place += 8)
        store(sector.subspan(place), word += golden);
}

SectorModel::WriteId SectorModel::begin_write(Range range, Version version) {
    ++last_write_;
    for (auto number = range.first; number < range.end; ++number) {
        auto& sector = changing(number);
        ++sector.changes;
        sector.stable_once_read = false;
        sector.candidates.push_back({last_write_, version, never});
        sector.contended = sector.contended || sector.writing > 0;
        ++sector.writing;
        sector.live.reset();
    }
    return last_write_;
}

void SectorModel::end_write(Range range, WriteId write, End end) {
    ++now_;
    for (auto number = range.first; number < range.end; ++number) {
        auto& sector = changing(number);
        ++sector.changes;
        --sector.writing;
        const auto candidate = std::ranges::find(sector.candidates, write, &Candidate::write);
        if (end == End::done) {
            if (candidate != sector.candidates.end()) candidate->done = now_;
            if (sector.writing == 0 && !sector.contended) sector.live = sector.answered = write;
        } else {
            sector.contended = sector.contended || sector.writing > 0;
            sector.live.reset();
        }
        if (sector.writing == 0) sector.contended = false;
    }
}

SectorModel::Beginning SectorModel::begin_read(Range range) const {
    Beginning beginning;
    for (auto number = range.first; number < range.end; ++number)
        beginning.push_back(changes_of(number));
    return beginning;
}

std::optional<std::string> SectorModel::end_read(Range range, const Beginning& beginning,
                                                 std::span<const std::byte> bytes) {
    for (auto number = range.first; number < range.end; ++number) {
        const auto index = number - range.first;
        const auto quiet = at(number).writing == 0 && changes_of(number) == beginning[index];
        auto wrong = check(number, quiet, bytes.subspan(index * sector_size, sector_size));
        if (wrong) return wrong;
    }
    return std::nullopt;
}

std::optional<std::string> SectorModel::check(std::uint64_t number, bool quiet,
                                              std::span<const std::byte> bytes) {
    const auto& sector = at(number);
    const auto version = load<Version>(bytes);
    std::array<std::byte, sector_size> expected;
    fill(expected, number, version);
    if (!std::ranges::equal(bytes, expected))
        return fmt::format(
            "sector {} holds what was never written there (version {} of sector {}{})", number,
            version, load<std::uint64_t>(bytes.subspan(8)),
            sector.live ? ", and it was known" : "");
    if (!quiet || !sector.live) return check_uncertain(number, quiet, version);
    if (sector.stable_once_read) changing(number).stable_once_read = false;
    const auto live = std::ranges::find(at(number).candidates, *sector.live, &Candidate::write);
    if (live->version == version) return std::nullopt;
    return fmt::format("sector {} holds version {} instead of {}", number, version, live->version);
}

// While the host runs nothing goes back behind what was answered. Of several that are zeros the
// last counts: that an earlier one was flushed says nothing of it.
std::optional<std::string> SectorModel::check_uncertain(std::uint64_t number, bool quiet,
                                                        Version version) {
    const auto& known = at(number);
    const auto answered = std::ranges::find_if(
        known.candidates,
        [&known](const Candidate& candidate) { return known.answered == candidate.write; });
    const auto oldest =
        quiet && answered != known.candidates.end() ? answered : known.candidates.begin();
    const auto end = std::reverse_iterator{oldest};
    const auto last =
        std::ranges::find(known.candidates.rbegin(), end, version, &Candidate::version);
    if (last == end)
        return fmt::format("sector {} holds version {}, which was overwritten", number, version);
    if (!quiet) return std::nullopt;
    const auto index = std::prev(last.base()) - known.candidates.begin();
    auto& sector = changing(number);
    auto& candidate = sector.candidates[static_cast<std::size_t>(index)];
    sector.live = candidate.write;
    // A write that failed, or that a crash cut off, has come to be all the same.
    if (candidate.done == never) candidate.done = now_;
    if (std::exchange(sector.stable_once_read, false)) sector.candidates = std::vector{candidate};
    return std::nullopt;
}

// Where it is certain what was there when the flush began, that alone is left, and what came later.
void SectorModel::flushed(std::uint64_t began) {
    for (std::uint64_t number = 0; number < sectors_; ++number) {
        const auto& known = at(number);
        if (!known.live || known.candidates.size() == 1) continue;
        const auto live =
            std::ranges::find_if(known.candidates, [&known, began](const Candidate& candidate) {
                return candidate.write == *known.live && candidate.done <= began;
            });
        if (live == known.candidates.end()) continue;
        const auto left = *live;
        changing(number).candidates = std::vector{left};
    }
}

// Only one thing can be there, and nobody is about to change that: a crash and a copy leave it so.
bool SectorModel::is_settled(const Sector& sector) {
    return sector.candidates.size() == 1 && sector.live && sector.writing == 0 &&
           !sector.contended && !sector.stable_once_read;
}

void SectorModel::crashed(Crash crash) {
    ++crashes_;
    for (std::uint64_t number = 0; number < sectors_; ++number) {
        if (is_settled(at(number))) continue;
        auto& sector = changing(number);
        sector.writing = 0;
        sector.contended = false;
        sector.stable_once_read = crash == Crash::power_cut && sector.candidates.size() > 1;
        sector.live.reset();
        if (crash == Crash::power_cut) sector.answered.reset();
        const auto& last = sector.candidates.back();
        if (sector.candidates.size() == 1 || sector.answered == last.write)
            sector.live = last.write;
    }
}

SectorModel SectorModel::frozen(const SectorModel& before, const SectorModel& after) {
    auto model = after;
    for (std::uint64_t number = 0; number < model.sectors_; ++number) {
        const auto quiet =
            before.at(number).writing == 0 && before.changes_of(number) == after.changes_of(number);
        if (!quiet || !is_settled(model.at(number)))
            freeze(before.at(number), model.changing(number), quiet);
    }
    return model;
}

void SectorModel::freeze(const Sector& earlier, Sector& sector, bool quiet) {
    sector.writing = 0;
    sector.contended = sector.stable_once_read = false;
    if (quiet && sector.live) {
        const auto live = *std::ranges::find(sector.candidates, *sector.live, &Candidate::write);
        sector.candidates = std::vector{live};
        return;
    }
    sector.live.reset();
    sector.answered.reset();
    for (const auto& candidate : earlier.candidates)
        if (std::ranges::find(sector.candidates, candidate.write, &Candidate::write) ==
            sector.candidates.end())
            sector.candidates.push_back(candidate);
}

}  // namespace sheaf::sim
