#include "sim/cluster_network.h"

namespace sheaf::sim {

// One end of a connection: what arrives here comes from `from`.
class ClusterNetwork::Stream final : public io::ByteStream {
  public:
    Stream(ClusterNetwork& network, Fd socket, Place source, Place target)
        : from(source),
          to(target),
          network_(network),
          descriptor_(socket.get()),
          stream_(network.loop_, std::move(socket)) {
        position_ = network_.streams_.insert(network_.streams_.end(), this);
    }
    ~Stream() override { network_.streams_.erase(position_); }

    io::Task<std::size_t> receive(std::span<std::byte> buffer) override {
        return stream_.receive(buffer);
    }
    io::Task<void> send(std::span<const std::byte> bytes) override { return stream_.send(bytes); }
    bool is_broken() const override { return stream_.is_broken(); }
    void hold(bool held) { network_.loop_.network().hold(descriptor_, held || silent); }

    const Place from;
    const Place to;
    bool silent = false;

  private:
    ClusterNetwork& network_;
    int descriptor_;
    io::SocketStream stream_;
    std::list<Stream*>::iterator position_;
};

io::Task<ClusterNetwork::Ends> ClusterNetwork::connect(Place from, Place to) {
    co_await loop_.sleep(std::chrono::microseconds{100});
    while (is_cut(from, to) || is_cut(to, from)) co_await healed_.wait();
    auto pair = co_await loop_.network().connection();
    Ends ends;
    ends.here = std::make_unique<Stream>(*this, std::move(pair.first), to, from);
    ends.there = std::make_unique<Stream>(*this, std::move(pair.second), from, to);
    co_return ends;
}

void ClusterNetwork::apply(Place from, Place to, bool held) {
    for (auto* stream : streams_)
        if (stream->from == from && stream->to == to) stream->hold(held);
}

void ClusterNetwork::cut(Place from, Place to) {
    cut_.insert({from, to});
    apply(from, to, true);
}

void ClusterNetwork::heal(Place from, Place to) {
    cut_.erase({from, to});
    apply(from, to, false);
    healed_.wake();
}

void ClusterNetwork::heal_all() {
    const auto cut = cut_;
    for (const auto& [from, to] : cut) heal(from, to);
}

void ClusterNetwork::silence(Place place) {
    for (auto* stream : streams_) {
        if (stream->from != place) continue;
        stream->silent = true;
        stream->hold(true);
    }
}

}  // namespace sheaf::sim
