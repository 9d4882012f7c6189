#include "storage/boot_record.h"

#include <unistd.h>

#include <array>
#include <vector>

#include <boost/crc.hpp>

#include "base/bytes.h"
#include "base/units.h"
#include "storage/aligned_buffer.h"
#include "storage/disk_file.h"
#include "storage/image/format.h"

namespace sheaf::storage {

namespace {

constexpr std::uint64_t sector = 512;
constexpr std::uint64_t iso_sector = 2048;
constexpr std::uint64_t iso_descriptors = 16 * iso_sector;
constexpr unsigned most_iso_descriptors = 32;
constexpr std::uint64_t most_entry_bytes = 1_MiB;  // of a GPT; usual are 16 KiB

// UEFI 2.10, table 5.5.
struct GptHeader {
    std::array<char, 8> signature;
    std::uint32_t revision;
    std::uint32_t header_size;
    std::uint32_t header_crc;
    std::uint32_t reserved;
    std::uint64_t own_sector;
    std::uint64_t other_sector;
    std::uint64_t first_usable;
    std::uint64_t last_usable;
    std::array<std::byte, 16> disk;
    std::uint64_t entries_sector;
    std::uint32_t entry_count;
    std::uint32_t entry_size;
    std::uint32_t entries_crc;
    std::uint32_t padding;
};
constexpr std::size_t least_header = 92;
constexpr std::string_view gpt_signature = "EFI PART";

std::uint32_t crc_of(std::span<const std::byte> bytes) {
    auto crc = boost::crc_32_type{};
    crc.process_bytes(bytes.data(), bytes.size());
    return crc.checksum();
}

enum class Gpt { absent, damaged, sound };

Result<Gpt> examine_entries(const ReadAt& read, std::uint64_t size, const GptHeader& header) {
    const auto bytes = std::uint64_t{header.entry_count} * header.entry_size;
    if (bytes == 0 || bytes > most_entry_bytes || header.entries_sector > size / sector ||
        bytes > size - header.entries_sector * sector)
        return Gpt::damaged;
    auto entries = std::vector<std::byte>(bytes);
    TRY(read(header.entries_sector * sector, entries));
    return crc_of(entries) == header.entries_crc ? Gpt::sound : Gpt::damaged;
}

// The copy of the GPT whose header lies at this sector.
Result<Gpt> examine_gpt(const ReadAt& read, std::uint64_t size, std::uint64_t at) {
    auto bytes = std::array<std::byte, sector>{};
    TRY(read(at * sector, bytes));
    const auto header = load<GptHeader>(bytes);
    if (std::string_view{header.signature} != gpt_signature) return Gpt::absent;
    if (header.header_size < least_header || header.header_size > sector) return Gpt::damaged;
    store(std::span{bytes}.subspan(offsetof(GptHeader, header_crc)), std::uint32_t{0});
    const auto crc = crc_of(std::span{bytes}.first(header.header_size));
    if (crc != header.header_crc || header.own_sector != at) return Gpt::damaged;
    return examine_entries(read, size, header);
}

// Whether an ISO 9660 file system begins here, and whether one of its descriptors is El Torito's.
struct Iso {
    bool present = false;
    bool starts = false;
};
Result<Iso> examine_iso(const ReadAt& read, std::uint64_t size) {
    constexpr std::byte last{255};
    auto found = Iso{};
    for (unsigned number = 0; number < most_iso_descriptors; ++number) {
        const auto at = iso_descriptors + number * iso_sector;
        if (at + iso_sector > size) break;
        auto bytes = std::array<std::byte, iso_sector>{};
        TRY(read(at, bytes));
        const auto text = as_text(bytes);
        if (text.substr(1, 5) != "CD001" || bytes[0] == last) break;
        found.present = true;
        if (bytes[0] == std::byte{0} && text.substr(7).starts_with("EL TORITO SPECIFICATION"))
            found.starts = true;
    }
    return found;
}

// What the first sector says: nothing, a boot record, or only that a GPT follows
// (UEFI 2.10, 5.2.3).
enum class Record { absent, plain, protective };
Record examine_record(std::span<const std::byte, sector> head) {
    constexpr std::size_t first_type = 446 + 4;
    constexpr std::byte gpt_follows{0xee};
    if (as_text(head).substr(510) != "\x55\xaa") return Record::absent;
    for (std::size_t partition = 0; partition < 4; ++partition)
        if (head[first_type + 16 * partition] == gpt_follows) return Record::protective;
    return Record::plain;
}

Result<void> check_raw(std::span<const std::byte> head) {
    if (const auto format = image::foreign_format(as_text(head)))
        return fail(Kind::unsupported, "is a {} image, not raw; {}", *format,
                    *format == "qcow2" ? "make a volume of it with sheaf image import, or "
                                         "convert it with qemu-img convert -O raw"
                                       : "convert it with qemu-img convert -O raw");
    return {};
}

// Reads an open disk. The descriptor may bypass the page cache, so what is read goes through a
// buffer that allows it.
class DiskReader {
  public:
    static Result<DiskReader> create(const Fd& disk) {
        auto reader = DiskReader{disk};
        if (reader.buffer_.bytes().empty()) return fail(Kind::exhausted, "no memory for a sector");
        return reader;
    }

