#pragma once

// Why: a guest's write to a queue's notify address should wake the I/O loop without leaving KVM.

#include "base/fd.h"
#include "base/units.h"

namespace sheaf::vmm {

// Binds eventfds to guest memory addresses (KVM_IOEVENTFD). Any thread.
class Doorbells {
  public:
    // From now on a guest write of any length at `address` adds one to the eventfd `event`.
    virtual Result<void> attach(Gpa address, const Fd& event) = 0;
    virtual void detach(Gpa address, const Fd& event) = 0;

  protected:
    ~Doorbells() = default;
};

}  // namespace sheaf::vmm
