#include "devices/virtio/vsock.h"

#include <algorithm>
#include <utility>

namespace sheaf::virtio {

namespace {

constexpr unsigned receive_queue = 0;  // of the driver
constexpr unsigned transmit_queue = 1;
constexpr std::uint16_t event_queue_size = 16;

// Ports of the host's side that nobody listens on: what a program on the host is known by.
constexpr std::uint32_t first_host_port = 0x40000000;
constexpr std::uint32_t last_host_port = 0x7fffffff;

// How long a host that has no descriptors left is given to find some.
constexpr auto accept_pause = std::chrono::milliseconds{100};

// A buffer that holds no more than a header goes back unused.
void drop_useless(ChainStock& stock) {
    while (!stock.empty() && stock[0].writable().size() <= sizeof(VsockHeader))
        static_cast<void>(stock.take());
}

}  // namespace

Vsock::Vsock(io::Loop& loop, Fd listener, VsockDialer& dialer, const Options& options)
    : loop_(loop),
      listener_(std::move(listener)),
      dialer_(dialer),
      options_(options),
      traits_{.type = DeviceType::socket,
              .features = feature(vsock_wire::f_stream),
              .queue_sizes = {options.queue_size, options.queue_size, event_queue_size},
              .config_size = sizeof(options.cid),
              .pci_class = 0x028000},
      next_host_port_(first_host_port) {}

void Vsock::read_config(std::uint32_t offset, std::span<std::byte> data) const {
    std::ranges::copy(bytes_of(options_.cid).subspan(offset, data.size()), data.begin());
}

io::Task<void> Vsock::serve(Queue& queue) {
    if (queue.index() == receive_queue) return serve_receive(queue);
    if (queue.index() == transmit_queue) return serve_transmit(queue);
    return hold(queue);
}

void Vsock::deactivate() {
    outbox_.clear();
}

// Events tell of a move to another host, which does not happen; their buffers wait for it.
io::Task<void> Vsock::hold(Queue& queue) {
    std::vector<Chain> chains;
    while (auto chain = co_await queue.next()) chains.push_back(*std::move(chain));
}

// ---- to the guest -----------------------------------------------------------------------------

// Connections live as long as this queue: without it nothing could be said about them.
io::Task<void> Vsock::serve_receive(Queue& queue) {
    serving_ = true;
    ChainStock stock;
    io::TaskGroup host;
    host.start(listen());
    auto outcome = co_await serve_from_stock(queue, stock, send(stock)).result();
    serving_ = false;
    host.cancel();
    static_cast<void>(co_await host.join().result());
    tasks_.cancel();
    static_cast<void>(co_await tasks_.join().result());
    co_await std::move(outcome);
}

io::Task<void> Vsock::send(ChainStock& stock) {
    while (true) {
        if (outbox_.empty()) co_await outbox_.wait();
        drop_useless(stock);
        if (stock.empty()) {
            co_await stock.wait_for_more_than(0);
            continue;
        }
        send_next(stock);
    }
}

void Vsock::send_next(ChainStock& stock) {
    auto& to = stock[0].writable();
    if (const auto reset = outbox_.take_reset()) {
        if (to.put(*reset)) stock[0].set_written(sizeof(*reset));
        static_cast<void>(stock.take());
        return;
    }
    if (outbox_.empty()) return;
    auto& connection = outbox_.take_connection();
    if (const auto length = connection.next_packet(to)) {
        stock[0].set_written(*length);
        static_cast<void>(stock.take());
    }
    if (connection.is_over()) ended(connection);
}

void Vsock::ended(VsockConnection& connection) {
    forget(connection);
    connection.close();
}

void Vsock::forget(VsockConnection& connection) {
    outbox_.remove(connection);
    const auto found = connections_.find(connection.key());
    if (found != connections_.end() && found->second == &connection) connections_.erase(found);
}

std::unique_ptr<VsockConnection> Vsock::add(VsockKey key) {
    VsockCarrier& carrier = *this;
    auto connection = std::make_unique<VsockConnection>(loop_, carrier, options_.cid, key);
    connections_[key] = connection.get();
    return connection;
}

// Takes part in the life of a connection until it is over.
io::Task<void> Vsock::keep(std::unique_ptr<VsockConnection> connection) {
    static_cast<void>(co_await connection->run().result());
    forget(*connection);
}

// ---- from the guest ---------------------------------------------------------------------------

io::Task<void> Vsock::serve_transmit(Queue& queue) {
    while (auto chain = co_await queue.next()) take(chain->readable());
}

void Vsock::take(Readable& packet) {
    const auto header = take_vsock_header(packet, options_.cid);
    if (!header || !serving_) return dropped_.add();
    const auto operation = static_cast<VsockOperation>(header->operation);
    const auto key =
        VsockKey{.guest_port = header->source_port, .host_port = header->destination_port};
    const auto found = connections_.find(key);
    const bool known = found != connections_.end();
    if (header->type == vsock_wire::type_stream) {
        if (operation == VsockOperation::request && !known) return open_for_guest(*header);
        // A request for what there is already is nothing a connection understands: it ends it.
        if (known) return found->second->receive(*header, packet);
    }
    if (operation != VsockOperation::reset) outbox_.add_reset(reset_for(*header));
}

void Vsock::open_for_guest(const VsockHeader& request) {
    if (tasks_.size() >= most_connections) return outbox_.add_reset(reset_for(request));
    auto connection =
        add({.guest_port = request.source_port, .host_port = request.destination_port});
    connection->hear(request);
    tasks_.start(reach_host(std::move(connection)));
}

io::Task<void> Vsock::reach_host(std::unique_ptr<VsockConnection> connection) {
    auto socket = co_await dialer_.dial(connection->key().host_port).result();
    if (socket) {
        connection->accept(*std::move(socket));
    } else {
        connection->reset();
    }
    co_await keep(std::move(connection));
}

// ---- from the host ----------------------------------------------------------------------------

io::Task<void> Vsock::listen() {
    io::TaskGroup greetings;
    while (true) {
        while (greetings_ >= most_greetings) {
            greeted_.clear();
            const auto waited = co_await greeted_.wait().result();
            if (!waited) break;
        }
        auto socket = co_await loop_.accept(listener_.get()).result();
        if (socket) {
            greetings.start(greet(*std::move(socket)));
        } else if (socket.error().kind() == Kind::cancelled) {
            break;
        } else {
            static_cast<void>(co_await loop_.sleep(accept_pause).result());
        }
    }
    greetings.cancel();
    static_cast<void>(co_await greetings.join().result());
}

// One that does not know what to say is hung up on.
io::Task<void> Vsock::greet(Fd socket) {
    ++greetings_;
    const auto port = co_await read_vsock_greeting(loop_, socket.get()).result();
    --greetings_;
    if (port) open_for_host(*port, std::move(socket));
    greeted_.set();
}

void Vsock::open_for_host(std::uint32_t port, Fd socket) {
    if (!serving_ || tasks_.size() >= most_connections) return;
    auto connection = add(free_key(port));
    auto& offered = *connection;
    tasks_.start(keep(std::move(connection)));
    offered.offer(std::move(socket));
}

// There are far more ports than connections.
VsockKey Vsock::free_key(std::uint32_t guest_port) {
    auto key = VsockKey{.guest_port = guest_port, .host_port = 0};
    do {
        key.host_port = next_host_port_;
        next_host_port_ = next_host_port_ == last_host_port ? first_host_port : next_host_port_ + 1;
    } while (connections_.contains(key));
    return key;
}

}  // namespace sheaf::virtio
