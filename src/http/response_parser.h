#pragma once

// Why: an HTTP/1.1 response out of bytes as they come (RFC 9112). Beast's parser does it, and is
// named in the source alone: its headers cost seconds a file.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sheaf::http {

// Of one response. Nothing waits; any one thread.
class ResponseParser {
  public:
    static constexpr std::size_t longest_head = 16384;  // bytes

    ResponseParser();
    ResponseParser(ResponseParser&&) noexcept;
    ResponseParser& operator=(ResponseParser&&) noexcept;
    ~ResponseParser();

    // Takes some of the bytes and says how many; the others come again, with more behind them.
    // Fails with corrupt where it is no response.
    Result<std::size_t> take(std::span<const std::byte> bytes);
    // No more bytes come. Fails with unavailable where more should have.
    Result<void> end();

    bool has_head() const;
    bool is_done() const;
    // What the connection can be used for afterwards: another request, or not.
    bool keeps_open() const;
    unsigned status() const;
    // The values of a header, in order.
    std::vector<std::string> values_of(std::string_view header) const;
    // What has come of the body since the last call.
    std::string take_body();

  private:
    struct Beast;
    std::unique_ptr<Beast> beast_;
};

}  // namespace sheaf::http
