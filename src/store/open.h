#pragma once

// Why: which store a process uses is one word of its command line (`--kv`).

#include "io/loop.h"
#include "io/tls_context.h"
#include "store/kv.h"

namespace sheaf::kv {

struct StoreLocation {
    std::string text;  // sqlite:FILE or etcd:URL[,URL]...
    io::TlsFiles tls;  // of etcd, where a URL begins with https
};

// Opens the store that the location names; of etcd nobody is asked yet. Fails with invalid where it
// is no location, else as SqliteKv::open() and EtcdKv::create().
io::Task<std::unique_ptr<Kv>> open_store(io::Loop& loop, StoreLocation location);

}  // namespace sheaf::kv
