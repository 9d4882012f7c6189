#pragma once

// Why: where a virtio device's structures lie in its BARs, and the capabilities that tell the
// driver (virtio 1.2, section 4.1.4).

#include "devices/pci/config_space.h"

namespace sheaf::virtio::pci_layout {

inline constexpr unsigned registers_bar = 0;
inline constexpr unsigned msix_bar = 1;

inline constexpr std::uint32_t registers_size = 16384;
inline constexpr std::uint32_t common = 0x0000;
inline constexpr std::uint32_t isr = 0x1000;
inline constexpr std::uint32_t device = 0x2000;
inline constexpr std::uint32_t notify = 0x3000;
inline constexpr std::uint32_t area_size = 0x1000;
inline constexpr std::uint32_t notify_multiplier = 4;

enum class Structure : std::uint8_t { common = 1, notify = 2, isr = 3, device = 4, access = 5 };

inline constexpr std::uint8_t vendor_capability = 0x09;
inline constexpr std::uint8_t msix_capability = 0x11;

// Offsets inside the whole capability, header included.
inline constexpr unsigned access_bar = 4;
inline constexpr unsigned access_offset = 8;
inline constexpr unsigned access_length = 12;
inline constexpr unsigned access_data = 16;

// Where the transport finds the two capabilities it answers itself.
struct Places {
    unsigned access = 0;        // VIRTIO_PCI_CAP_PCI_CFG
    unsigned msix_control = 0;  // MSI-X message control
};

// Adds all capabilities of a device with `vectors` MSI-X vectors.
Places add_capabilities(pci::ConfigSpace& config, unsigned vectors);

}  // namespace sheaf::virtio::pci_layout
