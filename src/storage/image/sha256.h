#pragma once

// Why: what was imported is named by its bytes, and checked against what its publisher says.

#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace sheaf::image {

class Sha256 {
  public:
    static Result<Sha256> create();

    Result<void> add(std::span<const std::byte> bytes);
    // 64 lower-case hexadecimal digits. Ends it.
    Result<std::string> finish();

  private:
    struct Free {
        void operator()(void* context) const;
    };
    explicit Sha256(std::unique_ptr<void, Free> context) : context_(std::move(context)) {}

    std::unique_ptr<void, Free> context_;
};

// The digest as a person gave it, in the form of finish(). Fails with invalid.
Result<std::string> parse_sha256(std::string_view text);

}  // namespace sheaf::image