    Result<void> operator()(std::uint64_t position, std::span<std::byte> into) {
        while (!into.empty()) {
            const auto whole = buffer_.bytes();
            const auto start = align_down(position, std::uint64_t{whole.size()});
            const auto count =
                TRY(checked(static_cast<int>(::pread(disk_.get(), whole.data(), whole.size(),
                                                     static_cast<off_t>(start))),
                            "reading its boot record"));
            const auto skip = static_cast<std::size_t>(position - start);
            if (std::cmp_less_equal(count, skip))
                return fail(Kind::io, "ends while its boot record is read");
            const auto part = std::min(into.size(), static_cast<std::size_t>(count) - skip);
            std::ranges::copy(whole.subspan(skip, part), into.begin());
            into = into.subspan(part);
            position += part;
        }
        return {};
    }

  private:
    explicit DiskReader(const Fd& disk) : disk_(disk), buffer_(AlignedBuffer::alignment) {}

    const Fd& disk_;
    AlignedBuffer buffer_;
};

}  // namespace

Result<void> check_boot_record(const ReadAt& read, std::uint64_t size) {
    if (size < 2 * sector) return fail(Kind::invalid, "holds nothing that firmware could start");
    auto head = std::array<std::byte, sector>{};
    TRY(read(0, head));
    TRY(check_raw(head));
    const auto gpt = TRY(examine_gpt(read, size, 1));
    if (gpt == Gpt::sound) return {};
    const auto backup = TRY(examine_gpt(read, size, size / sector - 1));
    if (backup == Gpt::sound) return {};
    const auto iso = TRY(examine_iso(read, size));
    if (iso.starts) return {};
    const auto record = examine_record(head);
    // What is left of an older GPT at the end of a disk that was divided anew means nothing.
    if (record == Record::plain && gpt != Gpt::damaged) return {};
    if (gpt == Gpt::damaged || backup == Gpt::damaged)
        return fail(Kind::corrupt, "has a damaged partition table (GPT), and no sound copy of it");
    if (record == Record::protective)
        return fail(Kind::corrupt, "had a partition table (GPT), and both copies of it are gone");
    if (iso.present) return fail(Kind::invalid, "is an ISO image without a boot catalogue");
    return fail(Kind::invalid,
                "holds nothing that firmware could start: no partition table, no "
                "boot sector, no bootable ISO 9660 file system");
}

Result<void> check_boot_record(const Fd& disk) {
    auto reader = TRY(DiskReader::create(disk));
    return check_boot_record(std::ref(reader), TRY(size_of(disk)));
}

Result<void> check_raw_format(const Fd& disk) {
    auto reader = TRY(DiskReader::create(disk));
    auto head = std::array<std::byte, sector>{};
    TRY(reader(0, head));
    return check_raw(head);
}

}  // namespace sheaf::storage
