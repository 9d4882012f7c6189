#include "storage/volume/log_batch.h"

#include <algorithm>

#include "storage/volume/page.h"

namespace sheaf::volume {

void LogBatch::make_room(std::size_t size) {
    if (pages_.empty() || pages_.back().records.size() + size > page_size - first_record)
        pages_.emplace_back();
}

void LogBatch::append(std::span<const std::byte> record) {
    auto& page = pages_.back();
    page.records.insert(page.records.end(), record.begin(), record.end());
    ++page.count;
}

std::uint32_t LogBatch::write(std::span<std::byte> into, Place place) const {
    for (const auto& page : pages_) {
        const auto bytes = into.first(page_size);
        into = into.subspan(page_size);
        std::ranges::fill(bytes, std::byte{0});
        store(bytes.subspan(sizeof(PageHeader)), LogHeader{.previous = place.previous,
                                                           .records = page.count,
                                                           .reserved = 0,
                                                           .incarnation = place.incarnation});
        std::ranges::copy(page.records, bytes.subspan(first_record).begin());
        place.previous = seal(bytes, {PageKind::log, place.owner, place.sequence}, place.sequence);
        ++place.sequence;
    }
    return place.previous;
}

RecordReader::RecordReader(std::span<const std::byte> page)
    : rest_(page.subspan(first_record)),
      left_(load<LogHeader>(page.subspan(sizeof(PageHeader))).records) {}

Result<std::span<const std::byte>> RecordReader::next() {
    if (left_ == 0) return std::span<const std::byte>{};
    --left_;
    if (rest_.size() < sizeof(RecordHeader)) return fail(Kind::corrupt, "a record is cut off");
    const auto length = load<RecordHeader>(rest_).length;
    if (length < sizeof(RecordHeader) || length % 8 != 0 || length > rest_.size())
        return fail(Kind::corrupt, "a record of {} bytes", length);
    const auto record = rest_.first(length);
    rest_ = rest_.subspan(length);
    return record;
}

}  // namespace sheaf::volume
