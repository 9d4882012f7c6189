#pragma once

// Why: requests over one HTTP/1.1 connection, one after another, and answers that never end, piece
// by piece.

#include <optional>
#include <string>
#include <vector>

#include "http/header.h"
#include "http/response_parser.h"
#include "io/byte_stream.h"

namespace sheaf::http {

struct Request {
    std::string method;
    std::string target;
    std::vector<Header> headers;  // beside Host and Content-Length
    std::string body;
};

struct Response {
    unsigned status = 0;
    std::string body;
};

// Loop thread only, one request at a time. After one that failed or was cancelled it is of no use.
class ClientConnection {
  public:
    // `host` is what the Host header says.
    ClientConnection(std::unique_ptr<io::ByteStream> stream, std::string host)
        : stream_(std::move(stream)), host_(std::move(host)) {}

    // The whole answer, its body of at most `limit` bytes: more fails with exhausted.
    io::Task<Response> ask(Request request, std::size_t limit);

    // The same in pieces: sends the request and gives the status, then the body as it comes, none
    // at its end.
    io::Task<unsigned> begin(Request request);
    io::Task<std::optional<std::string>> piece();

    // The values of a header of the last answer.
    std::vector<std::string> values_of(std::string_view header) const {
        return parser_.values_of(header);
    }

    // Whether another request can be made.
    bool is_free() const;

  private:
    io::Task<void> receive_some();
    io::Task<void> hear_refusal();

    std::unique_ptr<io::ByteStream> stream_;
    std::string host_;
    std::string received_;  // and not parsed yet
    ResponseParser parser_;
    bool busy_ = false;
};

}  // namespace sheaf::http
