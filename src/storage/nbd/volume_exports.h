#pragma once

// Why: a volume under its name.

#include "storage/nbd/exports.h"
#include "storage/volume/volume.h"

namespace sheaf::nbd {

// Loop thread only. The volume outlives it.
class VolumeExports final : public Exports {
  public:
    VolumeExports(volume::Volume& volume, std::string name, bool read_only)
        : volume_(volume), name_(std::move(name)), read_only_(read_only) {}

    std::vector<Listed> list() override;
    io::Task<Export> open(std::string name) override;

  private:
    volume::Volume& volume_;
    std::string name_;
    bool read_only_;
};

}  // namespace sheaf::nbd
