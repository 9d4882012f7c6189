#pragma once

// Why: feature bits that Debian 12's headers do not know yet (virtio 1.3, section 5.1.3).

namespace sheaf::virtio {

inline constexpr unsigned net_feature_guest_uso4 = 54;
inline constexpr unsigned net_feature_guest_uso6 = 55;
inline constexpr unsigned net_feature_host_uso = 56;

}  // namespace sheaf::virtio
