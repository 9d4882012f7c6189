#include "storage/image/export.h"

#include <unistd.h>

#include <algorithm>

#include "storage/image/qcow2_writer.h"
#include "storage/volume/file.h"

namespace sheaf::image {

namespace {

class RawTarget final : public CopyTarget {
  public:
    explicit RawTarget(volume::File& file) : file_(file) {}

    std::uint64_t grain() const override { return 4096; }
    io::Task<void> store(std::uint64_t offset, std::span<std::byte> bytes) override {
        return file_.write(bytes, offset);
    }

  private:
    volume::File& file_;
};

io::Task<void> write_raw(io::Loop& loop, storage::Block& disk, storage::Extents& extents,
                         volume::File& file, Progress progress) {
    RawTarget target{file};
    Copier copier{loop, disk, extents, target, std::move(progress)};
    co_await copier.copy(0, copier.size());
}

io::Task<void> write_qcow2(io::Loop& loop, storage::Block& disk, storage::Extents& extents,
                           volume::File& file, Progress progress) {
    auto writer = co_await Qcow2Writer::create(file, disk.geometry().size);
    Copier copier{loop, disk, extents, writer, std::move(progress)};
    for (std::uint64_t begin = 0; begin < copier.size(); begin += Qcow2Writer::table_coverage) {
        const auto end = std::min(begin + Qcow2Writer::table_coverage, copier.size());
        co_await copier.copy(begin, end);
        co_await writer.end_table(begin);
    }
    co_await writer.finish();
}

}  // namespace

io::Task<void> export_disk(io::Loop& loop, storage::Block& disk, storage::Extents& extents,
                           const std::string& path, Format format, Existing existing,
                           Progress progress) {
    auto fresh = co_await FreshFile::create(path, existing);
    auto descriptor = co_await fresh.descriptor().duplicate();
    auto file = co_await volume::File::create(loop, std::move(descriptor));
    Result<void> written;
    if (format == Format::raw) {
        const auto size = static_cast<off_t>(disk.geometry().size);
        co_await checked(::ftruncate(fresh.descriptor().get(), size), "making {} of {} bytes", path,
                         size);
        written = co_await write_raw(loop, disk, extents, file, std::move(progress)).result();
    } else {
        written = co_await write_qcow2(loop, disk, extents, file, std::move(progress)).result();
    }
    if (!written) {
        Failure failure{std::move(written).error().within(path)};
        co_await std::move(failure);
    }
    co_await fresh.keep();
}

}  // namespace sheaf::image
