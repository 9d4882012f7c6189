#pragma once

// Why: a block that is overwritten in place and its checksum cannot become stable in one instant.
// So a region is marked before anything in it changes, and after a crash the checksums of marked
// regions, and of no others, are computed anew. A region that is written again and again costs
// nothing. What: docs/formats/volume.md, "intent".

#include <deque>
#include <memory>
#include <vector>

#include "io/task_group.h"
#include "io/waiters.h"
#include "storage/volume/file.h"
#include "storage/volume/format.h"

namespace sheaf::volume {

// Regions are numbered from the start of the volume. Loop thread only.
class Intents {
  public:
    // Makes a file that says that nothing is marked; it is empty before.
    static io::Task<void> create(File file, Id owner, std::uint64_t regions);
    enum class Marks { none, on_disk };
    // Where the volume was closed cleanly there are none, and a page is read when it is written
    // first. Work of its own runs in `work`, which is joined before this is destroyed.
    static io::Task<std::unique_ptr<Intents>> open(io::TaskGroup& work, File file, Id owner,
                                                   std::uint64_t regions, Marks marks);

    // How long the file must be, in bytes.
    static std::uint64_t file_size(std::uint64_t regions);

    // Whether the mark of the region is on the disk, whatever happens.
    bool stable(std::uint64_t region) const;
    // Ends when all regions of [first, end) are marked and their marks stable. None of them is
    // cleared meanwhile.
    io::Task<void> mark(std::uint64_t first, std::uint64_t end);
    // Marks regions that nobody waits for, on the disk when their page is written next.
    void mark_ahead(std::uint64_t first, std::uint64_t end);
    // Takes a mark back, on the disk some time later.
    void clear(std::uint64_t region);
    // Ends when the disk says what the marks are now, of the regions from this one on.
    io::Task<void> settle(std::uint64_t first = 0);

    bool marked(std::uint64_t region) const;
    // The first marked region at or after this one, or regions().
    std::uint64_t next_marked(std::uint64_t region) const;
    std::uint64_t regions() const { return regions_; }
    std::uint64_t count() const { return count_; }  // of marked regions
    // The volume has grown.
    void resize(std::uint64_t regions);

  private:
    // Vectors are empty where nothing was marked yet.
    struct Page {
        bool known = false;  // what the disk has of it
        std::uint64_t sequence = 0;
        std::vector<std::uint8_t> wanted;   // the marks
        std::vector<std::uint8_t> certain;  // those in every version that the disk may hold
        bool changed = false;               // wanted is not what was written last
        bool writing = false;
    };

    Intents(io::TaskGroup& work, File file, Id owner)
        : work_(work), file_(std::move(file)), owner_(owner) {}
    io::Task<void> load();
    io::Task<void> read_versions(std::uint64_t first, std::span<std::byte> into);
    bool take_newest(std::uint64_t number, std::span<const std::byte> versions);
    void take_marks(std::uint64_t number, std::span<const std::byte> versions);
    io::Task<void> learn_sequence(std::uint64_t number);
    void start_writing(std::uint64_t number);
    io::Task<void> write(std::uint64_t number);
    io::Task<void> write_once(std::uint64_t number);
    bool all_stable(std::uint64_t first, std::uint64_t end) const;

    io::TaskGroup& work_;
    File file_;
    Id owner_;
    std::uint64_t regions_ = 0;
    std::uint64_t count_ = 0;
    std::deque<Page> pages_;  // stay where they are when more come
    io::Waiters written_;
    std::uint64_t failures_ = 0;
    std::optional<Error> last_failure_;
};

}  // namespace sheaf::volume
