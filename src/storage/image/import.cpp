#include "storage/image/import.h"

#include <sys/uio.h>

#include "base/units.h"
#include "storage/image/source.h"
#include "storage/pool/about.h"
#include "storage/pool/clone.h"
#include "storage/pool/engine.h"
#include "storage/pool/held_layers.h"
#include "storage/pool/name.h"

namespace sheaf::image {

namespace {

using pool::Shelf;
using volume::Volume;

constexpr auto look_for_room = std::chrono::seconds{1};
constexpr std::uint64_t least_room = 1_MiB;

class VolumeTarget final : public CopyTarget {
  public:
    explicit VolumeTarget(Volume& volume) : volume_(volume) {}

    std::uint64_t grain() const override { return volume::block_size; }
    io::Task<void> store(std::uint64_t offset, std::span<std::byte> bytes) override;
    Volume& volume() { return volume_; }
    std::uint64_t finished() const { return finished_; }  // of what was stored, how many times

  private:
    Volume& volume_;
    std::uint64_t finished_ = 0;
};

io::Task<void> VolumeTarget::store(std::uint64_t offset, std::span<std::byte> bytes) {
    const iovec piece{bytes.data(), bytes.size()};
    co_await volume_.write(offset, std::span{&piece, 1});
    ++finished_;
}

io::Task<void> copy_content(io::Loop& loop, Source& source, VolumeTarget& target,
                            Progress progress) {
    Copier copier{loop, source.block(), source.extents(), target, std::move(progress)};
    co_await copier.copy(0, copier.size());
    co_await target.volume().flush();
}

io::Task<void> copy_and_end(io::Loop& loop, Source& source, VolumeTarget& target, Progress progress,
                            io::TaskGroup& group) {
    auto outcome = co_await copy_content(loop, source, target, std::move(progress)).result();
    group.cancel();
    co_await std::move(outcome);
}

// A guest's write waits for room as long as it takes. Here a person waits for an answer: where
// nothing gets on for a second and the pool is full, there is no room.
io::Task<void> end_without_room(io::Loop& loop, const pool::Pool& pool, const VolumeTarget& target,
                                io::TaskGroup& group) {
    auto finished = target.finished();
    auto room = Result<void>{};
    while (room) {
        co_await loop.sleep(look_for_room);
        if (target.finished() == finished) room = pool.check_room(least_room);
        finished = target.finished();
    }
    group.cancel();
    co_await std::move(room);
}

io::Task<void> fill(io::Loop& loop, const pool::Pool& pool, Source& source, Volume& volume,
                    Progress progress) {
    VolumeTarget target{volume};
    io::TaskGroup group;
    group.start(copy_and_end(loop, source, target, std::move(progress), group));
    if (!group.empty()) group.start(end_without_room(loop, pool, target, group));
    co_await group.join();
}

// The engine ends before its files are anybody else's.
io::Task<void> write_image(io::Loop& loop, const pool::Pool& pool, const pool::Holding& made,
                           Source& source, Progress progress) {
    const auto size = align_up(source.block().geometry().size, std::uint64_t{volume::block_size});
    const pool::NewVolume shape{.size = size};
    co_await pool::make_content(loop, made, shape);
    pool::HeldLayers layers{made};
    auto volume = co_await pool::open_volume(loop, pool, made, layers);
    auto outcome = co_await fill(loop, pool, source, *volume, std::move(progress)).result();
    auto ended = co_await (outcome ? volume->shut_down() : volume->abandon()).result();
    co_await std::move(outcome);
    co_await std::move(ended);
}

// An image that was made of the same bytes.
Result<std::optional<std::string>> find_same(const pool::Pool& pool, std::string_view sha256) {
    for (auto& name : TRY(pool.names(Shelf::images))) {
        const auto directory = pool.find(Shelf::images, name);
        if (!directory) continue;
        const auto about = pool::read_volume_about(*directory);
        if (about && about->sha256 == sha256) return std::move(name);
    }
    return std::nullopt;
}

// The layers of an image of the same bytes serve this one too, unless that one cannot be read.
io::Task<bool> share_image(io::Loop& loop, const pool::Pool& pool, const pool::Holding& made,
                           std::string_view sha256) {
    const auto same = co_await find_same(pool, sha256);
    if (!same) co_return false;
    pool::Origin origin{.name = *same};
    auto shared =
        co_await pool::make_clone_content(loop, pool, made, {}, std::move(origin)).result();
    co_return shared.has_value();
}

io::Task<void> make_image(io::Loop& loop, const pool::Pool& pool, const pool::Holding& made,
                          Source& source, std::string_view sha256, Progress progress) {
    const bool shared = co_await share_image(loop, pool, made, sha256);
    if (!shared) co_await write_image(loop, pool, made, source, std::move(progress));
}

template <class T>
Result<T> told_of(const std::string& what, Result<T> outcome) {
    if (outcome) return outcome;
    return Failure{std::move(outcome).error().within(what)};
}

io::Task<void> add_image(io::Loop& loop, const pool::Pool& pool, Source& source,
                         const Import& wanted, std::string sha256, Progress progress) {
    auto made = co_await pool.begin(Shelf::images, "image import");
    auto content =
        co_await make_image(loop, pool, made, source, sha256, std::move(progress)).result();
    auto outcome = told_of("importing " + wanted.source, std::move(content));
    pool::VolumeAbout about{.source = wanted.source, .sha256 = std::move(sha256)};
    if (outcome) outcome = pool.publish(made, Shelf::images, wanted.name, std::move(about));
    // What cannot be discarded now is swept later.
    if (!outcome && made.name().empty()) static_cast<void>(pool.discard(made, Shelf::images));
    co_await std::move(outcome);
}

Result<void> check_size(const Source& source, std::uint64_t size) {
    if (size <= volume::most_bytes) return {};
    return fail(Kind::unsupported, "is a disk of {} bytes ({}); at most {} are supported", size,
                to_string(source.format()), volume::most_bytes);
}

// The file's SHA-256, which is what was meant where that is known.
io::Task<std::string> check_bytes(io::Loop& loop, const Fd& file, const Import& wanted,
                                  Progress progress) {
    auto sha256 = co_await sha256_of(loop, file, std::move(progress));
    if (wanted.sha256 && *wanted.sha256 != sha256)
        co_await fail(Kind::invalid, "has the SHA-256 {}, not {}", sha256, *wanted.sha256);
    co_return sha256;
}

io::Task<std::unique_ptr<Source>> open_checked(io::Loop& loop, Fd file) {
    auto source = co_await Source::open(loop, std::move(file));
    co_await check_size(*source, source->block().geometry().size);
    co_return source;
}

}  // namespace

io::Task<void> import_image(io::Loop& loop, const pool::Pool& pool, Fd file, Import wanted,
                            ImportProgress progress) {
    co_await pool::check_name("image", wanted.name);
    const auto taken = co_await pool.shelf(Shelf::images).has(wanted.name);
    if (taken) co_await fail(Kind::exists, "image {}: exists already", wanted.name);
    const auto stage = [&](Stage which) -> Progress {
        if (!progress) return {};
        return [&progress, which](std::uint64_t done, std::uint64_t total) {
            progress(which, done, total);
        };
    };
    const auto own = co_await file.duplicate();
    auto opened = co_await open_checked(loop, std::move(file)).result();
    auto source = co_await told_of(wanted.source, std::move(opened));
    auto checked = co_await check_bytes(loop, own, wanted, stage(Stage::checking)).result();
    auto sha256 = co_await told_of(wanted.source, std::move(checked));
    co_await add_image(loop, pool, *source, wanted, std::move(sha256), stage(Stage::copying));
}

}  // namespace sheaf::image
