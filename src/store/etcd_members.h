#pragma once

// Why: a cluster is several servers that give the same answers. One that is dead, cut off or slow
// is left for the next, but what may have been done is never done again.

#include <vector>

#include "http/client_connection.h"
#include "http/url.h"
#include "io/tls_context.h"
#include "store/etcd_wire.h"

namespace sheaf::kv {

struct EtcdOptions {
    std::vector<http::Url> urls;  // one or more
    io::TlsFiles tls;             // for those that are secure
    io::Duration connect_limit = std::chrono::seconds{2};
    io::Duration answer_limit = std::chrono::seconds{5};
    io::Duration silence_limit = std::chrono::seconds{5};  // of a watch
};

// Loop thread only; the loop outlives it.
class EtcdMembers {
  public:
    static constexpr std::size_t largest_answer = 32 << 20;  // bytes

    // Reads the files of TLS; opens no connection.
    static Result<std::unique_ptr<EtcdMembers>> create(io::Loop& loop, EtcdOptions options);

    // Whether a request may be made again where it is not known what became of it.
    enum class Again { never, safe };
    // The body of the answer with status 200, of a member that gives one. After unavailable,
    // timed_out and io a request may have been done, whichever it is.
    io::Task<std::string> ask(std::string path, std::string body, Again again);

    // A connection to that member, for a watch. Leaves it for the next one where there is none.
    io::Task<std::unique_ptr<http::ClientConnection>> connect(std::size_t member);
    std::size_t current() const { return current_; }
    std::size_t count() const { return options_.urls.size(); }
    void leave(std::size_t member);
    // Whether a failure is not etcd's word on the request, so that another member may do better.
    static bool is_of_the_way(Kind kind) {
        return kind == Kind::unavailable || kind == Kind::timed_out || kind == Kind::io;
    }
    // Whether the member answers and has a leader.
    io::Task<void> probe(std::size_t member);
    static http::Request request(std::string path, std::string body);
    // An error told with the URL of the member.
    Error of_member(std::size_t member, Error error) const;

    // Fails with corrupt where an answer is of another cluster than those before.
    Result<void> check(const etcd::Header& header);

    io::Loop& loop() { return loop_; }
    const EtcdOptions& options() const { return options_; }

  private:
    struct Idle {
        std::size_t member;
        std::unique_ptr<http::ClientConnection> connection;
    };

    EtcdMembers(io::Loop& loop, EtcdOptions options) : loop_(loop), options_(std::move(options)) {}

    io::Task<std::unique_ptr<http::ClientConnection>> open(std::size_t member);
    std::unique_ptr<http::ClientConnection> take_idle(std::size_t member);
    void put_idle(std::size_t member, std::unique_ptr<http::ClientConnection> connection);
    using Connection = std::unique_ptr<http::ClientConnection>;
    io::Task<Connection> reach(std::size_t member);
    io::Task<http::Response> exchange(std::size_t member, Connection connection,
                                      http::Request request);

    io::Loop& loop_;
    EtcdOptions options_;
    std::unique_ptr<io::SideThread> resolver_;
    std::optional<io::TlsContext> tls_;
    std::vector<Idle> idle_;
    std::size_t current_ = 0;
    std::uint64_t cluster_ = 0;
};

}  // namespace sheaf::kv
