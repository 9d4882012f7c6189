#include "storage/pool/about.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>

#include "base/bytes.h"
#include "base/json.h"
#include "storage/volume/journal.h"
#include "storage/volume/page.h"

namespace sheaf::pool {

namespace {

constexpr auto pool_name = "pool.json";
constexpr auto volume_name = "about.json";
constexpr unsigned most_percent = 50;

// What was stored and does not decode is damaged, whatever the decoder calls it.
template <class T>
Result<T> parse_about(std::string_view text) {
    auto about = decode<T>(text);
    if (!about) return fail(Kind::corrupt, "{}", about.error().text());
    if (about->version != 1)
        return fail(Kind::unsupported, "version {}, which this program does not know",
                    about->version);
    return about;
}

struct Head {
    Id owner;
    volume::Superblock superblock;
};

// A superblock that is sound; what is asked of it here is in each.
Result<Head> head_of(const Fd& journal) {
    Error last{Kind::corrupt, "it has no superblock"};
    for (off_t home = 0; home < 2; ++home) {
        std::array<std::byte, volume::page_size> page{};
        const auto place = home * static_cast<off_t>(page.size());
        if (::pread(journal.get(), page.data(), page.size(), place) !=
            static_cast<ssize_t>(page.size()))
            continue;
        const auto owner = load<volume::PageHeader>(page).owner;
        auto sound = volume::check(page, {volume::PageKind::superblock, owner, 0});
        const auto content = std::span{page}.subspan(sizeof(volume::PageHeader));
        if (sound) return Head{owner, load<volume::Superblock>(content)};
        last = std::move(sound).error();
    }
    return Failure{std::move(last)};
}

std::vector<Head> heads_of(const Directory& volume) {
    std::vector<Head> heads;
    for (const auto* name : {"journal.0", "journal.1"}) {
        const auto journal = volume.open_file(name, O_RDONLY);
        if (!journal) continue;
        if (auto head = head_of(*journal)) heads.push_back(*head);
    }
    return heads;
}

}  // namespace

Result<PoolAbout> parse_pool_about(std::string_view text) {
    auto about = TRY(parse_about<PoolAbout>(text));
    if (about.hard_stop_percent > most_percent)
        return fail(Kind::corrupt, "a hard stop of {} percent; at most {} are sensible",
                    about.hard_stop_percent, most_percent);
    return about;
}

Result<VolumeAbout> parse_volume_about(std::string_view text) {
    auto about = TRY(parse_about<VolumeAbout>(text));
    const auto id = parse_id(about.id);
    if (!id) return fail(Kind::corrupt, "{}", id.error().text());
    return about;
}

Result<PoolAbout> read_pool_about(const Directory& pool) {
    const auto text = TRY(pool.read_file(pool_name));
    return TRY_WITHIN(parse_pool_about(text), "{}", pool.path_of(pool_name));
}

Result<void> write_about(const Directory& pool, const PoolAbout& about) {
    return pool.write_file(pool_name, encode(about) + "\n");
}

Result<VolumeAbout> read_volume_about(const Directory& volume) {
    const auto text = TRY(volume.read_file(volume_name));
    return TRY_WITHIN(parse_volume_about(text), "{}", volume.path_of(volume_name));
}

Result<void> write_about(const Directory& volume, const VolumeAbout& about) {
    return volume.write_file(volume_name, encode(about) + "\n");
}

Result<Id> id_of(const Directory& volume) {
    auto about = read_volume_about(volume);
    if (about) return parse_id(about->id);
    const auto heads = heads_of(volume);
    if (!heads.empty()) return heads.front().owner;
    return Failure{std::move(about).error()};
}

bool is_copy(const Directory& volume) {
    const auto about = read_volume_about(volume);
    if (about && about->node) return true;
    return std::ranges::any_of(heads_of(volume),
                               [](const Head& head) { return volume::is_copy(head.superblock); });
}

std::string timestamp(std::chrono::system_clock::time_point at) {
    const auto seconds = std::chrono::system_clock::to_time_t(at);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, sizeof("2000-01-01T00:00:00Z") + 8> text{};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), length};
}

}  // namespace sheaf::pool
