#pragma once

// Why: a copy is sealed only by the engine that the membership record names. A server asks this
// whether it is the one, so that what it stands on, a store or a test, is not its business.

#include <map>

#include "storage/replica/membership.h"
#include "store/kv.h"

namespace sheaf::replica {

class Authority {
  public:
    virtual ~Authority() = default;
    // Fails with denied or conflict where `node` is not the engine of this epoch, with unavailable
    // where that cannot be found out.
    virtual io::Task<void> check(volume::Id volume, std::string node, std::uint64_t epoch) = 0;
};

// Looks at the record each time: a seal is rare. Loop thread only; the store outlives it.
class RecordedAuthority final : public Authority {
  public:
    explicit RecordedAuthority(kv::Kv& store) : store_(store) {}

    // By which name the store knows the volume.
    void add(const volume::Id& volume, std::string name) { names_[volume] = std::move(name); }
    io::Task<void> check(volume::Id volume, std::string node, std::uint64_t epoch) override;

  private:
    kv::Kv& store_;
    std::map<volume::Id, std::string> names_;
};

}  // namespace sheaf::replica
