#include "storage/image/sha256.h"

#include <array>

#include <openssl/evp.h>

namespace sheaf::image {

namespace {

constexpr std::size_t digits = 64;

EVP_MD_CTX* of(void* context) {
    return static_cast<EVP_MD_CTX*>(context);
}

}  // namespace

void Sha256::Free::operator()(void* context) const {
    EVP_MD_CTX_free(of(context));
}

Result<Sha256> Sha256::create() {
    std::unique_ptr<void, Free> context{EVP_MD_CTX_new()};
    if (!context || EVP_DigestInit_ex(of(context.get()), EVP_sha256(), nullptr) != 1)
        return fail(Kind::exhausted, "no memory for SHA-256");
    return Sha256{std::move(context)};
}

Result<void> Sha256::add(std::span<const std::byte> bytes) {
    if (EVP_DigestUpdate(of(context_.get()), bytes.data(), bytes.size()) == 1) return {};
    return fail(Kind::io, "SHA-256 failed");
}

Result<std::string> Sha256::finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    if (EVP_DigestFinal_ex(of(context_.get()), digest.data(), &length) != 1)
        return fail(Kind::io, "SHA-256 failed");
    std::string text;
    for (unsigned index = 0; index < length; ++index)
        text += fmt::format("{:02x}", digest.at(index));
    return text;
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
