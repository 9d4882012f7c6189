#pragma once

// Why: everything a virtual machine uses is opened by its keeper, before the VMM starts, so that
// every mistake in a path, a name or a permission is one clear error and nothing is left behind.

#include "base/fd.h"
#include "node/run_options.h"
#include "node/vmm_spec.h"

namespace sheaf::node {

// Open descriptors, and the specification that names them by number. The console's number is set
// for each start of a VMM.
class Resources {
  public:
    // Opens all that the options name. An error says what could not be opened and why.
    static Result<Resources> open(const RunOptions& options);

    const VmmSpec& spec() const { return spec_; }
    // The numbers of all descriptors in spec().
    std::vector<int> descriptors() const;

  private:
    int keep(Fd descriptor);
    Result<void> open_disks(const RunOptions& options);

    VmmSpec spec_;
    std::vector<Fd> owned_;
};

}  // namespace sheaf::node
