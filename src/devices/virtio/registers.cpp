#include "devices/virtio/registers.h"

#include <bit>

namespace sheaf::virtio {

namespace {

// Offsets of struct virtio_pci_common_cfg (virtio 1.2, section 4.1.4.3).
constexpr std::uint64_t device_feature_select = 0;
constexpr std::uint64_t device_feature = 4;
constexpr std::uint64_t driver_feature_select = 8;
constexpr std::uint64_t driver_feature = 12;
constexpr std::uint64_t config_msix_vector = 16;
constexpr std::uint64_t num_queues = 18;
constexpr std::uint64_t device_status_field = 20;
constexpr std::uint64_t config_generation = 21;
constexpr std::uint64_t queue_select = 22;
constexpr std::uint64_t queue_size_field = 24;
constexpr std::uint64_t queue_msix_vector = 26;
constexpr std::uint64_t queue_enable = 28;
constexpr std::uint64_t queue_notify_off = 30;
constexpr std::uint64_t queue_desc = 32;
constexpr std::uint64_t queue_driver = 40;
constexpr std::uint64_t queue_device = 48;

std::uint32_t half(Gpa address, std::uint64_t offset) {
    return static_cast<std::uint32_t>(address.value() >> (offset % 8 == 0 ? 0 : 32));
}

}  // namespace

Registers::Registers(const Traits& traits, unsigned vectors)
    : offered_(traits.features | version_1 | ring_indirect_descriptors | ring_event_index),
      vectors_(vectors) {
    for (const auto limit : traits.queue_sizes) {
        auto& queue = queues_.emplace_back();
        queue.size_limit = limit;
        queue.setup.index = static_cast<std::uint16_t>(queues_.size() - 1);
        queue.setup.size = limit;
    }
}

void Registers::reset() {
    device_feature_select_ = 0;
    driver_feature_select_ = 0;
    driver_features_ = 0;
    config_vector_ = no_vector;
    queue_select_ = 0;
    status_ = 0;
    for (auto& queue : queues_) {
        const auto index = queue.setup.index;
        queue.setup = {};
        queue.setup.index = index;
        queue.setup.size = queue.size_limit;
        queue.vector = no_vector;
        queue.enabled = false;
    }
}

void Registers::set_needs_reset() {
    status_ |= status::needs_reset;
    ++generation_;
}

const Registers::QueueState* Registers::selected() const {
    return queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr;
}

void Registers::read(std::uint64_t offset, std::span<std::byte> data) const {
    if (data.size() == 8 && offset % 8 == 0) {
        read(offset, data.first(4));
        read(offset + 4, data.subspan(4));
        return;
    }
    store_register(data, read_field(offset, data.size()));
}

std::uint32_t Registers::read_field(std::uint64_t offset, std::size_t width) const {
    const auto window = [](Features features, std::uint32_t select) {
        return select < 2 ? static_cast<std::uint32_t>(features >> 32 * select) : 0;
    };
    if (offset >= queue_size_field) return read_queue(offset, width);
    if (width == 4) {
        switch (offset) {
            case device_feature_select: return device_feature_select_;
            case device_feature: return window(offered_, device_feature_select_);
            case driver_feature_select: return driver_feature_select_;
            case driver_feature: return window(driver_features_, driver_feature_select_);
            default: return 0;
        }
    }
    if (width == 2) {
        switch (offset) {
            case config_msix_vector: return config_vector_;
            case num_queues: return static_cast<std::uint32_t>(queues_.size());
            case queue_select: return queue_select_;
            default: return 0;
        }
    }
    if (width == 1 && offset == device_status_field) return status_;
    if (width == 1 && offset == config_generation) return generation_;
    return 0;
}

std::uint32_t Registers::read_queue(std::uint64_t offset, std::size_t width) const {
    const auto* queue = selected();
    if (!queue) return 0;  // a size of 0 says that there is no such queue
    if (width == 2) {
        switch (offset) {
            case queue_size_field: return queue->setup.size;
            case queue_msix_vector: return queue->vector;
            case queue_enable: return queue->enabled ? 1 : 0;
            case queue_notify_off: return queue->setup.index;
            default: return 0;
        }
    }
    if (width != 4 || offset % 4 != 0) return 0;
    switch (offset & ~std::uint64_t{7}) {
        case queue_desc: return half(queue->setup.descriptors, offset);
        case queue_driver: return half(queue->setup.driver_area, offset);
        case queue_device: return half(queue->setup.device_area, offset);
        default: return 0;
    }
}

Registers::Effect Registers::write(std::uint64_t offset, std::span<const std::byte> data) {
    if (data.size() == 8 && offset >= queue_desc && offset % 8 == 0) {
        write(offset, data.first(4));
        return write(offset + 4, data.subspan(4));
    }
    const auto value = static_cast<std::uint32_t>(load_register(data));
    const auto width = data.size();
    if (width == 1 && offset == device_status_field)
        return write_status(static_cast<std::uint8_t>(value));
    if (offset >= queue_size_field) {
        write_queue(offset, width, value);
    } else if (width == 4 && offset == device_feature_select) {
        device_feature_select_ = value;
    } else if (width == 4 && offset == driver_feature_select) {
        driver_feature_select_ = value;
    } else if (width == 4 && offset == driver_feature) {
        write_driver_features(value);
    } else if (width == 2 && offset == config_msix_vector) {
        config_vector_ = checked_vector(value);
    } else if (width == 2 && offset == queue_select) {
        queue_select_ = static_cast<std::uint16_t>(value);
    }
    return Effect::none;
}

// The driver only ever adds bits, in the order of virtio 1.2, section 3.1.1; what does not fit is
// refused, and FEATURES_OK reads back as not set where the features are not acceptable.
Registers::Effect Registers::write_status(std::uint8_t value) {
    if (value == 0) return Effect::reset;
    constexpr std::uint8_t driver_bits = status::acknowledge | status::driver | status::driver_ok |
                                         status::features_ok | status::failed;
    const auto keeps = static_cast<std::uint8_t>(status_ & driver_bits);
    if ((value & keeps) != keeps) return Effect::none;
    auto added = static_cast<std::uint8_t>(value & driver_bits & ~status_);
    if ((added & status::driver) && !((status_ | added) & status::acknowledge))
        added &= static_cast<std::uint8_t>(~status::driver);
    const bool negotiable = ((status_ | added) & status::driver) != 0 && features_acceptable();
    if ((added & status::features_ok) && !negotiable)
        added &= static_cast<std::uint8_t>(~status::features_ok);
    if ((added & status::driver_ok) && !((status_ | added) & status::features_ok))
        added &= static_cast<std::uint8_t>(~status::driver_ok);
    status_ |= added;
    return (added & status::driver_ok) ? Effect::activate : Effect::none;
}

bool Registers::features_acceptable() const {
    return (driver_features_ & ~offered_) == 0 && (driver_features_ & version_1) != 0;
}

void Registers::write_driver_features(std::uint32_t value) {
    if ((status_ & status::features_ok) || driver_feature_select_ > 1) return;
    const auto shift = 32 * driver_feature_select_;
    driver_features_ = (driver_features_ & ~(Features{0xffffffff} << shift)) | Features{value}
                                                                                   << shift;
}

std::uint16_t Registers::checked_vector(std::uint32_t vector) const {
    return vector < vectors_ ? static_cast<std::uint16_t>(vector) : no_vector;
}

// An enabled queue keeps its place until reset (virtio 1.2, section 4.1.4.3.2); addresses and size
// are checked when the device is activated.
void Registers::write_queue(std::uint64_t offset, std::size_t width, std::uint32_t value) {
    if (queue_select_ >= queues_.size()) return;
    auto& queue = queues_[queue_select_];
    if (width == 2 && offset == queue_msix_vector) queue.vector = checked_vector(value);
    if (queue.enabled) return;
    if (width == 4 && offset >= queue_desc && offset % 4 == 0) write_address(offset, value);
    if (width == 2 && offset == queue_enable && value == 1) {
        queue.enabled = true;
        queue.setup.event_index = (driver_features_ & ring_event_index) != 0;
        queue.setup.indirect = (driver_features_ & ring_indirect_descriptors) != 0;
    }
    // Sizes are powers of two (section 2.7); another one is refused, and the old one reads back.
    if (width == 2 && offset == queue_size_field && value <= queue.size_limit &&
        std::has_single_bit(value))
        queue.setup.size = static_cast<std::uint16_t>(value);
}

void Registers::write_address(std::uint64_t offset, std::uint32_t value) {
    auto& setup = queues_[queue_select_].setup;
    const auto merge = [&](Gpa& address) {
        const auto old = address.value();
        address = offset % 8 == 0 ? Gpa{(old >> 32 << 32) | value}
                                  : Gpa{(old & 0xffffffff) | std::uint64_t{value} << 32};
    };
    switch (offset & ~std::uint64_t{7}) {
        case queue_desc: merge(setup.descriptors); break;
        case queue_driver: merge(setup.driver_area); break;
        case queue_device: merge(setup.device_area); break;
        default: break;
    }
}

}  // namespace sheaf::virtio
