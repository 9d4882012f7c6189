#include "storage/image/sha256.h"

#include <array>

#include "base/bytes.h"
#include "base/hex.h"

namespace sheaf::image {

namespace {

constexpr std::size_t digits = 2 * SHA256_DIGEST_SIZE;

}  // namespace

void Sha256::add(std::span<const std::byte> bytes) {
    sha256_update(&context_, bytes.size(), octets(bytes));
}

std::string Sha256::finish() {
    std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
    sha256_digest(&context_, digest.size(), digest.data());
    return to_hex(std::as_bytes(std::span{digest}));
}

Result<std::string> parse_sha256(std::string_view text) {
    std::string digest;
    for (const auto letter : text) {
        const auto lower = letter >= 'A' && letter <= 'F' ? static_cast<char>(letter + 32) : letter;
        if ((lower < '0' || lower > '9') && (lower < 'a' || lower > 'f')) break;
        digest += lower;
    }
    if (digest.size() == digits && text.size() == digits) return digest;
    return fail(Kind::invalid, "a SHA-256 has {} hexadecimal digits", digits);
}

}  // namespace sheaf::image
