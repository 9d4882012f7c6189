#pragma once

// Why: what was imported is named by its bytes, and checked against what its publisher says.

#include <span>
#include <string>

#include <nettle/sha2.h>

#include "base/result.h"

namespace sheaf::image {

class Sha256 {
  public:
    Sha256() { sha256_init(&context_); }

    void add(std::span<const std::byte> bytes);
    // 64 lower-case hexadecimal digits; then it begins anew.
    std::string finish();

  private:
    sha256_ctx context_;
};

// The digest as a person gave it, in the form of finish(). Fails with invalid.
Result<std::string> parse_sha256(std::string_view text);

}  // namespace sheaf::image
