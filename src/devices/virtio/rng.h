#pragma once

// Why: entropy for the guest from its first moments (virtio 1.2, section 5.4), out of the host's
// generator.

#include "devices/virtio/device.h"

namespace sheaf::virtio {

class Rng final : public Device {
  public:
    // No request is given more bytes than this; the driver asks again.
    static constexpr std::size_t most_bytes = 4096;

    Rng();

    const Traits& traits() const override { return traits_; }
    void read_config(std::uint32_t, std::span<std::byte>) const override {}
    io::Task<void> serve(Queue& queue) override;

  private:
    static Result<void> fill(Chain& chain);

    Traits traits_;
};

}  // namespace sheaf::virtio
