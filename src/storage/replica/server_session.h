#pragma once

// Why: one engine's connection to one copy, from hello to its end, costs one connection and at most
// one line of the log, whatever the other side does. What is in flight is bounded: beyond that
// nothing more is read.

#include <functional>

#include "io/task_group.h"
#include "storage/replica/authority.h"
#include "storage/replica/local_replica.h"
#include "storage/replica/wire_input.h"
#include "storage/replica/wire_output.h"

namespace sheaf::replica {

// A copy that is open as long as this exists.
class CopyUse {
  public:
    virtual ~CopyUse() = default;
    virtual LocalReplica& copy() = 0;
};

// Where a server finds its copies. Loop thread only.
class Copies {
  public:
    virtual ~Copies() = default;
    // `node` is whose copy is meant, or empty. not_found: there is none; denied: it is another
    // node's; conflict: another process has it open.
    virtual io::Task<std::unique_ptr<CopyUse>> open(volume::Id volume, std::string node) = 0;
    // Whether it is to be, they find out. What is there already, or is gone already, is so.
    virtual io::Task<void> create(CopyRequest wanted, std::uint64_t size) = 0;
    virtual io::Task<void> remove(CopyRequest gone) = 0;
};

// How a connection came, as far as it matters who is at its other end.
struct Caller {
    // Whether its certificate is of this node; none: the way itself is trusted.
    std::function<bool(std::string_view node)> is;
};

class ServerSession {
  public:
    struct Terms {
        Copies& copies;
        Authority& authority;
        io::Duration patience = std::chrono::seconds{10};
    };

    // Loop, copies and authority outlive it.
    ServerSession(io::Loop& loop, std::unique_ptr<io::ByteStream> stream, Caller caller,
                  const Terms& terms);

    // To its end: the other side closed, broke the protocol (corrupt, unsupported, denied), was
    // silent at the beginning (timed_out), or finish_up() was called. In each case every request
    // that was read is over first.
    io::Task<void> serve();
    // Reads nothing more; what is in flight is carried out and answered.
    void finish_up() { receiving_.cancel(); }
    const std::string& node() const { return node_; }

  private:
    struct Cost {
        std::size_t requests = 0;
        std::size_t bytes = 0;
    };

    io::Task<void> receive();
    io::Task<void> take_request();
    io::Task<void> begin(Header header, Bytes payload);
    io::Task<void> greet(Header header, Hello hello);
    io::Task<void> do_once(Header header, CopyRequest request);
    io::Task<void> room_for(std::size_t bytes);
    io::Task<void> carry_out(Header header, Bytes payload, std::size_t cost);
    io::Task<Bytes> answer(Header header, Bytes& payload);
    io::Task<Bytes> seal(Header header, const Bytes& payload);
    io::Task<Bytes> change(Header header, Bytes& payload);
    void fail_with(const Header& request, const Error& error);
    void account_for(std::size_t bytes);
    io::Task<void> send();
    io::Task<void> lose_patience();
    io::Task<void> end_sending();

    io::Loop& loop_;
    std::unique_ptr<io::ByteStream> stream_;
    Caller caller_;
    Terms terms_;
    WireInput input_;
    WireOutput output_;
    std::unique_ptr<CopyUse> use_;
    std::unique_ptr<Replica> way_;  // to the copy in use
    std::string node_;
    Cost in_flight_;
    Cost answered_;  // put, and not sent yet
    io::Event room_;
    bool known_ = false;  // hello and one more were asked
    bool ended_ = false;  // the other side has closed
    bool too_slow_ = false;
    io::TaskGroup receiving_;
    io::TaskGroup work_;
    io::TaskGroup sending_;
    io::TaskGroup patience_;
};

}  // namespace sheaf::replica
