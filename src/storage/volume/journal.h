#pragma once

// Why: what must never be lost or mixed up, the superblock, the metadata log and the table of
// layers, is kept twice, in two equal files, so that one write that was lost, torn or went astray
// costs nothing. What: docs/formats/volume.md, "journal.0 and journal.1".

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "storage/aligned_buffer.h"
#include "storage/volume/file.h"
#include "storage/volume/format.h"
#include "storage/volume/log_batch.h"

namespace sheaf::volume {

// One at a time of append() and commit(), and only after replay. Loop thread only.
class Journal {
  public:
    using Files = std::array<File, 2>;

    // A journal for a volume that does not exist yet; `files` are empty. Its first commit makes it.
    static std::unique_ptr<Journal> create(Files files, const Id& owner,
                                           const Superblock& superblock);
    // Finds the newest sound superblock and its table. Fails with corrupt where there is none, with
    // unsupported where it was written by a newer program.
    static io::Task<std::unique_ptr<Journal>> open(Files files);

    const Id& owner() const { return owner_; }
    const Superblock& superblock() const { return superblock_; }
    const std::vector<LayerEntry>& layers() const { return layers_; }
    std::uint64_t sequence() const { return sequence_; }  // of the superblock

    // Reads the page of the log that comes next into `page`; false where the log ends.
    io::Task<bool> replay(std::span<std::byte> page);

    // Where the next page of the log goes, and the checksum of the one before it.
    struct Position {
        std::uint64_t next;
        std::uint32_t previous;
    };
    Position position() const { return position_; }
    std::uint64_t pages_free() const {
        return superblock_.log_pages - (position_.next - superblock_.log_first);
    }

    // After replay: pages of the log written from now on tell themselves from all earlier ones.
    void begin_incarnation();
    std::uint64_t incarnation() const { return incarnation_; }

    // The records are stable when this ends, or only as sure as the host keeps running. Fails with
    // exhausted where the log is full, having written nothing.
    enum class Reach : std::uint8_t { stable, written };
    io::Task<void> append(const LogBatch& batch, Reach reach = Reach::stable);
    // What is to become the volume's state, with its table already on the disk.
    struct Prepared {
        Superblock superblock;
        std::vector<LayerEntry> layers;
    };
    // Writes the table and reads it again. Table, layer count and incarnation are filled in here.
    // Where this fails nothing has changed.
    io::Task<Prepared> prepare(Superblock superblock, std::vector<LayerEntry> layers);
    // Makes it the volume's state. After a failure either state may be on the disk: until the same
    // commit succeeds, nothing that one of them names may be written to.
    io::Task<void> commit(const Prepared& prepared);

  private:
    explicit Journal(Files files) : files_(std::move(files)) {}

    struct Found;
    static io::Task<void> look_for_superblock(File& file, Found& best);
    io::Task<void> read_table();
    struct Page {
        std::uint32_t checksum;
        std::uint64_t incarnation;
    };
    io::Task<std::optional<Page>> read_log_page(unsigned copy, std::span<std::byte> page);
    std::uint64_t table_offset(std::uint64_t length, std::uint64_t sequence) const;
    io::Task<void> write_log(std::span<const std::byte> pages, Reach reach);
    io::Task<void> write_both(std::span<const std::byte> bytes, std::uint64_t offset);
    io::Task<void> sync_both();
    // Fails where neither copy reads back as it was written.
    io::Task<void> verify(std::span<const std::byte> bytes, std::uint64_t offset);

    Files files_;
    Id owner_{};
    std::uint64_t sequence_ = 0;
    Superblock superblock_{};
    std::vector<LayerEntry> layers_;
    Position position_{};
    std::uint64_t incarnation_ = 0;  // of the page replayed last, later of those appended
};

// Fails with corrupt or unsupported where numbers make no sense or are not known here.
Result<void> check(const Superblock& superblock);
// Whether the volume is one copy of several; one that was made before there was a bit for that has
// an epoch since it was sealed.
constexpr bool is_copy(const Superblock& superblock) {
    return (superblock.features & feature_copy) != 0 || superblock.epoch != 0;
}

}  // namespace sheaf::volume
