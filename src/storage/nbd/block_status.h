#pragma once

// Why: a client that copies or saves a disk asks what there is to copy.

#include <cstddef>
#include <span>

#include "storage/nbd/meta_contexts.h"
#include "storage/nbd/reply.h"

namespace sheaf::nbd {

constexpr std::size_t most_extents = 4096;  // of one context in a reply
constexpr std::size_t bytes_per_extent = 8;

// One chunk for each context. Fails as the disk does.
io::Task<Reply> block_status(Request request, std::span<const MetaContext> contexts);

}  // namespace sheaf::nbd
