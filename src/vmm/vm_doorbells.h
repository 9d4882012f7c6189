#pragma once

// Why: KVM's side of doorbells; see doorbell.h.

#include "vmm/doorbell.h"
#include "vmm/kvm.h"

namespace sheaf::vmm {

class VmDoorbells final : public Doorbells {
  public:
    // The VM outlives the doorbells.
    explicit VmDoorbells(const VmFd& vm) : vm_(vm) {}

    Result<void> attach(Gpa address, const Fd& event) override {
        return vm_.attach_ioeventfd(address, event);
    }
    void detach(Gpa address, const Fd& event) override {
        // Fails only for a binding that is not there, which is what the caller wants.
        static_cast<void>(vm_.detach_ioeventfd(address, event));
    }

  private:
    const VmFd& vm_;
};

}  // namespace sheaf::vmm
