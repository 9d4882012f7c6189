#pragma once

// Why: the pool of this host. Its calls block for as long as a file system takes, so each piece of
// work has a thread of its own; an idle daemon has none.

#include "control/pool_service.h"
#include "io/loop.h"

namespace sheaf::control {

class LocalPool final : public PoolService {
  public:
    // The pool is made in this directory when something is first put into it. The loop outlives it.
    LocalPool(io::Loop& loop, std::string state_directory)
        : loop_(loop), state_directory_(std::move(state_directory)) {}

    io::Task<std::optional<DiskFacts>> find_volume(std::string name) override;
    io::Task<std::optional<DiskFacts>> find_image(std::string name, ImageType type) override;
    io::Task<void> create(NewDisk wanted) override;
    io::Task<void> grow(std::string volume, std::uint64_t size) override;
    io::Task<void> remove_volume(std::string name) override;
    io::Task<void> remove_image(std::string name, ImageType type) override;
    io::Task<void> take_snapshot(std::string volume, std::string name) override;
    io::Task<void> remove_snapshot(std::string volume, std::string name) override;
    io::Task<void> import(NewImage wanted, ImportProgress& progress) override;

    std::string pool_path() const { return state_directory_ + "/pool"; }
    // Of an image of kind kernel: a file.
    std::string kernel_path(std::string_view name) const {
        return state_directory_ + "/kernels/" + std::string{name};
    }

  private:
    io::Loop& loop_;
    std::string state_directory_;
};

}  // namespace sheaf::control
