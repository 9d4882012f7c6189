#pragma once

// Why: pipes, connections and listening sockets that exist only in the simulation.
//
// The fault model. Bytes arrive in order, once and unchanged, or the connection is reset; a send or
// receive may be cut short; both may be late. A closed end is seen as the end of the data by a
// reader and as EPIPE by a writer, a reset one as ECONNRESET by both. While an end is held nothing
// arrives there, the end of the data included; it comes when it is let go.

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "io/sim_placeholder.h"
#include "io/sim_random.h"

namespace sheaf::io {

class SimNetwork {
  public:
    struct Faults {
        double reset = 0;           // probability for each send and receive
        double short_transfer = 0;  // the same
        Duration least_delay = std::chrono::microseconds{5};
        Duration most_delay = std::chrono::microseconds{200};
    };

    explicit SimNetwork(std::uint64_t seed) : random_(seed) {}
    void set_faults(const Faults& faults) { faults_ = faults; }

    // Both ends read and write; a pipe is the same with each end used in one direction.
    Result<std::pair<Fd, Fd>> connection();
    Result<Fd> socket();  // to be connected
    // Takes connections to this address, which nobody else listens at.
    Result<Fd> listen(const sockaddr* address, socklen_t length);
    // Breaks the connection that `fd` is an end of.
    void reset(int fd);
    // Nothing arrives at `fd`, or again all that was sent meanwhile.
    void hold(int fd, bool held) { endpoints_.at(fd)->held = held; }

    // For the SimLoop. attempt() gives the result, or -EAGAIN where the request has to wait; it
    // first notices which ends were closed.
    bool knows(int fd) const { return endpoints_.contains(fd); }
    std::uint64_t identity(int fd) const { return endpoints_.at(fd)->identity; }
    int attempt(const Request& request);
    Duration draw_delay() { return random_.between(faults_.least_delay, faults_.most_delay); }

  private:
    static constexpr std::size_t capacity = 65536;  // of each direction, bytes
    struct Endpoint {
        SimPlaceholder placeholder;
        std::uint64_t identity;
        Endpoint* peer = nullptr;
        std::deque<std::byte> inbox;
        std::string address;  // of a listener
        std::deque<Fd> waiting;
        bool listens = false;
        bool peer_closed = false;
        bool was_reset = false;
        bool held = false;
    };

    void notice_closed();
    Result<Endpoint*> add();
    static void join(Endpoint& one, Endpoint& other);
    static void break_connection(Endpoint& endpoint);
    int receive(Endpoint& endpoint, const Request& request);
    int transmit(Endpoint& endpoint, const Request& request);
    int connect(Endpoint& endpoint, const Request& request);
    static int accept(Endpoint& listener);
    static unsigned readiness(const Endpoint& endpoint);
    std::size_t draw_length(std::size_t length);

    Faults faults_;
    SimRandom random_;
    std::map<int, std::unique_ptr<Endpoint>> endpoints_;
    std::uint64_t last_identity_ = 0;
};

}  // namespace sheaf::io
