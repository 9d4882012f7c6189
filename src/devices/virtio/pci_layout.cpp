#include "devices/virtio/pci_layout.h"

#include <vector>

#include "devices/pci/msix.h"

namespace sheaf::virtio::pci_layout {

namespace {

// A capability's body, little-endian, followed by up to one extra word.
class Body {
  public:
    template <WireStruct T>
    Body& add(T value) {
        const auto bytes = bytes_of(value);
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
        return *this;
    }
    std::span<const std::byte> bytes() const { return bytes_; }

  private:
    std::vector<std::byte> bytes_;
};

constexpr std::uint8_t plain_length = 16;
constexpr std::uint8_t extended_length = 20;  // with the multiplier, or with the window's data

Body structure(Structure kind, std::uint8_t length, std::uint32_t offset, std::uint32_t size) {
    auto body = Body{};
    body.add(length).add(kind).add(static_cast<std::uint8_t>(registers_bar));
    body.add(std::uint8_t{0}).add(std::uint16_t{0}).add(offset).add(size);
    return body;
}

}  // namespace

Places add_capabilities(pci::ConfigSpace& config, unsigned vectors) {
    const auto add = [&](const Body& body) {
        return config.add_capability(vendor_capability, body.bytes());
    };
    auto places = Places{};
    add(structure(Structure::common, plain_length, common, area_size));
    add(structure(Structure::notify, extended_length, notify, area_size).add(notify_multiplier));
    add(structure(Structure::isr, plain_length, isr, area_size));
    add(structure(Structure::device, plain_length, device, area_size));
    places.access = add(structure(Structure::access, extended_length, 0, 0).add(std::uint32_t{0}));
    config.set_writable(places.access + access_bar, std::uint8_t{0xff});
    config.set_writable(places.access + access_offset, ~std::uint32_t{0});
    config.set_writable(places.access + access_length, ~std::uint32_t{0});

    auto msix = Body{};
    msix.add(static_cast<std::uint16_t>(vectors - 1));
    msix.add(pci::Msix::table_offset | msix_bar).add(pci::Msix::pending_offset | msix_bar);
    places.msix_control = config.add_capability(msix_capability, msix.bytes()) + 2;
    config.set_writable(places.msix_control, std::uint16_t{0xc000});
    return places;
}

}  // namespace sheaf::virtio::pci_layout
