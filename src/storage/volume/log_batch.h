#pragma once

// Why: records of the metadata log are gathered into whole pages, because a page is what can be
// written, torn and told apart from an older one.

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "storage/volume/format.h"

namespace sheaf::volume {

// Records in the order in which they are to count; each must have its own header filled in.
class LogBatch {
  public:
    template <WireStruct Record>
    void add(const Record& record) {
        make_room(sizeof(Record));
        append(bytes_of(record));
    }
    // The second is there wherever the first is.
    template <WireStruct Record>
    void add_both(const Record& first, const Record& second) {
        make_room(2 * sizeof(Record));
        append(bytes_of(first));
        append(bytes_of(second));
    }

    bool empty() const { return pages_.empty(); }
    std::size_t pages() const { return pages_.size(); }

    // Writes the pages, to be numbered from `sequence` on, one behind the other into `into`, which
    // has room for them, chained to the page before them. Gives the checksum of the last.
    struct Place {
        Id owner;
        std::uint64_t sequence;
        std::uint32_t previous;
        std::uint64_t incarnation;
    };
    std::uint32_t write(std::span<std::byte> into, Place place) const;

  private:
    struct Page {
        std::vector<std::byte> records;
        std::uint16_t count = 0;
    };
    void make_room(std::size_t size);
    void append(std::span<const std::byte> record);

    std::vector<Page> pages_;
};

// Walks over the records of a sound log page; what it gives points into the page.
class RecordReader {
  public:
    // `page` is a whole page.
    explicit RecordReader(std::span<const std::byte> page);

    // The next record with its header; empty behind the last; corrupt where lengths make no sense.
    Result<std::span<const std::byte>> next();

  private:
    std::span<const std::byte> rest_;
    unsigned left_;
};

}  // namespace sheaf::volume
