// virtio-net, polled: answers ARP and ICMP echo, returns UDP datagrams to their sender, measures.
//
// mode=echo        (default) until a UDP datagram to port 9 comes or `ms=` (default 10000) is over
// mode=transmit    sends broadcast frames of `size=` bytes (default 1514) for `ms=`
// mode=receive     counts frames for `ms=`, from the first one on
// address=A.B.C.D  the probe's own address (default 192.168.77.2)
// mergeable=0      without mergeable receive buffers; receive_buffer=N their size
#include "support/console.h"
#include "support/net_device.h"

namespace probe {
namespace {

constexpr uint32_t ethernet_size = 14;
constexpr uint16_t type_ipv4 = 0x0800;
constexpr uint16_t type_arp = 0x0806;
constexpr uint8_t protocol_icmp = 1;
constexpr uint8_t protocol_udp = 17;
constexpr uint16_t discard_port = 9;

// Fields in network order at any alignment.
uint16_t get16(uint64_t address) {
    const auto* bytes = at<const uint8_t>(address);
    return static_cast<uint16_t>(bytes[0] << 8 | bytes[1]);
}
void put16(uint64_t address, uint16_t value) {
    auto* bytes = at<uint8_t>(address);
    bytes[0] = static_cast<uint8_t>(value >> 8);
    bytes[1] = static_cast<uint8_t>(value);
}
bool equal(uint64_t address, const uint8_t* bytes, uint32_t size) {
    for (uint32_t i = 0; i < size; ++i) {
        if (at<const uint8_t>(address)[i] != bytes[i]) return false;
    }
    return true;
}
void swap(uint64_t left, uint64_t right, uint32_t size) {
    for (uint32_t i = 0; i < size; ++i) {
        const uint8_t kept = *at<uint8_t>(left + i);
        *at<uint8_t>(left + i) = *at<uint8_t>(right + i);
        *at<uint8_t>(right + i) = kept;
    }
}

class Responder {
  public:
    Responder(Machine& machine, NetDevice& card)
        : machine_(machine), card_(card), frame_(machine.arena.take(4096)) {
        if (!machine.command_line.address("address", address_)) {
            const uint8_t standard[] = {192, 168, 77, 2};
            for (uint32_t i = 0; i < 4; ++i) address_[i] = standard[i];
        }
    }

