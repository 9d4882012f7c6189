#pragma once

// Why: a volume under its name, and each of its snapshots behind an '@'.

#include "storage/nbd/exports.h"
#include "storage/volume/volume.h"

namespace sheaf::nbd {

// Loop thread only. The volume outlives it, and what it opens.
class VolumeExports final : public Exports {
  public:
    VolumeExports(volume::Volume& volume, std::string name, bool read_only)
        : volume_(volume), name_(std::move(name)), read_only_(read_only) {}

    std::vector<Listed> list() override;
    io::Task<Export> open(std::string name) override;

  private:
    class Kept;
    Result<Export> whole();
    Result<Export> snapshot(std::string_view name);
    Result<void> add_changes(Export& exported, Kept& kept, std::string_view name) const;
    Failure unknown(std::string_view name) const;

    volume::Volume& volume_;
    std::string name_;
    bool read_only_;
};

}  // namespace sheaf::nbd
