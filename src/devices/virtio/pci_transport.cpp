#include "devices/virtio/pci_transport.h"

#include <sys/eventfd.h>

namespace sheaf::virtio {

namespace {

namespace layout = pci_layout;

constexpr std::uint16_t virtio_vendor = 0x1af4;
constexpr std::uint16_t modern_device_base = 0x1040;  // virtio 1.2, section 4.1.2
constexpr std::uint8_t modern_revision = 1;

constexpr std::uint8_t isr_queue = 1;
constexpr std::uint8_t isr_config = 2;

pci::Identity identity_of(const Traits& traits) {
    const auto device =
        static_cast<std::uint16_t>(modern_device_base + static_cast<std::uint16_t>(traits.type));
    return {.vendor = virtio_vendor,
            .device = device,
            .subsystem_vendor = virtio_vendor,
            .subsystem = device,
            .class_code = traits.pci_class,
            .revision = modern_revision};
}

// One for each queue and one for configuration changes.
unsigned vectors_of(const Traits& traits) {
    return std::min(static_cast<unsigned>(traits.queue_sizes.size()) + 1, pci::Msix::vector_limit);
}

}  // namespace

PciTransport::PciTransport(const Surroundings& surroundings, std::unique_ptr<Device> device)
    : Function(identity_of(device->traits()), surroundings.memory_bus),
      around_(surroundings),
      device_(std::move(device)),
      msix_(around_.interrupts, vectors_of(device_->traits())),
      places_(layout::add_capabilities(config(), msix_.vectors())),
      registers_(device_->traits(), msix_.vectors()) {
    add_bar(layout::registers_size, register_bar_);
    add_bar(pci::Msix::bar_size, msix_);
    device_->set_notifier(this);
}

PciTransport::~PciTransport() {
    device_->set_notifier(nullptr);
}

// ---- vCPU threads: configuration space ------------------------------------------------------

// The window of VIRTIO_PCI_CAP_PCI_CFG (virtio 1.2, section 4.1.4.9) reaches the registers without
// the BAR being mapped.
bool PciTransport::window_ready(std::span<const std::byte> data) const {
    const auto& space = config_space();
    const auto bar = space.get<std::uint8_t>(places_.access + layout::access_bar);
    const auto length = space.get<std::uint32_t>(places_.access + layout::access_length);
    const bool width = length == 1 || length == 2 || length == 4;
    return bar == layout::registers_bar && width && data.size() >= length &&
           window_offset() % length == 0 && window_offset() <= layout::registers_size - length;
}

std::uint64_t PciTransport::window_offset() const {
    return config_space().get<std::uint32_t>(places_.access + layout::access_offset);
}

void PciTransport::read_config(unsigned offset, std::span<std::byte> data) {
    if (offset != places_.access + layout::access_data || !window_ready(data)) {
        Function::read_config(offset, data);
        return;
    }
    const auto length = config_space().get<std::uint32_t>(places_.access + layout::access_length);
    std::ranges::fill(data, std::byte{0});
    register_bar_.read(window_offset(), data.first(length));
}

void PciTransport::write_config(unsigned offset, std::span<const std::byte> data) {
    if (offset == places_.access + layout::access_data && window_ready(data)) {
        const auto length =
            config_space().get<std::uint32_t>(places_.access + layout::access_length);
        register_bar_.write(window_offset(), data.first(length));
        return;
    }
    Function::write_config(offset, data);
    msix_.set_control(config_space().get<std::uint16_t>(places_.msix_control));
}

void PciTransport::bar_moved(unsigned index, std::optional<Gpa> address) {
    if (index != layout::registers_bar) return;
    const auto lock = std::lock_guard{mutex_};
    detach_doorbells();
    registers_at_ = address;
    // Without doorbells in KVM the guest's writes arrive here as plain accesses: slower, no less
    // right.
    if (auto attached = attach_doorbells(); !attached)
        around_.log.warning("virtio doorbells stay slow", {{"reason", attached.error().text()}});
}

// ---- vCPU threads: registers ----------------------------------------------------------------

void PciTransport::RegisterBar::read(std::uint64_t offset, std::span<std::byte> data) {
    auto& transport = transport_;
    const auto area = offset / layout::area_size * layout::area_size;
    if (area == layout::common) {
        const auto lock = std::lock_guard{transport.mutex_};
        transport.registers_.read(offset, data);
    } else if (area == layout::isr && offset == layout::isr) {
        store_register(data, transport.isr_.exchange(0));
    } else if (area == layout::device) {
        transport.read_device(offset - layout::device, data);
    } else {
        store_register(data, 0);
    }
}

void PciTransport::RegisterBar::write(std::uint64_t offset, std::span<const std::byte> data) {
    auto& transport = transport_;
    const auto area = offset / layout::area_size * layout::area_size;
    if (area == layout::common) transport.write_common(offset, data);
    if (area == layout::device) transport.write_device(offset - layout::device, data);
    if (area == layout::notify) transport.ring(offset - layout::notify);
}

void PciTransport::write_common(std::uint64_t offset, std::span<const std::byte> data) {
    const auto lock = std::lock_guard{mutex_};
    if (resetting_) return;  // the driver waits for the status to read zero (section 4.1.4.3.1)
    switch (registers_.write(offset, data)) {
        case Registers::Effect::none: return;
        case Registers::Effect::reset: begin_reset(); return;
        case Registers::Effect::activate:
            if (in_session_) return;  // one that broke by itself needs a reset first
            in_session_ = true;
            around_.loop.post([this] { group_.start(live()); });
            return;
    }
}

void PciTransport::begin_reset() {
    if (!in_session_) return forget();
    resetting_ = true;
    around_.loop.post([this] { stop_queues(); });
}

// What the session before had to say is not for the one to come.
void PciTransport::forget() {
    registers_.reset();
    isr_.store(0);
}

void PciTransport::read_device(std::uint64_t offset, std::span<std::byte> data) {
    std::ranges::fill(data, std::byte{0});
    const auto size = device_->traits().config_size;
    if (offset >= size) return;
    const auto lock = std::lock_guard{mutex_};
    device_->read_config(static_cast<std::uint32_t>(offset),
                         data.first(std::min<std::size_t>(data.size(), size - offset)));
}

void PciTransport::write_device(std::uint64_t offset, std::span<const std::byte> data) {
    const auto size = device_->traits().config_size;
    if (offset >= size || data.size() > size - offset) return;
    const auto lock = std::lock_guard{mutex_};
    device_->write_config(static_cast<std::uint32_t>(offset), data);
}

// Only where KVM does not take the doorbell itself.
void PciTransport::ring(std::uint64_t offset) {
    const auto lock = std::lock_guard{mutex_};
    for (const auto& served : served_)
        if (offset == std::uint64_t{served.queue->index()} * layout::notify_multiplier)
            ::eventfd_write(served.doorbell.get(), 1);
}

// ---- Loop thread ----------------------------------------------------------------------------

io::Task<void> PciTransport::live() {
    auto opened = open_session();
    if (!opened) mark_broken(opened.error());
    auto serving = io::TaskGroup{};
    auto watching = io::TaskGroup{};
    if (opened) {
        for (auto& served : served_) {
            serving.start(serve(*served.queue));
            watching.start(watch(served));
        }
    }
    static_cast<void>(co_await serving.join().result());
    watching.cancel();
    static_cast<void>(co_await watching.join().result());
    if (opened) device_->deactivate();
    close_session();
}

Result<void> PciTransport::open_session() {
    auto states = std::vector<Registers::QueueState>{};
    auto features = Features{0};
    {
        const auto lock = std::lock_guard{mutex_};
        states = registers_.queues();
        features = registers_.negotiated();
    }
    auto served = std::vector<Served>{};
    for (const auto& state : states) {
        if (!state.enabled) continue;
        auto queue = TRY(Queue::create(state.setup, around_.guest_memory, around_.loop, *this));
        auto doorbell = TRY(checked_fd(::eventfd(0, EFD_CLOEXEC), "making a doorbell"));
        served.push_back({std::move(queue), std::move(doorbell)});
    }
    TRY(device_->activate(features));
    const auto lock = std::lock_guard{mutex_};
    served_ = std::move(served);
    if (auto attached = attach_doorbells(); !attached)
        around_.log.warning("virtio doorbells stay slow", {{"reason", attached.error().text()}});
    return {};
}

void PciTransport::close_session() {
    const auto lock = std::lock_guard{mutex_};
    detach_doorbells();
    served_.clear();
    in_session_ = false;
    if (std::exchange(resetting_, false)) forget();
}

io::Task<void> PciTransport::serve(Queue& queue) {
    auto outcome = co_await device_->serve(queue).result();
    if (!outcome) mark_broken(outcome.error());
}

io::Task<void> PciTransport::watch(Served& served) {
    while (true) {
        auto count = std::uint64_t{0};
        co_await around_.loop.read_stream(served.doorbell.get(),
                                          std::as_writable_bytes(std::span{&count, 1}));
        served.queue->kick();
    }
}

void PciTransport::stop_queues() {
    for (const auto& served : served_) served.queue->stop();
}

io::Task<void> PciTransport::shutdown() {
    // A session that was posted and has not begun yet begins before the second turn.
    co_await around_.loop.sleep(io::Duration::zero());
    stop_queues();
    co_await group_.join();
}

void PciTransport::interrupt(std::uint16_t queue_index) {
    isr_.fetch_or(isr_queue);
    auto vector = no_vector;
    {
        const auto lock = std::lock_guard{mutex_};
        vector = registers_.queues()[queue_index].vector;
    }
    msix_.trigger(vector);
}

void PciTransport::broken(std::uint16_t, const Error& why) {
    mark_broken(why);
}

void PciTransport::mark_broken(const Error& why) {
    faults_.fetch_add(1, std::memory_order_relaxed);
    around_.log.warning("virtio device needs a reset",
                        {{"type", std::to_string(static_cast<int>(device_->traits().type))},
                         {"reason", why.text()}});
    {
        const auto lock = std::lock_guard{mutex_};
        if (resetting_) return;
        registers_.set_needs_reset();
    }
    config_changed();
}

void PciTransport::config_changed() {
    isr_.fetch_or(isr_config);
    auto vector = no_vector;
    {
        const auto lock = std::lock_guard{mutex_};
        registers_.configuration_changed();
        vector = registers_.config_vector();
    }
    msix_.trigger(vector);
}

// ---- Doorbells ------------------------------------------------------------------------------

Gpa PciTransport::doorbell_address(const Queue& queue) const {
    return *registers_at_ + layout::notify +
           std::uint64_t{queue.index()} * layout::notify_multiplier;
}

Result<void> PciTransport::attach_doorbells() {
    if (!registers_at_ || attached_) return {};
    for (auto at = served_.begin(); at != served_.end(); ++at) {
        auto outcome = around_.doorbells.attach(doorbell_address(*at->queue), at->doorbell);
        if (outcome) continue;
        while (at != served_.begin()) {
            --at;
            around_.doorbells.detach(doorbell_address(*at->queue), at->doorbell);
        }
        return outcome;
    }
    attached_ = !served_.empty();
    return {};
}

void PciTransport::detach_doorbells() {
    if (!std::exchange(attached_, false)) return;
    for (const auto& served : served_)
        around_.doorbells.detach(doorbell_address(*served.queue), served.doorbell);
}

}  // namespace sheaf::virtio
