#include "vmm/vcpu.h"

#include <fcntl.h>

#include <condition_variable>
#include <future>

#include <gtest/gtest.h>

#include "vmm/guest_memory.h"
#include "vmm/irq_router.h"
#include "vmm/layout.h"

namespace sheaf::vmm {
namespace {

// Collects what the guest writes to one port, and lets a test wait for it.
class Port final : public BusHandler {
  public:
    std::string_view name() const override { return "port"; }
    void read(std::uint64_t, std::span<std::byte> data) override { store_register(data, 0x5a); }
    void write(std::uint64_t, std::span<const std::byte> data) override {
        const auto lock = std::lock_guard{mutex_};
        bytes_.push_back(static_cast<std::uint8_t>(load_register(data)));
        changed_.notify_all();
    }
    std::vector<std::uint8_t> wait_for(std::size_t count) {
        auto lock = std::unique_lock{mutex_};
        changed_.wait(lock, [&] { return bytes_.size() >= count; });
        return {bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(count)};
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::uint8_t> bytes_;
};

class Endings final : public EndingSink {
  public:
    void ended(Ending ending) override {
        const auto lock = std::lock_guard{mutex_};
        endings.push_back(std::move(ending));
    }
    std::vector<Ending> endings;

  private:
    std::mutex mutex_;
};

// A machine of one vCPU in real mode at 0x1000, on the host's KVM.
class VcpuTest : public testing::Test {
  protected:
    void SetUp() override {
        auto device = checked_fd(::open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
        if (!device) GTEST_SKIP() << device.error().text();
        kvm_.emplace(*Kvm::create(*std::move(device)));
        ASSERT_TRUE(kvm_->require_capabilities());
        ASSERT_TRUE(install_kick_signal());
        vm_.emplace(*kvm_->create_vm());
        ASSERT_TRUE(vm_->set_tss_address(layout::kvm_tss));
        router_ = *IrqRouter::create(*vm_);
        const auto region = memory_.regions()[0];
        ASSERT_TRUE(vm_->set_memory(0, region.start, region.bytes));
        ASSERT_TRUE(ports_.add(0xe9, 1, port_));
    }

    Vcpu& start(std::initializer_list<std::uint8_t> code) {
        const auto bytes = std::vector<std::uint8_t>{code};
        EXPECT_TRUE(memory_.write(Gpa{0x1000}, std::as_bytes(std::span{bytes})));
        auto fd = *vm_->create_vcpu(0);
        auto system = *fd.system_registers();
        system.cs.base = 0;
        system.cs.selector = 0;
        if (mode_ == Mode::protected_flat) enter_protected_mode(system);
        EXPECT_TRUE(fd.set_system_registers(system));
        auto registers = kvm_regs{};
        registers.rip = 0x1000;
        registers.rflags = 2;
        EXPECT_TRUE(fd.set_registers(registers));
        vcpu_.emplace(0u, std::move(fd), Buses{ports_, mmio_}, endings_);
        vcpu_->start(gate_);
        gate_.count_down();
        return *vcpu_;
    }

    static void enter_protected_mode(kvm_sregs& system) {
        system.cr0 |= 1;
        system.idt.limit = 0;
        system.cs.limit = system.ds.limit = system.ss.limit = 0xffffffff;
        system.cs.g = system.ds.g = system.ss.g = 1;
        system.cs.db = system.ss.db = 1;
        system.cs.selector = 8;
    }

    enum class Mode { real, protected_flat };
    Mode mode_ = Mode::real;
    GuestMemory memory_ = *GuestMemory::create(64_KiB, GuestMemory::Backing::anonymous);
    std::optional<Kvm> kvm_;
    std::optional<VmFd> vm_;
    std::unique_ptr<IrqRouter> router_;
    Bus ports_;
    Bus mmio_;
    Port port_;
    Endings endings_;
    std::latch gate_{1};
    std::optional<Vcpu> vcpu_;
};

TEST_F(VcpuTest, PortAccessesReachTheBus) {
    // in al, 0xe9; out 0xe9, al; mov al, 0x41; out 0xe9, al; jmp $
    auto& vcpu = start({0xe4, 0xe9, 0xe6, 0xe9, 0xb0, 0x41, 0xe6, 0xe9, 0xeb, 0xfe});
    EXPECT_EQ(port_.wait_for(2), (std::vector<std::uint8_t>{0x5a, 0x41}));
    vcpu.request_stop();
    vcpu.join();
    EXPECT_TRUE(endings_.endings.empty());
}

TEST_F(VcpuTest, StopsAHaltedGuest) {
    // mov al, 1; out 0xe9, al; cli; hlt
    auto& vcpu = start({0xb0, 0x01, 0xe6, 0xe9, 0xfa, 0xf4});
    port_.wait_for(1);
    vcpu.request_stop();
    vcpu.join();
    EXPECT_TRUE(endings_.endings.empty());
}

TEST_F(VcpuTest, StopBeforeTheGateOpensNeverEntersTheGuest) {
    auto fd = *vm_->create_vcpu(0);
    vcpu_.emplace(0u, std::move(fd), Buses{ports_, mmio_}, endings_);
    vcpu_->start(gate_);
    vcpu_->request_stop();
    gate_.count_down();
    vcpu_->join();
    EXPECT_TRUE(endings_.endings.empty());
}

TEST_F(VcpuTest, AHeldProcessorStandsStillForWork) {
    // mov al, 1; out 0xe9, al; inc cx; jmp to the inc
    auto& vcpu = start({0xb0, 0x01, 0xe6, 0xe9, 0x41, 0xeb, 0xfd});
    port_.wait_for(1);
    auto told = std::promise<kvm_regs>{};
    vcpu.hold([&](const VcpuFd& fd) { told.set_value(*fd.registers()); });
    const auto first = told.get_future().get();
    EXPECT_GE(first.rip, 0x1004u);
    EXPECT_LE(first.rip, 0x1005u);
    // It does more work without having moved, and goes on from where the last work put it.
    auto again = std::promise<kvm_regs>{};
    vcpu.hold([&](const VcpuFd& fd) { again.set_value(*fd.registers()); });
    EXPECT_EQ(again.get_future().get().rcx, first.rcx);
    vcpu.release([](const VcpuFd& fd) {
        auto registers = *fd.registers();
        registers.rip = 0x1000;
        EXPECT_TRUE(fd.set_registers(registers));
    });
    EXPECT_EQ(port_.wait_for(2).size(), 2u);
    vcpu.request_stop();
    vcpu.join();
}

TEST_F(VcpuTest, AnInstructionThatLeftTheGuestIsWholeBeforeWork) {
    // in al, 0xe9 for ever: 0x5a is in al whenever the processor stands after it.
    auto& vcpu = start({0xb0, 0x01, 0xe6, 0xe9, 0xb0, 0x00, 0xe4, 0xe9, 0xeb, 0xfa});
    port_.wait_for(1);
    for (int round = 0; round < 50; ++round) {
        auto told = std::promise<kvm_regs>{};
        vcpu.hold([&](const VcpuFd& fd) { told.set_value(*fd.registers()); });
        const auto registers = told.get_future().get();
        if (registers.rip == 0x1008) EXPECT_EQ(registers.rax & 0xff, 0x5au);
        vcpu.release([](const VcpuFd&) {});
    }
    vcpu.request_stop();
    vcpu.join();
}

TEST_F(VcpuTest, AHeldProcessorCanBeStopped) {
    auto& vcpu = start({0xeb, 0xfe});
    vcpu.hold([](const VcpuFd&) {});
    vcpu.request_stop();
    vcpu.join();
    EXPECT_TRUE(endings_.endings.empty());
}

TEST_F(VcpuTest, ATripleFaultIsReportedOnce) {
    // In protected mode without an interrupt table, an invalid instruction has nowhere to go.
    mode_ = Mode::protected_flat;
    auto& vcpu = start({0x0f, 0x0b});
    vcpu.join();
    ASSERT_EQ(endings_.endings.size(), 1u);
    EXPECT_EQ(endings_.endings[0].how, Ending::How::triple_faulted) << endings_.endings[0].detail;
}

TEST_F(VcpuTest, StringOutputIsWholeAndInOrder) {
    // mov si, 0x1200; mov cx, 4; mov dx, 0xe9; cld; rep outsb; jmp $
    for (std::uint8_t i = 0; i < 4; ++i)
        ASSERT_TRUE(memory_.write(Gpa{0x1200u + i}, static_cast<std::uint8_t>('a' + i)));
    auto& vcpu =
        start({0xbe, 0x00, 0x12, 0xb9, 0x04, 0x00, 0xba, 0xe9, 0x00, 0xfc, 0xf3, 0x6e, 0xeb, 0xfe});
    EXPECT_EQ(port_.wait_for(4), (std::vector<std::uint8_t>{'a', 'b', 'c', 'd'}));
    vcpu.request_stop();
    vcpu.join();
}

}  // namespace
}  // namespace sheaf::vmm
