#pragma once

// Why: everything a virtual machine uses is opened by its keeper, before the VMM starts, so that
// every mistake in a path, a name or a permission is one clear error and nothing is left behind.

#include <map>

#include "base/fd.h"
#include "node/held_volume.h"
#include "node/run_options.h"
#include "node/vmm_spec.h"

namespace sheaf::node {

// A path that is removed with its owner.
class OwnedPath {
  public:
    explicit OwnedPath(std::string path) : path_(std::move(path)) {}
    OwnedPath(OwnedPath&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    OwnedPath& operator=(OwnedPath&& other) noexcept {
        std::swap(path_, other.path_);
        return *this;
    }
    ~OwnedPath();

  private:
    std::string path_;
};

// Open descriptors, and the specification that names them by number. What belongs to one VMM alone
// is added for each start: the console, the vsock's dial channel, the files of volumes.
class Resources {
  public:
    // Opens all that the options name. An error says what could not be opened and why.
    static Result<Resources> open(const RunOptions& options);

    const VmmSpec& spec() const { return spec_; }
    // The numbers of all descriptors in spec().
    std::vector<int> descriptors() const;
    // The volumes, by the index of their disks in spec().
    const std::map<std::size_t, std::unique_ptr<HeldVolume>>& volumes() const { return volumes_; }

  private:
    int keep(Fd descriptor);
    Result<void> open_disks(const RunOptions& options);
    Result<DiskSpec> open_disk(const DiskOption& option, std::vector<std::string>& complaints);

    VmmSpec spec_;
    std::vector<Fd> owned_;
    std::vector<OwnedPath> paths_;
    std::map<std::size_t, std::unique_ptr<HeldVolume>> volumes_;
};

}  // namespace sheaf::node
