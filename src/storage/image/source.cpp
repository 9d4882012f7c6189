#include "storage/image/source.h"

#include <algorithm>
#include <array>

#include "base/units.h"
#include "io/loop.h"
#include "storage/disk_file.h"
#include "storage/file_block.h"
#include "storage/image/file_extents.h"
#include "storage/image/qcow2.h"
#include "storage/image/sha256.h"

namespace sheaf::image {

namespace {

constexpr std::uint64_t sector = 512;
constexpr std::size_t hashed_at_once = 1_MiB;

class Raw final : public Source {
  public:
    Raw(std::unique_ptr<storage::FileBlock> block, Fd file)
        : block_(std::move(block)), extents_(std::move(file), block_->geometry().size) {}

    Format format() const override { return Format::raw; }
    storage::Block& block() override { return *block_; }
    storage::Extents& extents() override { return extents_; }

  private:
    std::unique_ptr<storage::FileBlock> block_;
    FileExtents extents_;
};

class FromQcow2 final : public Source {
  public:
    explicit FromQcow2(std::unique_ptr<Qcow2> image) : image_(std::move(image)) {}

    Format format() const override { return Format::qcow2; }
    storage::Block& block() override { return *image_; }
    storage::Extents& extents() override { return *image_; }

  private:
    std::unique_ptr<Qcow2> image_;
};

Result<std::unique_ptr<Source>> open_raw(io::Loop& loop, Fd file, std::uint64_t size) {
    if (size % sector != 0)
        return fail(Kind::invalid, "has {} bytes, which are no whole sectors of {}", size, sector);
    auto second = TRY(file.duplicate());
    auto block = TRY(storage::FileBlock::create(loop, std::move(file)));
    return std::make_unique<Raw>(std::move(block), std::move(second));
}

}  // namespace

io::Task<std::unique_ptr<Source>> Source::open(io::Loop& loop, Fd file) {
    const auto size = co_await storage::size_of(file);
    if (size == 0) co_await fail(Kind::invalid, "is empty");
    std::array<std::byte, telling_size> bytes{};
    const auto count = co_await loop.read(file.get(), bytes, 0);
    const auto format = co_await format_of(std::span{bytes}.first(count));
    std::unique_ptr<Source> source;
    if (format == Format::raw) {
        source = co_await open_raw(loop, std::move(file), size);
    } else {
        auto image = co_await Qcow2::open(loop, std::move(file), size);
        source = std::make_unique<FromQcow2>(std::move(image));
    }
    if (source->block().geometry().size == 0) co_await fail(Kind::invalid, "is an empty disk");
    co_return source;
}

io::Task<std::string> sha256_of(io::Loop& loop, const Fd& file, Progress progress) {
    const auto size = co_await storage::size_of(file);
    Sha256 digest;
    std::vector<std::byte> bytes(hashed_at_once);
    for (std::uint64_t done = 0; done < size;) {
        const auto part =
            std::span{bytes}.first(std::min<std::uint64_t>(bytes.size(), size - done));
        const auto count = co_await loop.read(file.get(), part, done);
        if (count == 0) co_await fail(Kind::conflict, "became shorter while it was read");
        digest.add(part.first(count));
        done += count;
        if (progress) progress(done, size);
    }
    co_return digest.finish();
}

}  // namespace sheaf::image
