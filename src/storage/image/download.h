#pragma once

// Why: images are published at URLs. Fetching one is another program's work, so that no TLS and no
// parser of a stranger's headers is in the binary that runs guests.

#include <functional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "io/loop.h"
#include "io/task.h"
#include "storage/pool/pool.h"

namespace sheaf::image {

// Whether it is a URL of http or https, and no path.
bool is_url(std::string_view text);

// Bytes that have come, of how many nobody knows.
using Fetched = std::function<void(std::uint64_t bytes)>;

// Fetches the URL by curl(1) into a file without a name in the pool, following redirections to
// other URLs of http and https alone. Nothing is left behind, whenever it ends; curl ends when this
// process does, or the task. Fails with unavailable, saying what curl says, or that there is no
// curl; with exhausted where it would pass the pool's hard stop. Loop and pool outlive the task.
io::Task<Fd> download(io::Loop& loop, std::string url, const pool::Pool& pool, Fetched fetched);

}  // namespace sheaf::image
