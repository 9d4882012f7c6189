#pragma once

// Why: the bits of an L2 table in words that a reader can act on. What: qemu's
// docs/interop/qcow2.txt, "Cluster mapping" and "Extended L2 Entries".

#include "storage/image/qcow2_header.h"

namespace sheaf::image {

// What the disk has from some place on.
struct Stretch {
    enum class Kind : std::uint8_t { hole, zero, data, compressed };
    Kind kind = Kind::hole;
    std::uint64_t length = 0;       // bytes of the disk
    std::uint64_t host = 0;         // where in the file: of data, or of the compressed cluster
    std::uint64_t host_length = 0;  // of the compressed cluster, at most

    bool goes_on_with(const Stretch& next) const {
        if (kind != next.kind || kind == Kind::compressed) return false;
        return kind != Kind::data || host + length == next.host;
    }
};

struct L2Entry {
    std::uint64_t descriptor = 0;
    std::uint64_t bitmap = 0;  // of subclusters, with extended entries
};

// Where the L2 table that an entry of the L1 table names begins, 0 for none. Fails with corrupt
// where that is no cluster inside the file.
Result<std::uint64_t> l2_table_of(const Qcow2Header& header, std::uint64_t l1_entry,
                                  std::uint64_t file_size);

// The cluster of this entry from the byte `within` it on: to its end, or to where what it holds
// changes. Every place named begins inside the file. Fails with corrupt.
Result<Stretch> stretch_of(const Qcow2Header& header, const L2Entry& entry, std::uint64_t within,
                           std::uint64_t file_size);

}  // namespace sheaf::image