    int run() {
        const Deadline deadline(machine_.clock, machine_.command_line.number("ms", 10'000));
        while (!finished_ && !deadline.passed()) {
            const uint32_t length = card_.receive(frame_);
            if (length < ethernet_size) continue;
            if (const uint32_t reply = answer(length)) {
                while (!card_.send(frame_, reply)) card_.publish();
                card_.publish();
            }
        }
        const Deadline patience(machine_.clock, 2000);
        while (card_.sent() < arps_ + pings_ + datagrams_ && !patience.passed()) relax();
        print("net arps={} pings={} datagrams={} merged={} dropped={}\n", arps_, pings_, datagrams_,
              card_.merged(), card_.dropped());
        print("net done\n");
        return 0;
    }

  private:
    // Turns the frame into its answer; the length of that, zero when there is none.
    uint32_t answer(uint32_t length) {
        const uint16_t type = get16(frame_ + 12);
        if (type == type_arp && length >= 42) return answer_arp();
        if (type == type_ipv4 && length >= 42) return answer_ipv4(length);
        return 0;
    }

    void turn_ethernet() {
        copy_bytes(frame_, frame_ + 6, 6);
        copy_bytes(frame_ + 6, address_of(card_.mac()), 6);
    }

    uint32_t answer_arp() {
        const uint64_t arp = frame_ + ethernet_size;
        if (get16(arp + 6) != 1 || !equal(arp + 24, address_, 4)) return 0;
        turn_ethernet();
        put16(arp + 6, 2);
        copy_bytes(arp + 18, arp + 8, 10);
        copy_bytes(arp + 8, address_of(card_.mac()), 6);
        copy_bytes(arp + 14, address_of(address_), 4);
        ++arps_;
        return 42;
    }

    uint32_t answer_ipv4(uint32_t length) {
        const uint64_t ip = frame_ + ethernet_size;
        const uint32_t header = (*at<uint8_t>(ip) & 15u) * 4;
        const uint32_t total = get16(ip + 2);
        if (!equal(ip + 16, address_, 4) || header < 20 || total < header + 8) return 0;
        if (total > length - ethernet_size) return 0;
        const uint64_t payload = ip + header;
        const uint8_t protocol = *at<uint8_t>(ip + 9);
        if (protocol == protocol_icmp && *at<uint8_t>(payload) == 8) {
            *at<uint8_t>(payload) = 0;
            uint32_t sum = get16(payload + 2) + 0x0800u;  // the type fell from 8 to 0
            sum = (sum & 0xffff) + (sum >> 16);
            put16(payload + 2, static_cast<uint16_t>(sum));
            ++pings_;
        } else if (protocol == protocol_udp) {
            if (get16(payload + 2) == discard_port) {
                finished_ = true;
                return 0;
            }
            swap(payload, payload + 2, 2);
            ++datagrams_;
        } else {
            return 0;
        }
        turn_ethernet();
        swap(ip + 12, ip + 16, 4);
        return ethernet_size + total;
    }

    Machine& machine_;
    NetDevice& card_;
    uint64_t frame_;
    uint8_t address_[4] = {};
    uint64_t arps_ = 0;
    uint64_t pings_ = 0;
    uint64_t datagrams_ = 0;
    bool finished_ = false;
};

void report(const Machine& machine, const char* name, uint64_t frames, uint64_t bytes,
            uint64_t ticks, uint64_t notifications) {
    const uint64_t ns = machine.clock.nanoseconds(ticks);
    const uint64_t us = ns / 1000 ? ns / 1000 : 1;
    print("metric {} pps={} frames={} bytes={} ns={} notifications={}\n", name,
          frames * 1'000'000 / us, frames, bytes, ns, notifications);
}

int transmit(Machine& machine, NetDevice& card) {
    constexpr uint32_t batch = 32;
    uint64_t size = machine.command_line.number("size", net::largest_frame);
    if (size < 60 || size > net::largest_frame) size = net::largest_frame;
    const auto length = static_cast<uint32_t>(size);
    const uint64_t frame = machine.arena.take(4096);
    fill_bytes(frame, 0xff, 6);
    copy_bytes(frame + 6, address_of(card.mac()), 6);
    put16(frame + 12, 0x88b5);  // for local experiments: nobody answers
    for (uint32_t i = 0; i < NetDevice::most_buffers; ++i) {
        if (!card.send(frame, length)) break;
    }
    card.publish();
    const uint64_t begin = read_tsc();
    const uint64_t before = card.sent();
    const Deadline deadline(machine.clock, machine.command_line.number("ms", 500));
    while (!deadline.passed()) {
        uint32_t queued = 0;
        while (queued < batch && card.send_again(length)) ++queued;
        card.publish();
    }
    const uint64_t frames = card.sent() - before;
    report(machine, "transmit", frames, frames * length, read_tsc() - begin,
           card.transmit_queue().notifications());
    return frames > 0 ? 0 : 1;
}

int receive(Machine& machine, NetDevice& card) {
    const uint64_t frame = machine.arena.take(4096);
    const uint64_t milliseconds = machine.command_line.number("ms", 500);
    const Deadline patience(machine.clock, 10'000);
    uint32_t length = 0;
    while (length == 0 && !patience.passed()) length = card.receive(frame);
    uint64_t frames = 0;
    uint64_t bytes = 0;
    const uint64_t begin = read_tsc();
    const Deadline deadline(machine.clock, milliseconds);
    while (!deadline.passed()) {
        length = card.receive(frame);
        frames += length > 0;
        bytes += length;
    }
    report(machine, "receive", frames, bytes, read_tsc() - begin, 0);
    return frames > 0 && card.dropped() == 0 ? 0 : 1;
}

}  // namespace

int run(Machine& machine) {
    Pci pci(machine.command_line);
    NetDevice card;
    const bool mergeable = machine.command_line.flag("mergeable", true);
    if (!card.open(machine, pci, mergeable ? net::feature_mergeable : 0)) return 1;
    const uint8_t* mac = card.mac();
    print("net mac={x}:{x}:{x}:{x}:{x}:{x} features={x}\n", mac[0], mac[1], mac[2], mac[3], mac[4],
          mac[5], card.device().negotiated());
    if (machine.command_line.lists("mode", "transmit", false)) return transmit(machine, card);
    if (machine.command_line.lists("mode", "receive", false)) return receive(machine, card);
    return Responder(machine, card).run();
}

}  // namespace probe
