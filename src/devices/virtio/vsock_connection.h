#pragma once

// Why: one stream between a program in the guest and one on the host: a socket on our side, packets
// on the other, with the guest's credit in between (virtio 1.2, section 5.10.6).

#include <optional>
#include <vector>

#include "base/fd.h"
#include "devices/virtio/vsock_credit.h"
#include "devices/virtio/vsock_packet.h"
#include "io/event.h"
#include "io/loop.h"
#include "io/task_group.h"

namespace sheaf::virtio {

struct VsockKey {
    std::uint32_t guest_port = 0;
    std::uint32_t host_port = 0;
    auto operator<=>(const VsockKey&) const = default;
};

class VsockConnection;

// Who carries a connection's packets. Loop thread.
class VsockCarrier {
  public:
    // The connection has something to send: next_packet() is called when there is room.
    virtual void has_packet(VsockConnection& connection) = 0;
    // The guest wants no more of it: no packet of it is to be sent, or passed to it.
    virtual void ended(VsockConnection& connection) = 0;

  protected:
    ~VsockCarrier() = default;
};

// Loop thread only.
class VsockConnection {
  public:
    // All outlive the connection, and it outlives its run().
    VsockConnection(io::Loop& loop, VsockCarrier& carrier, std::uint64_t guest_cid, VsockKey key)
        : loop_(loop), carrier_(carrier), guest_cid_(guest_cid), key_(key) {}

    const VsockKey& key() const { return key_; }

    // What the guest said of its room when it asked.
    void hear(const VsockHeader& request) { credit_.hear(request); }
    // A program on the host wants to speak to the guest; it is told "OK" once the guest agrees.
    void offer(Fd socket);
    // The host's side of what the guest asked for.
    void accept(Fd socket);
    // Ends it, telling the guest; the program on the host sees its end.
    void reset();

    // A packet of the guest for this connection; anything it may not send now ends it.
    void receive(const VsockHeader& header, Readable& payload);
    // Writes the next packet and gives its length; none where there is nothing to send. `to` has
    // room for more than a header.
    std::optional<std::uint32_t> next_packet(Writable& to);
    // Nothing more will be sent or received.
    bool is_over() const { return state_ == State::over; }

    // Moves bytes until the connection is over and close() was called. Once.
    io::Task<void> run();
    void close() { closed_.set(); }

    bool queued = false;  // a note of the carrier's

  private:
    enum class State { asked, offered, open, resetting, over };

    void obey(const VsockHeader& header, Readable& payload);
    void take_response();
    void take_data(const VsockHeader& header, Readable& payload);
    void take_shutdown(std::uint32_t flags);
    void write_host(std::uint32_t length, Readable& payload);
    void flush();
    void host_refuses();
    void host_stopped();
    void host_left();
    void finish_if_done();
    void announce() {
        if (state_ != State::over) carrier_.has_packet(*this);
    }

    bool reads_host() const;
    std::optional<std::uint32_t> read_host(Writable& to);
    std::uint32_t put(Writable& to, VsockOperation operation, std::uint32_t length = 0);

    io::Task<void> watch_host();
    io::Task<void> drain();

    io::Loop& loop_;
    VsockCarrier& carrier_;
    const std::uint64_t guest_cid_;
    const VsockKey key_;
    State state_ = State::asked;
    Fd socket_;
    VsockCredit credit_;
    std::vector<iovec> window_;

    // Guest to host.
    std::vector<std::byte> backlog_;  // what the host did not take at once, within our credit
    std::size_t drained_ = 0;         // of the backlog
    io::Event backlog_grew_;
    bool guest_sends_ = true;
    bool host_receives_ = true;

    // Host to guest.
    bool readable_ = false;  // reading may give something
    io::Event unreadable_;   // the socket is to be watched
    bool guest_receives_ = true;
    bool host_sends_ = true;

    // Packets to send, besides data.
    bool request_ = false;
    bool response_ = false;
    bool credit_request_ = false;
    bool credit_asked_ = false;  // and not answered yet
    bool credit_update_ = false;
    std::uint32_t shutdown_ = 0;       // flags the guest should know
    std::uint32_t shutdown_told_ = 0;  // flags it does know

    io::Event closed_;
};

}  // namespace sheaf::virtio
