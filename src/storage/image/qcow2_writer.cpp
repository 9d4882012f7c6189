#include "storage/image/qcow2_writer.h"

#include <algorithm>
#include <array>

#include "base/big_endian.h"
#include "storage/image/qcow2_header.h"

namespace sheaf::image {

namespace {

constexpr auto cluster_size = Qcow2Writer::cluster_size;
constexpr std::uint32_t cluster_bits = 16;
constexpr std::uint64_t l1_cluster = 1;
constexpr std::uint64_t used_once = std::uint64_t{1} << 63;
constexpr std::uint64_t counts_per_block = cluster_size / 2;
constexpr std::uint64_t blocks_per_cluster = cluster_size / 8;
constexpr std::uint32_t count_order = 4;  // 16 bits
constexpr std::size_t header_length = 104;

constexpr std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) {
    return value / by + (value % by != 0 ? 1 : 0);
}

}  // namespace

Result<Qcow2Writer> Qcow2Writer::create(volume::File& file, std::uint64_t size) {
    const auto entries = divide_up(size, table_coverage);
    if (entries * 8 > most_l1_bytes)
        return fail(Kind::unsupported, "a disk of {} bytes is too large for qcow2", size);
    return Qcow2Writer{file, size, entries};
}

Qcow2Writer::Qcow2Writer(volume::File& file, std::uint64_t size, std::uint64_t l1_entries)
    : file_(&file),
      size_(size),
      l1_(std::max<std::uint64_t>(divide_up(l1_entries * 8, cluster_size), 1) * cluster_size),
      l1_entries_(l1_entries),
      l2_(cluster_size),
      next_cluster_(l1_cluster + l1_.size() / cluster_size) {}

std::uint64_t Qcow2Writer::take_clusters(std::uint64_t count) {
    const auto first = next_cluster_;
    next_cluster_ += count;
    return first;
}

io::Task<void> Qcow2Writer::store(std::uint64_t offset, std::span<std::byte> bytes) {
    const auto count = divide_up(bytes.size(), cluster_size);
    const auto host = take_clusters(count) * cluster_size;
    const auto index = offset % table_coverage / cluster_size;
    for (std::uint64_t number = 0; number < count; ++number)
        store_big(std::span{l2_}.subspan((index + number) * 8),
                  (host + number * cluster_size) | used_once);
    l2_used_ = true;
    co_await file_->write(bytes, host);
}

io::Task<void> Qcow2Writer::end_table(std::uint64_t offset) {
    if (!l2_used_) co_return;
    const auto host = take_clusters(1) * cluster_size;
    store_big(std::span{l1_}.subspan(offset / table_coverage * 8), host | used_once);
    co_await file_->write(l2_, host);
    std::ranges::fill(l2_, std::byte{0});
    l2_used_ = false;
}

// Every cluster is used once, those of the counts too.
io::Task<void> Qcow2Writer::write_counts() {
    std::uint64_t blocks = 1;
    const auto total = [&] {
        return next_cluster_ + blocks + divide_up(blocks, blocks_per_cluster);
    };
    while (blocks * counts_per_block < total()) ++blocks;
    const auto end = total();
    counts_clusters_ = divide_up(blocks, blocks_per_cluster);
    counts_ = take_clusters(counts_clusters_);
    std::vector<std::byte> table(counts_clusters_ * cluster_size);
    std::vector<std::byte> block(cluster_size);
    for (std::uint64_t number = 0; number < blocks; ++number) {
        const auto counted = std::min(counts_per_block, end - number * counts_per_block);
        std::ranges::fill(block, std::byte{0});
        for (std::uint64_t count = 0; count < counted; ++count)
            store_big(std::span{block}.subspan(count * 2), std::uint16_t{1});
        const auto host = take_clusters(1) * cluster_size;
        store_big(std::span{table}.subspan(number * 8), host);
        co_await file_->write(block, host);
    }
    co_await file_->write(table, counts_ * cluster_size);
}

io::Task<void> Qcow2Writer::write_header() {
    std::array<std::byte, header_length + 8> header{};  // and the end of no extensions
    const std::span<std::byte> bytes{header};
    std::ranges::copy(as_bytes(qcow2_magic), header.begin());
    store_big(bytes.subspan(4), std::uint32_t{3});
    store_big(bytes.subspan(20), cluster_bits);
    store_big(bytes.subspan(24), size_);
    store_big(bytes.subspan(36), static_cast<std::uint32_t>(l1_entries_));
    store_big(bytes.subspan(40), l1_cluster * cluster_size);
    store_big(bytes.subspan(48), counts_ * cluster_size);
    store_big(bytes.subspan(56), static_cast<std::uint32_t>(counts_clusters_));
    store_big(bytes.subspan(96), count_order);
    store_big(bytes.subspan(100), static_cast<std::uint32_t>(header_length));
    co_await file_->write(header, 0);
}

io::Task<void> Qcow2Writer::finish() {
    co_await write_counts();
    co_await file_->write(l1_, l1_cluster * cluster_size);
    co_await write_header();
}

}  // namespace sheaf::image
