#pragma once

// Why: deleting a namespace deletes what is in it, however much that is and whatever happens
// meanwhile: what is seen in the store decides, so a start after a crash goes on (docs/api.md,
// Namespaces).

#include "api/objects.h"
#include "base/log.h"
#include "io/loop.h"

namespace sheaf::api {

// Loop thread only. Whatever is passed outlives it.
class NamespaceSweeper {
  public:
    NamespaceSweeper(io::Loop& loop, Objects& objects, const Logger& logger)
        : loop_(loop), objects_(objects), logger_(logger) {}

    // Sweeps whenever a namespace was stirred, and once at first. Until it is cancelled.
    io::Task<void> run();

  private:
    io::Task<void> sweep_all();
    io::Task<void> sweep(std::string name);
    io::Task<bool> empty(std::string name, const Kind& kind);

    io::Loop& loop_;
    Objects& objects_;
    const Logger& logger_;
};

}  // namespace sheaf::api
