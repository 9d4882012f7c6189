#include "vmm/kvm.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <optional>

#include <gtest/gtest.h>

namespace sheaf::vmm {
namespace {

class KvmTest : public testing::Test {
  protected:
    void SetUp() override {
        auto device = checked_fd(::open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
        if (!device) GTEST_SKIP() << device.error().text();
        kvm_.emplace(*Kvm::create(*std::move(device)));
        vm_.emplace(*kvm_->create_vm());
    }
    std::optional<Kvm> kvm_;
    std::optional<VmFd> vm_;
};

TEST_F(KvmTest, RefusesWhatIsNotKvm) {
    auto null = checked_fd(::open("/dev/null", O_RDWR | O_CLOEXEC), "/dev/null");
    EXPECT_NE(Kvm::create(*std::move(null)).error().text().find("KVM_GET_API_VERSION"),
              std::string::npos);
}

TEST_F(KvmTest, SupportedCpuidNamesAVendorAndIsTakenBack) {
    ASSERT_TRUE(vm_->enable(KVM_CAP_SPLIT_IRQCHIP, 24));
    const auto entries = *kvm_->supported_cpuid();
    const auto vendor =
        std::ranges::find_if(entries, [](const auto& entry) { return entry.function == 0; });
    ASSERT_NE(vendor, entries.end());
    EXPECT_NE(vendor->ebx, 0u);
    const auto vcpu = *vm_->create_vcpu(0);
    const auto set = vcpu.set_cpuid(entries);
    EXPECT_TRUE(set) << set.error().text();
}

TEST_F(KvmTest, MsrsAreCountedAsTaken) {
    const auto vcpu = *vm_->create_vcpu(0);
    constexpr std::uint32_t sysenter_cs = 0x174;
    constexpr std::uint32_t nothing = 0x12345678;
    const auto values = std::to_array<MsrValue>({{sysenter_cs, 8}, {nothing, 1}});
    EXPECT_EQ(*vcpu.set_msrs(std::span{values}.first(1)), 1u);
    EXPECT_EQ(*vcpu.set_msrs(values), 1u);
}

TEST_F(KvmTest, RegistersAreReadBack) {
    const auto vcpu = *vm_->create_vcpu(0);
    auto registers = *vcpu.registers();
    registers.rax = 0x1122334455667788;
    ASSERT_TRUE(vcpu.set_registers(registers));
    EXPECT_EQ(vcpu.registers()->rax, 0x1122334455667788u);
}

TEST_F(KvmTest, AFailureNamesTheIoctl) {
    const auto error = vm_->set_memory(0, Gpa{1}, {}).error();
    EXPECT_TRUE(error.text().starts_with("KVM_SET_USER_MEMORY_REGION: ")) << error.text();
    EXPECT_EQ(error.os_error(), EINVAL);
}

}  // namespace
}  // namespace sheaf::vmm
