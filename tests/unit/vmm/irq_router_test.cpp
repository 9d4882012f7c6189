#include "vmm/irq_router.h"

#include <fcntl.h>

#include <gtest/gtest.h>

#include "vmm/layout.h"

namespace sheaf::vmm {
namespace {

class IrqRouterTest : public testing::Test {
  protected:
    void SetUp() override {
        auto device = checked_fd(::open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
        if (!device) GTEST_SKIP() << device.error().text();
        const auto kvm = *Kvm::create(*std::move(device));
        vm_.emplace(*kvm.create_vm());
        router_ = *IrqRouter::create(*vm_);
    }
    std::optional<VmFd> vm_;
    std::unique_ptr<IrqRouter> router_;
};

TEST_F(IrqRouterTest, ALineHasOneUser) {
    EXPECT_TRUE(router_->line(4));
    EXPECT_EQ(router_->line(4).error().kind(), Kind::exists);
    EXPECT_EQ(router_->line(layout::ioapic_pins).error().kind(), Kind::invalid);
}

TEST_F(IrqRouterTest, RoutesComeAfterThePinsAndAreReused) {
    const auto first = *router_->allocate();
    const auto second = *router_->allocate();
    EXPECT_GE(first, layout::ioapic_pins);
    EXPECT_NE(first, second);
    for (const std::uint32_t data : {0x4031u, 0x4032u}) {
        const auto set = router_->set(first, {.address = 0xfee00000, .data = data});
        EXPECT_TRUE(set) << set.error().text();
    }
    router_->trigger(first);
    router_->release(first);
    EXPECT_EQ(*router_->allocate(), first);
}

TEST_F(IrqRouterTest, ExhaustionIsAnError) {
    auto last = router_->allocate();
    while (last) last = router_->allocate();
    // The descriptor limit of the process may come first; both are the same kind.
    EXPECT_EQ(last.error().kind(), Kind::exhausted);
}

}  // namespace
}  // namespace sheaf::vmm
