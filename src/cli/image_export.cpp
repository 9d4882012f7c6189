#include <array>

#include "cli/image.h"
#include "cli/pool_verb.h"
#include "cli/progress.h"
#include "cli/volume.h"
#include "storage/image/export.h"
#include "storage/image/whole_disk.h"
#include "storage/pool/engine.h"
#include "storage/pool/held_layers.h"

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
    std::to_array<Operand>({{"NAME", "which volume"}, {"FILE", "where to write it"}});

struct Wanted {
    std::string name;
    std::string path;
    image::Format format = image::Format::raw;
    image::Existing existing = image::Existing::refuse;
};

Result<Wanted> wanted(const Arguments& arguments) {
    Wanted wanted;
    wanted.name = arguments.operand(0);
    wanted.path = arguments.operand(1);
    wanted.format =
        TRY_WITHIN(image::parse_format(TRY(arguments.one("format", "raw"))), "--format");
    if (arguments.has("force")) wanted.existing = image::Existing::replace;
    return wanted;
}

io::Task<void> open_and_write(io::Loop& loop, const pool::Pool& pool, const pool::Holding& held,
                              const Wanted& wanted, image::Progress progress) {
    pool::HeldLayers layers{held};
    auto volume = co_await pool::open_volume(loop, pool, held, layers);
    image::WholeDisk all{volume->geometry().size};
    auto written = co_await image::export_disk(loop, *volume, all, wanted.path, wanted.format,
                                               wanted.existing, std::move(progress))
                       .result();
    auto ended = co_await volume->shut_down().result();
    co_await std::move(written);
    co_await std::move(ended);
}

Result<void> export_from(pool::Shelf shelf, const Arguments& arguments, std::string_view verb) {
    const auto what = TRY(wanted(arguments));
    const auto pool = TRY(open_pool(arguments));
    const auto held = TRY(pool->hold(shelf, what.name, verb));
    const auto loop = TRY(io::make_loop());
    ProgressLine line;
    const auto show = [&line](std::uint64_t done, std::uint64_t total) {
        line.show("exporting", done, total);
    };
    return io::run(*loop, open_and_write(*loop, *pool, held, what, show));
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
    .summary = "write a volume into a file",
    .options = options,
    .details = details,
    .example = "sheaf volume export root root.qcow2 --format qcow2",
    .main = volume_export_main,
    .operands = volume_operands,
};

}  // namespace sheaf::cli
