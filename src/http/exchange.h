#pragma once

// Why: one request and its answer, for whoever answers: it sees neither bytes nor sockets.

#include <sys/types.h>

#include <optional>

#include "http/request_parser.h"
#include "io/byte_stream.h"
#include "io/task_group.h"

namespace sheaf::http {

// Who is at the other end of a unix socket, as the kernel says.
struct PeerCredentials {
    uid_t user = 0;
    gid_t group = 0;
    pid_t process = 0;
};

struct Reply {
    unsigned status = 200;
    std::vector<Header> headers;  // beside Content-Length, Date and Connection
    std::string body;
};

// Loop thread only. Everything that sends fails where the client has gone, or takes longer than the
// patience of the connection to hear it.
class Exchange {
  public:
    struct Connection {
        io::Loop& loop;
        io::ByteStream& stream;
        std::optional<PeerCredentials> peer;
        io::Duration patience;  // for each thing that is sent
        std::string date;       // what the Date header says
    };
    // `work` is cancelled where the client goes away while it is sent a stream.
    Exchange(Connection connection, ReceivedRequest request, bool keeps_open, io::TaskGroup& work)
        : connection_(std::move(connection)),
          request_(std::move(request)),
          keeps_open_(keeps_open),
          work_(work) {}

    const ReceivedRequest& request() const { return request_; }
    const std::optional<PeerCredentials>& peer() const { return connection_.peer; }

    // The whole answer. Once, and not with a stream.
    io::Task<void> reply(Reply reply);
    // An answer that has no known end, chunk by chunk. It ends with the handler, and the connection
    // with it.
    io::Task<void> begin_stream(unsigned status, std::vector<Header> headers);
    io::Task<void> send_piece(std::string piece);

    // For the connection: ends a stream, stops listening for the client's end.
    io::Task<void> end();
    bool has_begun() const { return begun_; }
    // Ends a stream from without; another answer is finished.
    void finish_up() {
        keeps_open_ = false;
        if (streams_) work_.cancel();
    }
    // Whether the connection is fit for another request.
    bool keeps_open() const { return keeps_open_ && !broken_; }

  private:
    std::string head(unsigned status, const std::vector<Header>& headers) const;
    io::Task<void> send(std::string text);
    io::Task<void> hear_end();

    Connection connection_;
    ReceivedRequest request_;
    bool keeps_open_;
    io::TaskGroup& work_;
    io::TaskGroup hearing_;
    bool begun_ = false;
    bool streams_ = false;
    bool broken_ = false;
};

// Answers requests. One call a request, any number at once. A failure that comes out of it becomes
// 500 where nothing was sent yet, and ends the connection.
class Handler {
  public:
    virtual io::Task<void> handle(Exchange& exchange) = 0;

  protected:
    ~Handler() = default;
};

}  // namespace sheaf::http
