#include "vmm/vcpu_setup.h"

#include <fcntl.h>

#include <gtest/gtest.h>

namespace sheaf::vmm {
namespace {

TEST(VcpuSetup, TheFirstEntersTheKernelAndTheOthersWait) {
    auto device = checked_fd(::open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
    if (!device) GTEST_SKIP() << device.error().text();
    const auto kvm = *Kvm::create(*std::move(device));
    const auto vm = *kvm.create_vm();
    ASSERT_TRUE(vm.enable(KVM_CAP_SPLIT_IRQCHIP, 24));
    const auto memory = *GuestMemory::create(1_MiB, GuestMemory::Backing::anonymous);
    const auto entry = boot::Entry{
        .protocol = boot::Protocol::linux_64, .address = Gpa{0x100200}, .parameters = Gpa{0x7000}};
    const auto vcpus = make_vcpus(kvm, vm, memory, 2, entry);
    ASSERT_TRUE(vcpus) << vcpus.error().text();
    ASSERT_EQ(vcpus->size(), 2u);
    const auto first = *(*vcpus)[0].registers();
    EXPECT_EQ(first.rip, 0x100200u);
    EXPECT_EQ(first.rsi, 0x7000u);
    constexpr std::uint64_t long_mode_active = 0x400;
    EXPECT_TRUE((*vcpus)[0].system_registers()->efer & long_mode_active);
    EXPECT_NE((*vcpus)[1].registers()->rip, 0x100200u);
    EXPECT_FALSE((*vcpus)[1].system_registers()->efer & long_mode_active);
}

}  // namespace
}  // namespace sheaf::vmm
