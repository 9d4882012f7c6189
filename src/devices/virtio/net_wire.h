#pragma once

// Why: the numbers of the network card's protocol (virtio 1.3, section 5.1). Linux's own header
// for them is not C++.

#include <cstdint>

namespace sheaf::virtio::net_wire {

// Feature bits, section 5.1.3. "guest" is what the driver receives, "host" what it may send.
inline constexpr unsigned f_csum = 0;
inline constexpr unsigned f_guest_csum = 1;
inline constexpr unsigned f_ctrl_guest_offloads = 2;
inline constexpr unsigned f_mtu = 3;
inline constexpr unsigned f_mac = 5;
inline constexpr unsigned f_guest_tso4 = 7;
inline constexpr unsigned f_guest_tso6 = 8;
inline constexpr unsigned f_guest_ecn = 9;
inline constexpr unsigned f_host_tso4 = 11;
inline constexpr unsigned f_host_tso6 = 12;
inline constexpr unsigned f_host_ecn = 13;
inline constexpr unsigned f_mrg_rxbuf = 15;
inline constexpr unsigned f_status = 16;
inline constexpr unsigned f_ctrl_vq = 17;
inline constexpr unsigned f_ctrl_rx = 18;
inline constexpr unsigned f_ctrl_vlan = 19;
inline constexpr unsigned f_ctrl_rx_extra = 20;
inline constexpr unsigned f_guest_announce = 21;
inline constexpr unsigned f_mq = 22;
inline constexpr unsigned f_ctrl_mac_addr = 23;
inline constexpr unsigned f_guest_uso4 = 54;
inline constexpr unsigned f_guest_uso6 = 55;
inline constexpr unsigned f_host_uso = 56;

// Bits of the configuration's status, section 5.1.4.
inline constexpr std::uint16_t status_link_up = 1;
inline constexpr std::uint16_t status_announce = 2;

// Commands of the control queue, section 5.1.6.5: classes, and the commands of each.
inline constexpr std::uint8_t class_rx = 0;
inline constexpr std::uint8_t rx_allmulti = 1;  // the last one of F_CTRL_RX
inline constexpr std::uint8_t rx_nobcast = 5;   // the last one of F_CTRL_RX_EXTRA
inline constexpr std::uint8_t class_mac = 1;
inline constexpr std::uint8_t mac_table_set = 0;
inline constexpr std::uint8_t mac_addr_set = 1;
inline constexpr std::uint8_t class_vlan = 2;
inline constexpr std::uint8_t vlan_del = 1;  // the last one; 0 adds
inline constexpr std::uint8_t class_announce = 3;
inline constexpr std::uint8_t announce_ack = 0;
inline constexpr std::uint8_t class_mq = 4;
inline constexpr std::uint8_t mq_pairs_set = 0;
inline constexpr std::uint8_t class_guest_offloads = 5;
inline constexpr std::uint8_t guest_offloads_set = 0;

inline constexpr std::uint8_t answer_ok = 0;
inline constexpr std::uint8_t answer_error = 1;

}  // namespace sheaf::virtio::net_wire
