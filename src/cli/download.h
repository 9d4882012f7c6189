#pragma once

// Why: images are published at URLs. Fetching one is another program's work, so that no TLS and no
// parser of a stranger's headers is in the binary that runs guests.

#include <string>
#include <string_view>

#include "base/fd.h"
#include "cli/progress.h"
#include "storage/pool/pool.h"

namespace sheaf::cli {

// Whether it is a URL of http or https, and no path.
bool is_url(std::string_view text);

// Fetches the URL by curl(1) into a file without a name in the pool, following redirections to
// other URLs of http and https alone. Nothing is left behind, whenever it ends; curl ends when this
// process does. Blocks. Fails with unavailable, saying what curl says, or that there is no curl;
// with exhausted where it would pass the pool's hard stop.
Result<Fd> download(const std::string& url, const pool::Pool& pool, ProgressLine& line);

}  // namespace sheaf::cli
