// Reads an image and writes it again, as import and export do, without a pool between them: so that
// other programs can look at what is read, and at what is written.

#include <cstdio>
#include <span>
#include <string>

#include "io/make_loop.h"
#include "io/task_group.h"
#include "storage/disk_file.h"
#include "storage/image/export.h"
#include "storage/image/source.h"

namespace {

namespace image = sheaf::image;
namespace io = sheaf::io;

struct Words {
    std::string from;
    std::string to;
    image::Format format;
};

io::Task<void> convert(io::Loop& loop, const Words& words) {
    auto file = co_await sheaf::storage::open_buffered(words.from);
    auto source = co_await image::Source::open(loop, std::move(file));
    co_await image::export_disk(loop, source->block(), source->extents(), words.to, words.format,
                                image::Existing::refuse, {});
}

sheaf::Result<void> run(std::span<char*> arguments) {
    if (arguments.size() != 4)
        return sheaf::fail(sheaf::Kind::invalid, "usage: image_convert FROM TO raw|qcow2");
    const Words words{arguments[1], arguments[2], TRY(image::parse_format(arguments[3]))};
    const auto loop = TRY(io::make_loop());
    return io::run(*loop, convert(*loop, words));
}

}  // namespace

int main(int count, char** words) {
    const auto outcome = run({words, static_cast<std::size_t>(count)});
    if (!outcome) std::fputs((outcome.error().text() + "\n").c_str(), stderr);
    return outcome ? 0 : 1;
}
