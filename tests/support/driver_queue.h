#pragma once

// Why: the driver's side of a split virtqueue (virtio 1.2, section 2.7), for tests that speak to a
// device as a guest does. What a correct driver does has verbs; everything in the rings can also
// be written by hand, which is how a hostile one is played.
//
//     auto head = queue.chain().readable(header).writable(512).offer();
//     queue_of_device.kick(); ...
//     auto used = queue.take_used();   // used->head, used->written
//     queue.written(*used);            // what the device wrote

#include <cstdint>
#include <optional>
#include <vector>

#include "devices/virtio/ring.h"
#include "support/fake_guest.h"

namespace sheaf::test {

namespace descriptor_flag {
inline constexpr std::uint16_t next = 1;
inline constexpr std::uint16_t write = 2;
inline constexpr std::uint16_t indirect = 4;
}  // namespace descriptor_flag

class DriverQueue;

// Gathers the pieces of one chain; offer() or offer_indirect() puts it on the ring.
class DescriptorChainBuilder {
  public:
    // Bytes for the device to read, put into memory of their own.
    DescriptorChainBuilder& readable(std::span<const std::byte> content);
    template <WireStruct T>
    DescriptorChainBuilder& readable(const T& value) {
        return readable(bytes_of(value));
    }
    // Room for the device to write, in memory of its own.
    DescriptorChainBuilder& writable(std::uint32_t length);
    // Any piece, anywhere, with any flags (`next` is added where one follows).
    DescriptorChainBuilder& piece(Gpa address, std::uint32_t length, std::uint16_t flags);

    // Uses a descriptor of the ring for every piece; gives the head.
    std::uint16_t offer();
    // Uses one descriptor of the ring, with a table of its own.
    std::uint16_t offer_indirect();

  private:
    friend class DriverQueue;
    explicit DescriptorChainBuilder(DriverQueue& queue) : queue_(queue) {}

    DriverQueue& queue_;
    std::vector<virtio::Descriptor> pieces_;
};

class DriverQueue {
  public:
    struct Options {
        std::uint16_t index = 0;
        std::uint16_t size = 16;
        bool event_index = true;
        bool indirect = true;
    };
    struct Used {
        std::uint32_t head = 0;
        std::uint32_t written = 0;
        bool operator==(const Used&) const = default;
    };

    DriverQueue(FakeGuest& guest, const Options& options);

    const virtio::QueueSetup& setup() const { return setup_; }
    std::uint16_t size() const { return setup_.size; }
    FakeGuest& guest() { return guest_; }

    DescriptorChainBuilder chain() { return DescriptorChainBuilder{*this}; }

    // The next entry of the used ring, if there is one; its chain's descriptors are free again.
    std::optional<Used> take_used();
    // The first used.written bytes of the writable pieces of that chain.
    std::vector<std::byte> written(const Used& used) const;
    // Asks for an interrupt for the next used entry (event index), or for all (flag).
    void enable_interrupts();
    void disable_interrupts();
    // Whether the device asked to be rung for what was offered since the last call of this.
    bool must_ring();

    // By hand.
    void set_descriptor(std::uint16_t index, const virtio::Descriptor& descriptor);
    virtio::Descriptor descriptor(std::uint16_t index) const;
    void put_available(std::uint16_t head);  // an entry, and counts it up
    void set_available_index(std::uint16_t index);
    std::uint16_t available_index() const { return available_; }
    std::uint16_t used_index() const;
    void set_used_event(std::uint16_t index);
    std::uint16_t available_event() const;
    std::uint16_t used_flags() const;

  private:
    friend class DescriptorChainBuilder;
    std::uint16_t take_free_descriptor();
    std::uint16_t put_chain(std::span<const virtio::Descriptor> pieces);

    FakeGuest& guest_;
    virtio::QueueSetup setup_;
    std::vector<std::uint16_t> free_;
    std::vector<std::vector<std::uint16_t>> descriptors_;    // of the chain, by head
    std::vector<std::vector<virtio::Descriptor>> writable_;  // pieces of the chain, by head
    std::uint16_t available_ = 0;                            // chains offered
    std::uint16_t rung_for_ = 0;                             // of these, the ones rung for
    std::uint16_t used_ = 0;                                 // entries taken
};

}  // namespace sheaf::test
