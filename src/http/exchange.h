#pragma once

// Why: one request and its answer, for whoever answers: it sees neither bytes nor sockets.

#include "http/peer.h"
#include "http/request_parser.h"
#include "io/byte_stream.h"
#include "io/task_group.h"

namespace sheaf::http {

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
        const Peer& peer;
        std::string& received;  // behind the request, and not looked at yet
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
    const Peer& peer() const { return connection_.peer; }

    // The whole answer. Once, and not with a stream.
    io::Task<void> reply(Reply reply);
    // An answer that has no known end, chunk by chunk. It ends with the handler, and the connection
    // with it.
    io::Task<void> begin_stream(unsigned status, std::vector<Header> headers);
    io::Task<void> send_piece(std::string piece);
    // Gives the connection to another protocol (RFC 9110, section 7.8), which has it until the
    // handler ends; what the client has sent of it already stands in `received()`.
    io::Task<void> switch_protocol(std::vector<Header> headers);
    io::ByteStream& stream() { return connection_.stream; }
    std::string& received() { return connection_.received; }
    io::Duration patience() const { return connection_.patience; }
    io::Loop& loop() { return connection_.loop; }

    // For the connection: ends a stream, stops listening for the client's end.
    io::Task<void> end();
    bool has_begun() const { return begun_; }
    // Of the answer that has begun; 0 where none has.
    unsigned status() const { return status_; }
    // Ends a stream from without; another answer is finished.
    void finish_up() {
        keeps_open_ = false;
        if (streams_ || switched_) work_.cancel();
    }
    // Whether the connection is fit for another request.
    bool keeps_open() const { return keeps_open_ && !broken_; }

  private:
    std::string begin(unsigned status, const std::vector<Header>& headers);
    io::Task<void> send(std::string text);
    io::Task<void> hear_end();

    Connection connection_;
    ReceivedRequest request_;
    bool keeps_open_;
    io::TaskGroup& work_;
    io::TaskGroup hearing_;
    bool begun_ = false;
    unsigned status_ = 0;
    bool streams_ = false;
    bool switched_ = false;
    bool broken_ = false;
};

// Answers requests. One call a request, any number at once. A failure that comes out of it becomes
// 500 where nothing was sent yet, and ends the connection.
class Handler {
  public:
    virtual io::Task<void> handle(Exchange& exchange) = 0;
    // Why this client is not served at all, whatever it asks.
    virtual std::optional<Rejection> refusal_of(const Peer&) { return {}; }

  protected:
    ~Handler() = default;
};

}  // namespace sheaf::http
