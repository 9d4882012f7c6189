#include <algorithm>

#include "devices/virtio/net.h"
#include "devices/virtio/net_wire.h"
#include "net/vnet_header.h"

namespace sheaf::virtio {

namespace {

// What is offered for the next frame while frames are small: a full Ethernet frame fits.
constexpr std::size_t usual_frame = 2048;
constexpr std::size_t most_vectors = 512;

// A buffer that does not even hold the header (virtio 1.2, section 5.1.6.3.1) goes back unused.
void drop_useless(ChainStock& stock) {
    while (!stock.empty() && stock[0].writable().size() < sizeof(net::VnetHeader))
        static_cast<void>(stock.take());
}

}  // namespace

// A frame is read into the guest's buffers and, should it be longer, into the overflow room; its
// tail is then copied into the buffers after those. So nothing is cut, no buffer is held back for
// the longest frame there could be, and the usual frame needs no copy.
io::Task<void> Net::receive_frames(Pair& pair, net::PortQueue& port, ChainStock& stock,
                                   std::size_t queue_size) {
    while (true) {
        drop_useless(stock);
        if (stock.empty()) {
            co_await stock.wait_for_more_than(0);
            continue;
        }
        offer_buffers(pair, stock);
        auto received = co_await port.receive(pair.vectors).result();
        if (!received && received.error().kind() != Kind::cancelled) set_link(Link::down);
        const auto length = co_await std::move(received);
        if (length < sizeof(net::VnetHeader)) {
            drop_received();
            continue;
        }
        pair.last_length = length;
        auto fits = plan(pair, stock, length);
        while (!fits && has(net_wire::f_mrg_rxbuf) && stock.size() < queue_size) {
            co_await stock.wait_for_more_than(stock.size());
            fits = plan(pair, stock, length);
        }
        if (fits) {
            hand_over(pair, stock);
        } else {
            drop_received();
        }
    }
}

// Buffers for the next frame, judged by the last one: many only while frames are long.
void Net::offer_buffers(Pair& pair, ChainStock& stock) {
    const auto merges = has(net_wire::f_mrg_rxbuf);
    const auto wanted = pair.last_length > usual_frame ? net::longest_frame : usual_frame;
    const auto most = merges ? stock.size() : 1;
    pair.vectors.clear();
    pair.offered = 0;
    for (std::size_t index = 0; index < most; ++index) {
        const auto& to = stock[index].writable();
        if (pair.offered >= wanted || pair.vectors.size() + to.vectors().size() > most_vectors)
            break;
        pair.vectors.insert(pair.vectors.end(), to.vectors().begin(), to.vectors().end());
        pair.offered += to.size();
    }
    if (pair.offered >= net::longest_frame) return;
    if (!pair.overflow)
        pair.overflow = std::make_unique_for_overwrite<std::byte[]>(net::longest_frame);
    pair.vectors.push_back({pair.overflow.get(), net::longest_frame - pair.offered});
}

// Divides a frame among the buffers there are; false where it does not fit.
bool Net::plan(Pair& pair, ChainStock& stock, std::size_t length) const {
    pair.lengths.clear();
    const auto most = has(net_wire::f_mrg_rxbuf) ? stock.size() : 1;
    for (std::size_t index = 0; index < most && length > 0; ++index) {
        const auto part = std::min(length, stock[index].writable().size());
        pair.lengths.push_back(static_cast<std::uint32_t>(part));
        length -= part;
    }
    return length == 0;
}

// Gives the planned buffers to the driver: the tail first, then the header, which says how many
// there are (virtio 1.2, section 5.1.6.4).
void Net::hand_over(Pair& pair, ChainStock& stock) {
    const auto count = pair.lengths.size();
    std::size_t position = 0;
    bool written = true;
    for (std::size_t index = 0; index < count; ++index) {
        const auto length = pair.lengths[index];
        if (position >= pair.offered) {
            const std::span tail{pair.overflow.get() + (position - pair.offered), length};
            written &= stock[index].writable().copy_in(tail).has_value();
        }
        position += length;
    }
    auto& header = stock[0].writable();
    std::size_t before = offsetof(net::VnetHeader, num_buffers);
    if (!has(net_wire::f_guest_csum)) {
        // A driver that takes no checksum offload reads no flags (section 5.1.6.4.1).
        written &= header.put(std::uint8_t{0}).has_value();
        --before;
    }
    written &= header.skip(before).has_value();
    written &= header.put(static_cast<std::uint16_t>(count)).has_value();
    if (!written) drop_received();
    for (const auto length : pair.lengths) {
        auto chain = stock.take();
        chain.set_written(length);
    }
}

}  // namespace sheaf::virtio
