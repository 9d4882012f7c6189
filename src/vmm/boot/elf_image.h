#pragma once

// Why: a vmlinux and our own probes are ELF files. This reads, checks and loads the little of ELF
// that a boot loader needs, for both word sizes. What: the System V gABI, chapters 4 and 5.

#include <optional>
#include <vector>

#include "vmm/boot/image_file.h"

namespace sheaf::vmm::boot {

class ElfImage {
  public:
    enum class Width { bits_32, bits_64 };

    // Whether the file begins with ELF's magic bytes.
    static Result<bool> is_elf(const ImageFile& file);

    // Reads headers and notes. Afterwards every segment lies within the file, has no bytes below
    // 1 MiB and overlaps no other. Fails with unsupported for what is no x86 kernel, with corrupt
    // for a damaged one.
    static Result<ElfImage> create(const ImageFile& file);

    Width width() const { return width_; }
    Gpa entry() const { return entry_; }
    Gpa end() const;  // of the highest segment
    // The 32-bit entry point of Xen's note 18 (XEN_ELFNOTE_PHYS32_ENTRY), which is PVH's.
    std::optional<Gpa> pvh_entry() const { return pvh_entry_; }

    // Whether `address` lies in a segment.
    bool contains(Gpa address) const;

    // Reads the segments to their physical addresses. What a segment has beyond the file stays as
    // it is: fresh guest memory is zero.
    Result<void> load(const ImageFile& file, const GuestMemory& memory) const;

  private:
    struct Segment {
        Gpa address;
        std::uint64_t offset = 0;
        std::uint64_t file_size = 0;
        std::uint64_t memory_size = 0;
    };
    template <class Header, class ProgramHeader>
    Result<void> parse(const ImageFile& file);
    Result<void> add(const ImageFile& file, const Segment& segment);
    Result<void> read_notes(const ImageFile& file, std::uint64_t offset, std::uint64_t length);
    Result<void> sort_segments();

    Width width_ = Width::bits_64;
    Gpa entry_;
    std::optional<Gpa> pvh_entry_;
    std::vector<Segment> segments_;  // sorted by address, disjoint, at least one
};

}  // namespace sheaf::vmm::boot
