#include <array>

#include "cli/image.h"
#include "cli/pool_verb.h"
#include "cli/progress.h"
#include "storage/disk_file.h"
#include "storage/image/download.h"
#include "storage/image/import.h"
#include "storage/image/sha256.h"
#include "storage/pool/name.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"name", "NAME", "what it is to be called"},
    {"sha256", "DIGEST", "what the file's bytes must have; another file is refused"},
    pool_option,
});
constexpr auto operands =
    std::to_array<Operand>({{"FILE|URL", "a disk image: raw, or qcow2 of version 2 or 3"}});

// Everything a person may have got wrong is looked at before a pool is made.
Result<void> import(const Arguments& arguments) {
    image::Import wanted;
    wanted.source = arguments.operand(0);
    if (!arguments.has("name")) return fail(Kind::invalid, "--name is missing");
    wanted.name = TRY(arguments.one("name"));
    TRY(pool::check_name("image", wanted.name));
    if (arguments.has("sha256"))
        wanted.sha256 = TRY_WITHIN(image::parse_sha256(TRY(arguments.one("sha256"))), "--sha256");
    ProgressLine line;
    Fd file;
    if (!image::is_url(wanted.source)) file = TRY(storage::open_buffered(wanted.source));
    const auto pool = TRY(pool::Pool::open_or_make(TRY(pool_path(arguments))));
    const auto loop = TRY(io::make_loop());
    const auto fetched = [&line](std::uint64_t done) { line.show("fetching", done, 0); };
    if (image::is_url(wanted.source))
        file = TRY(io::run(*loop, image::download(*loop, wanted.source, *pool, fetched)));
    const auto show = [&line](image::Stage stage, std::uint64_t done, std::uint64_t total) {
        line.show(stage == image::Stage::checking ? "checking" : "copying", done, total);
    };
    return io::run(*loop,
                   image::import_image(*loop, *pool, std::move(file), std::move(wanted), show));
}

int import_main(std::span<char*> arguments) {
    return main_of(image_import_verb, arguments, import);
}

}  // namespace

constinit const Verb image_import_verb = {
    .name = "image import",
    .summary = "make an image of a file or of what is at a URL",
    .options = options,
    .details =
        "What the file is, is told by its first bytes. Holes and zeros take no space. A qcow2\n"
        "file has to be whole in itself: one with a backing file, with a file of data elsewhere,\n"
        "or that is encrypted, is refused. A URL of http or https is fetched by curl(1), into the\n"
        "pool's directory. Nothing is left where it fails.",
    .example = "sheaf image import debian-12.qcow2 --name debian --sha256 3b1f...",
    .main = import_main,
    .operands = operands,
};

}  // namespace sheaf::cli
