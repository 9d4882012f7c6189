#pragma once

// Why: tests of the transport need a device that does nothing by itself: it holds what it is given
// until the test lets go, and says what it was told.

#include "devices/virtio/device.h"
#include "io/event.h"

namespace sheaf::virtio {

class ScriptedDevice final : public Device {
  public:
    ScriptedDevice() {
        traits_.type = DeviceType::entropy;
        traits_.features = feature(3);
        traits_.queue_sizes = {16, 8};
        traits_.config_size = 6;
    }

    const Traits& traits() const override { return traits_; }
    void read_config(std::uint32_t offset, std::span<std::byte> data) const override {
        std::ranges::copy(std::span{config}.subspan(offset, data.size()), data.begin());
    }
    void write_config(std::uint32_t offset, std::span<const std::byte> data) override {
        std::ranges::copy(data, config.begin() + offset);
    }
    Result<void> activate(Features features) override {
        ++activations;
        negotiated = features;
        if (refuses) return fail(Kind::io, "told to refuse");
        return {};
    }
    // Takes a chain, and gives it back once `released` is set.
    io::Task<void> serve(Queue& queue) override {
        ++serving;
        while (auto chain = co_await queue.next()) {
            ++taken;
            co_await released.wait();
        }
        --serving;
        if (fails) co_await fail(Kind::io, "told to fail");
    }
    void deactivate() override { ++deactivations; }
    void change_config() { config_changed(); }

    std::array<std::byte, 6> config{};
    io::Event released;
    Features negotiated = 0;
    unsigned activations = 0;
    unsigned deactivations = 0;
    unsigned serving = 0;
    unsigned taken = 0;
    bool refuses = false;
    bool fails = false;

  private:
    Traits traits_;
};

}  // namespace sheaf::virtio
