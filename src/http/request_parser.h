#pragma once

// Why: an HTTP/1.1 request out of bytes as they come (RFC 9112), with a bound on everything:
// whoever can connect may send anything. Beast's parser does it, and is named in the source alone.

#include <cstddef>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/header.h"

namespace sheaf::http {

struct ReceivedRequest {
    std::string method;
    std::string target;  // as it was sent
    std::vector<Header> headers;
    std::string body;
    bool is_http_1_0 = false;

    // The value of the first header of this name, in any case; empty where there is none.
    std::string_view header(std::string_view name) const;
};

// Why a request is not answered as asked: the status (RFC 9110, section 15) and a sentence.
struct Rejection {
    unsigned status = 400;
    std::string reason;
};

// Of one request. Nothing waits; any one thread.
class RequestParser {
  public:
    static constexpr std::size_t longest_target = 8192;  // bytes, as the next two
    static constexpr std::size_t longest_head = 32768;
    static constexpr std::size_t longest_body = 3 << 19;  // 1.5 MiB

    RequestParser();
    RequestParser(RequestParser&&) noexcept;
    RequestParser& operator=(RequestParser&&) noexcept;
    ~RequestParser();

    // Takes some of the bytes and says how many; the others come again, with more behind them.
    // Refused with 400, 413, 414, 417, 431, 501 or 505, after which the connection makes no sense.
    std::expected<std::size_t, Rejection> take(std::span<const std::byte> bytes);

    bool has_head() const;
    bool is_done() const;
    // Whether the client waits for "100 Continue" before it sends the body. After the head.
    bool expects_continue() const;
    // Whether the client can send another request afterwards.
    bool keeps_open() const;
    // The whole request. Once, when it is done.
    ReceivedRequest take_request();

  private:
    std::expected<void, Rejection> check_head() const;

    struct Beast;
    std::unique_ptr<Beast> beast_;
};

}  // namespace sheaf::http
