#include <array>

#include "cli/errand.h"
#include "cli/image.h"
#include "cli/volume.h"
#include "storage/image/export.h"
#include "storage/pool/clone.h"
#include "storage/pool/open_volume.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"format", "raw|qcow2", "what to write (default: raw)"},
    {"force", "", "replace a file that is there"},
    pool_option,
});
constexpr auto image_operands =
    std::to_array<Operand>({{"NAME", "which image"}, {"FILE", "where to write it"}});
constexpr auto volume_operands =
    std::to_array<Operand>({{"NAME[@SNAPSHOT]", "which volume"}, {"FILE", "where to write it"}});

struct Wanted {
    pool::Shelf shelf = pool::Shelf::images;
    std::string name;
    std::string snapshot;  // empty: what it holds now
    std::string path;
    image::Format format = image::Format::raw;
    image::Existing existing = image::Existing::refuse;
};

Result<Wanted> wanted(pool::Shelf shelf, const Arguments& arguments) {
    auto named = TRY(parse_name_and_snapshot(pool::noun_of(shelf), arguments.operand(0)));
    if (shelf == pool::Shelf::images && !named.snapshot.empty())
        return fail(Kind::invalid, "image {}: images have no snapshots", named.name);
    Wanted wanted;
    wanted.shelf = shelf;
    wanted.name = std::move(named.name);
    wanted.snapshot = std::move(named.snapshot);
    wanted.path = arguments.operand(1);
    wanted.format =
        TRY_WITHIN(image::parse_format(TRY(arguments.one("format", "raw"))), "--format");
    if (arguments.has("force")) wanted.existing = image::Existing::replace;
    return wanted;
}

io::Task<void> write_file(io::Loop& loop, volume::Volume& volume, const Wanted& wanted,
                          image::Progress progress) {
    co_await image::export_disk(loop, volume, volume, wanted.path, wanted.format, wanted.existing,
                                std::move(progress));
}

class Exporting final : public pool::VolumeUser {
  public:
    Result<void> may_revert() const override {
        return fail(Kind::conflict, "it is being exported; wait for that");
    }
    void resized() override {}
};

io::Task<void> serve_and_write(io::Loop& loop, pool::OpenVolume& volume, const Wanted& wanted,
                               image::Progress progress) {
    co_await volume.serve();
    co_await write_file(loop, volume.engine(), wanted, std::move(progress));
}

io::Task<void> export_content(io::Loop& loop, const pool::Pool& pool, const Wanted& wanted,
                              std::string verb, image::Progress progress) {
    auto held = co_await pool.hold(wanted.shelf, wanted.name, verb);
    Exporting user;
    const auto volume = co_await pool::OpenVolume::open(loop, pool, std::move(held), user);
    auto written = co_await serve_and_write(loop, *volume, wanted, std::move(progress)).result();
    auto ended = co_await volume->shut_down().result();
    co_await std::move(written);
    co_await std::move(ended);
}

io::Task<void> fill_and_write(io::Loop& loop, const pool::Pool& pool, const pool::Holding& made,
                              const Wanted& wanted, image::Progress progress) {
    const pool::Origin origin{wanted.shelf, wanted.name, wanted.snapshot};
    co_await pool::make_clone_content(loop, pool, made, {}, origin);
    pool::HeldLayers layers{made};
    const auto volume = co_await pool::open_volume(loop, pool, made, layers);
    auto written = co_await write_file(loop, *volume, wanted, std::move(progress)).result();
    co_await volume->abandon();
    co_await std::move(written);
}

// A clone that gets no name has the content for as long as it takes, whoever has the volume open
// and whatever becomes of the snapshot.
io::Task<void> export_snapshot(io::Loop& loop, const pool::Pool& pool, const Wanted& wanted,
                               std::string verb, image::Progress progress) {
    const auto made = co_await pool.begin(wanted.shelf, verb);
    auto written = co_await fill_and_write(loop, pool, made, wanted, std::move(progress)).result();
    auto discarded = pool.discard(made, wanted.shelf);
    co_await std::move(written);
    co_await std::move(discarded);
}

Result<void> export_from(pool::Shelf shelf, const Arguments& arguments, std::string verb) {
    const auto what = TRY(wanted(shelf, arguments));
    const auto pool = TRY(open_pool(arguments));
    const auto loop = TRY(io::make_loop());
    ProgressLine line;
    const auto show = [&line](std::uint64_t done, std::uint64_t total) {
        line.show("exporting", done, total);
    };
    const auto work = what.snapshot.empty() ? export_content : export_snapshot;
    return io::run(*loop, work(*loop, *pool, what, std::move(verb), show));
}

Result<void> export_image(const Arguments& arguments) {
    return export_from(pool::Shelf::images, arguments, "image export");
}

Result<void> export_volume(const Arguments& arguments) {
    return export_from(pool::Shelf::volumes, arguments, "volume export");
}

int image_export_main(std::span<char*> arguments) {
    return main_of(image_export_verb, arguments, export_image);
}

int volume_export_main(std::span<char*> arguments) {
    return main_of(volume_export_verb, arguments, export_volume);
}

constexpr std::string_view details =
    "Holes and zeros take no space in the file. The file is there when all of it is;\n"
    "where it fails nothing is left, and what was there is as it was.";
constexpr std::string_view volume_details =
    "Holes and zeros take no space in the file. The file is there when all of it is;\n"
    "where it fails nothing is left, and what was there is as it was. A volume that is in use\n"
    "is refused; a snapshot of it is not.";

}  // namespace

constinit const Verb image_export_verb = {
    .name = "image export",
    .summary = "write an image into a file",
    .options = options,
    .details = details,
    .example = "sheaf image export debian debian.qcow2 --format qcow2",
    .main = image_export_main,
    .operands = image_operands,
};

constinit const Verb volume_export_verb = {
    .name = "volume export",
    .summary = "write a volume, or a snapshot of one, into a file",
    .options = options,
    .details = volume_details,
    .example =
        "sheaf volume export root root.qcow2 --format qcow2\n"
        "  sheaf volume export root@before-upgrade before.raw",
    .main = volume_export_main,
    .operands = volume_operands,
};

}  // namespace sheaf::cli
