#include "vmm/debug/vcpu_processors.h"

#include <cpuid.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "support/turns.h"
#include "vmm/irq_router.h"
#include "vmm/layout.h"

namespace sheaf::vmm::debug {
namespace {

// Counts what the guest writes.
class Port final : public BusHandler {
  public:
    std::string_view name() const override { return "port"; }
    void read(std::uint64_t, std::span<std::byte> data) override { store_register(data, 0); }
    void write(std::uint64_t, std::span<const std::byte>) override { ++writes; }
    std::atomic<unsigned> writes = 0;
};

class NoEnding final : public EndingSink {
  public:
    void ended(Ending ending) override { ADD_FAILURE() << ending.detail; }
};

// Without VMX and SVM, KVM is one in software, which emulates real mode, and no breakpoints in it.
bool real_mode_is_emulated() {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned vendor_independent = 0;
    unsigned extended = 0;
    unsigned edx = 0;
    __get_cpuid(1, &eax, &ebx, &vendor_independent, &edx);
    __get_cpuid(0x80000001, &eax, &ebx, &extended, &edx);
    return (vendor_independent & 1u << 5) == 0 && (extended & 1u << 2) == 0;
}

// Two processors on the host's KVM: the first in real mode at 0x1000; nobody starts the second.
class VcpuProcessorsTest : public testing::Test {
  protected:
    void SetUp() override {
        auto device = checked_fd(::open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
        if (!device) GTEST_SKIP() << device.error().text();
        kvm_.emplace(*Kvm::create(*std::move(device)));
        ASSERT_TRUE(install_kick_signal());
        vm_.emplace(*kvm_->create_vm());
        ASSERT_TRUE(vm_->set_tss_address(layout::kvm_tss));
        router_ = *IrqRouter::create(*vm_);
        ASSERT_TRUE(vm_->set_memory(0, Gpa{0}, memory.regions()[0].bytes));
        ASSERT_TRUE(ports_.add(0xe9, 1, port));
        for (unsigned index = 0; index < 2; ++index) add_vcpu(index);
        auto made = VcpuProcessors::create(*vm_, vcpus, memory, *loop, log_);
        if (!made) GTEST_SKIP() << made.error().text();
        processors = *std::move(made);
        processors->tell(&news);
    }
    void TearDown() override {
        for (const auto& vcpu : vcpus) vcpu->request_stop();
        for (const auto& vcpu : vcpus) vcpu->join();
        test::turn(*loop);
    }
    void add_vcpu(unsigned index) {
        auto fd = *vm_->create_vcpu(index);
        auto system = *fd.system_registers();
        system.cs.base = 0;
        system.cs.selector = 0;
        ASSERT_TRUE(fd.set_system_registers(system));
        auto registers = kvm_regs{};
        registers.rip = 0x1000 + 0x800 * index;
        registers.rsp = 0x8000 + 0x1000 * index;
        registers.rflags = 2;
        ASSERT_TRUE(fd.set_registers(registers));
        vcpus.push_back(std::make_unique<Vcpu>(index, std::move(fd), Buses{ports_, mmio_}, sink_));
    }
    void put(std::uint64_t at, std::initializer_list<std::uint8_t> code) {
        const auto bytes = std::vector<std::uint8_t>{code};
        ASSERT_TRUE(memory.write(Gpa{at}, std::as_bytes(std::span{bytes})));
    }
    // Both processors stand before their first instruction.
    void start() {
        auto tasks = io::TaskGroup{};
        tasks.start(processors->halt());
        for (const auto& vcpu : vcpus) vcpu->start(gate_);
        gate_.count_down();
        ASSERT_TRUE(test::run_until(*loop, [&] { return tasks.empty(); }));
    }
    void halt() { ASSERT_TRUE(io::run(*loop, processors->halt())); }
    Stop next_stop() {
        auto stop = std::optional<Stop>{};
        EXPECT_TRUE(test::run_until(*loop, [&] {
            stop = processors->next_stop();
            return stop.has_value();
        }));
        halt();
        return stop.value_or(Stop{});
    }
    void go(Go first, Go second = Go::run) {
        const auto all = std::array{first, second};
        processors->resume(all);
    }
    std::uint64_t rip(std::size_t cpu = 0) const {
        return processors->debuggee().registers[cpu].general.rip;
    }
    Breakpoints& breakpoints() { return processors->debuggee().breakpoints; }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    GuestMemory memory = *GuestMemory::create(64_KiB, GuestMemory::Backing::anonymous);
    Port port;
    io::Event news;
    std::vector<std::unique_ptr<Vcpu>> vcpus;
    std::unique_ptr<VcpuProcessors> processors;

  private:
    Logger log_{STDERR_FILENO, LogLevel::warning};
    std::optional<Kvm> kvm_;
    std::optional<VmFd> vm_;
    std::unique_ptr<IrqRouter> router_;
    Bus ports_;
    Bus mmio_;
    NoEnding sink_;
    std::latch gate_{1};
};

TEST_F(VcpuProcessorsTest, NobodyBeginsBeforeTheyAreLet) {
    put(0x1000, {0xe6, 0xe9, 0xeb, 0xfc});  // out 0xe9, al; jmp back
    start();
    EXPECT_EQ(rip(0), 0x1000u);
    EXPECT_EQ(rip(1), 0x1800u);
    EXPECT_EQ(port.writes, 0u);
    go(Go::run);
    EXPECT_TRUE(test::run_until(*loop, [&] { return port.writes > 3; }));
    halt();
    const auto writes = port.writes.load();
    for (int round = 0; round < 10; ++round) test::let_sleep(*loop);
    EXPECT_EQ(port.writes, writes) << "it stands still";
}

TEST_F(VcpuProcessorsTest, ChangedRegistersAreWhereItGoesOn) {
    put(0x1000, {0xeb, 0xfe});
    put(0x1100, {0xe6, 0xe9, 0xeb, 0xfe});
    start();
    auto& file = processors->debuggee().registers[0];
    file.general.rip = 0x1100;
    file.general_changed = true;
    go(Go::run);
    EXPECT_TRUE(test::run_until(*loop, [&] { return port.writes == 1; }));
    halt();
    EXPECT_EQ(rip(), 0x1102u);
}

TEST_F(VcpuProcessorsTest, Steps) {
    put(0x1000, {0x43, 0x41, 0x42, 0xeb, 0xfb});  // inc bx; inc cx; inc dx; jmp back
    start();
    for (const auto expected : {0x1001u, 0x1002u, 0x1003u, 0x1000u}) {
        go(Go::step, Go::stay);
        EXPECT_EQ(next_stop().cause.kind, Cause::Kind::step);
        EXPECT_EQ(rip(), expected);
        EXPECT_EQ(rip(1), 0x1800u);
    }
}

TEST_F(VcpuProcessorsTest, ASoftwareBreakpoint) {
    if (real_mode_is_emulated()) GTEST_SKIP() << "no breakpoints in real mode on this KVM";
    put(0x1000, {0x43, 0x41, 0xeb, 0xfc});
    start();
    ASSERT_TRUE(breakpoints().insert(memory, 0x1001, Gpa{0x1001}));
    go(Go::run);
    const auto stop = next_stop();
    EXPECT_EQ(stop.cpu, 0u);
    EXPECT_EQ(stop.cause.kind, Cause::Kind::software);
    EXPECT_EQ(rip(), 0x1001u);
    go(Go::run);
    EXPECT_EQ(next_stop().cause.kind, Cause::Kind::software) << "it is met again at once";
    breakpoints().remove(memory, 0x1001);
    go(Go::step);
    next_stop();
    EXPECT_EQ(rip(), 0x1002u);
}

TEST_F(VcpuProcessorsTest, AGuestsOwnTrapIsItsOwn) {
    put(3 * 4, {0x00, 0x11, 0x00, 0x00});   // vector 3 leads to 0:0x1100
    put(0x1100, {0xe6, 0xe9, 0xcf});        // out 0xe9, al; iret
    put(0x1000, {0xcc, 0x43, 0xeb, 0xfc});  // int3; inc bx; jmp back
    start();
    ASSERT_TRUE(breakpoints().insert(memory, 0x1180, Gpa{0x1180}));
    go(Go::run);
    EXPECT_TRUE(test::run_until(*loop, [&] { return port.writes >= 20; }));
    EXPECT_FALSE(processors->next_stop());
    halt();
    breakpoints().clear(memory);
    go(Go::run);
    const auto writes = port.writes.load();
    EXPECT_TRUE(test::run_until(*loop, [&] { return port.writes >= writes + 20; }));
}

TEST_F(VcpuProcessorsTest, DebugRegisters) {
    if (real_mode_is_emulated()) GTEST_SKIP() << "no breakpoints in real mode on this KVM";
    put(0x1000, {0x43, 0xa2, 0x00, 0x20, 0xeb, 0xfa});  // inc bx; mov [0x2000], al; jmp back
    start();
    using On = HardwareBreakpoint::On;
    ASSERT_TRUE(breakpoints().insert({On::execute, 0x1001, 1}));
    go(Go::run);
    if (!test::run_until(*loop, [&] { return news.is_set(); }))
        GTEST_SKIP() << "this processor does not give a guest's debug registers to KVM";
    EXPECT_EQ(next_stop().cause.kind, Cause::Kind::hardware);
    EXPECT_EQ(rip(), 0x1001u);
    breakpoints().remove({On::execute, 0x1001, 1});
    ASSERT_TRUE(breakpoints().insert({On::write, 0x2000, 1}));
    go(Go::run);
    const auto stop = next_stop();
    EXPECT_EQ(stop.cause.kind, Cause::Kind::write);
    EXPECT_EQ(stop.cause.address, 0x2000u);
    EXPECT_EQ(rip(), 0x1004u) << "after the access";
}

}  // namespace
}  // namespace sheaf::vmm::debug
