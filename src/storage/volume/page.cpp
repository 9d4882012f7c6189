#include "storage/volume/page.h"

#include <array>

#include "base/bytes.h"
#include "storage/checksum.h"

namespace sheaf::volume {

namespace {

constexpr std::uint64_t magic = 0x3147504641454853;  // "SHEAFPG1"
constexpr std::uint16_t version = 1;

// The checksum with its own field as zeros.
std::uint32_t checksum_of(PageHeader header, std::span<const std::byte> page) {
    header.checksum = 0;
    const auto first = storage::crc32c(bytes_of(header));
    return storage::crc32c(page.subspan(sizeof(header)), first);
}

}  // namespace

std::uint32_t seal(std::span<std::byte> page, const PageName& name, std::uint64_t sequence) {
    PageHeader header{.magic = magic,
                      .checksum = 0,
                      .version = version,
                      .kind = static_cast<std::uint16_t>(name.kind),
                      .length = static_cast<std::uint32_t>(page.size()),
                      .reserved = 0,
                      .owner = name.owner,
                      .position = name.position,
                      .sequence = sequence,
                      .reserved_too = 0};
    header.checksum = checksum_of(header, page);
    store(page, header);
    return header.checksum;
}

Result<PageHeader> check(std::span<const std::byte> page, const PageName& name) {
    const auto header = load<PageHeader>(page);
    const auto* what = to_string(name.kind);
    if (header.magic != magic) return fail(Kind::corrupt, "{}: nothing of ours is there", what);
    if (header.version != version)
        return fail(Kind::unsupported, "{}: version {}, this program knows {}", what,
                    header.version, version);
    if (header.kind != static_cast<std::uint16_t>(name.kind) || header.owner != name.owner ||
        header.position != name.position)
        return fail(Kind::corrupt, "{} {}: a page that belongs elsewhere is there", what,
                    name.position);
    if (header.length != page.size() || header.checksum != checksum_of(header, page))
        return fail(Kind::corrupt, "{} {}: its checksum is wrong", what, name.position);
    return header;
}

const char* to_string(PageKind kind) {
    switch (kind) {
        case PageKind::superblock: return "superblock";
        case PageKind::log: return "log page";
        case PageKind::root: return "root page";
        case PageKind::branch: return "branch page";
        case PageKind::directory: return "directory page";
        case PageKind::slots: return "slots page";
        case PageKind::intents: return "intents page";
        case PageKind::table: return "table of layers";
    }
    return "page";
}

}  // namespace sheaf::volume
