#pragma once

// Why: what an engine was asked to do to all copies lives on its own: it is made again until every
// copy that counts has it, and goes on when who asked has gone, for half of it may have been done.

#include "io/event.h"
#include "storage/aligned_buffer.h"

namespace sheaf::replica {

enum class Deed : std::uint8_t { write, flush, discard, zero_keep, zero_release };

struct EngineRequest {
    Deed deed = Deed::flush;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    storage::AlignedBuffer content{0};
    Result<void> outcome;
    bool over = false;
    io::Event done;
};

}  // namespace sheaf::replica
