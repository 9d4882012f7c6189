#include "node/doctor_ring0.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <semaphore>

#include "vmm/irq_router.h"
#include "vmm/layout.h"
#include "vmm/vcpu.h"
#include "vmm/vcpu_setup.h"

namespace sheaf::node {

namespace {

using Clock = std::chrono::steady_clock;

constexpr Gpa code_address{0x10000};
constexpr std::uint16_t lap_port = 0xf4;
constexpr std::uint32_t rounds_a_lap = 5000;
constexpr std::uint32_t instructions_a_lap = 2 * rounds_a_lap;
constexpr unsigned most_laps = 200;
constexpr auto time_limit = std::chrono::milliseconds{100};

// again: mov ecx, rounds; count: dec ecx; jnz count; out lap_port, al; jmp again
constexpr auto code = std::to_array<std::uint8_t>({
    0xb9, rounds_a_lap & 0xff, rounds_a_lap >> 8, 0x00, 0x00,  //
    0xff, 0xc9,                                                //
    0x75, 0xfc,                                                //
    0xe6, lap_port,                                            //
    0xeb, 0xf3,                                                //
});

// Takes the time between two laps. The best one counts: others may have been interrupted.
class LapTimer final : public vmm::BusHandler, public vmm::EndingSink {
  public:
    std::string_view name() const override { return "lap timer"; }
    void read(std::uint64_t, std::span<std::byte> data) override {
        std::ranges::fill(data, std::byte{0});
    }
    void write(std::uint64_t, std::span<const std::byte>) override {
        const auto now = Clock::now();
        if (laps_ > 0) best_ = std::min(best_, now - last_);
        last_ = now;
        if (++laps_ == most_laps) done_.release();
    }
    void ended(vmm::Ending ending) override {
        ending_ = std::move(ending);
        done_.release();
    }

    void wait() { static_cast<void>(done_.try_acquire_for(time_limit)); }

    // Once the vCPU has stopped.
    Result<std::uint64_t> rate() const {
        if (!ending_.detail.empty()) return fail(Kind::unavailable, "{}", ending_.detail);
        if (laps_ < 2)
            return fail(Kind::unavailable, "the guest did fewer than {} instructions in {} ms",
                        2 * instructions_a_lap, time_limit.count());
        const auto seconds = std::chrono::duration<double>{best_}.count();
        return static_cast<std::uint64_t>(instructions_a_lap / std::max(seconds, 1e-9));
    }

  private:
    // Written by the vCPU's thread alone, read after it was joined.
    unsigned laps_ = 0;
    Clock::time_point last_;
    Clock::duration best_ = Clock::duration::max();
    vmm::Ending ending_;
    std::counting_semaphore<> done_{0};
};

}  // namespace

Result<std::uint64_t> measure_ring0(const vmm::Kvm& kvm) {
    const auto memory = TRY(vmm::GuestMemory::create(1_MiB, vmm::GuestMemory::Backing::anonymous));
    TRY(memory.write(code_address, code));
    const auto vm = TRY(kvm.create_vm());
    TRY(vm.set_tss_address(vmm::layout::kvm_tss));
    TRY(vm.set_identity_map_address(vmm::layout::kvm_identity_map));
    TRY(vm.set_memory(0, Gpa{0}, memory.regions().front().bytes));
    const auto router = TRY(vmm::IrqRouter::create(vm));
    const auto entry = vmm::boot::Entry{.protocol = vmm::boot::Protocol::linux_64,
                                        .address = code_address,
                                        .parameters = vmm::layout::zero_page};
    auto vcpus = TRY(vmm::make_vcpus(kvm, vm, memory, 1, entry));

    auto timer = LapTimer{};
    auto ports = vmm::Bus{};
    const auto no_memory = vmm::Bus{};
    TRY(ports.add(lap_port, 1, timer));
    TRY(vmm::install_kick_signal());
    auto gate = std::latch{1};
    auto vcpu = vmm::Vcpu{0, std::move(vcpus.front()), {ports, no_memory}, timer};
    vcpu.start(gate);
    gate.count_down();
    timer.wait();
    vcpu.request_stop();
    vcpu.join();
    return timer.rate();
}

}  // namespace sheaf::node
