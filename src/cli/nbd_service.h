#pragma once

// Why: whatever disk a verb serves by NBD, it listens, ends and says so in the same way.

#include "cli/options.h"
#include "io/task.h"
#include "storage/nbd/listener.h"
#include "storage/nbd/server.h"

namespace sheaf::cli {

inline constexpr Option nbd_socket_option = {"socket", "PATH",
                                             "listen at a unix socket that is made there"};
inline constexpr Option listen_option = {
    "listen", "ADDRESS:PORT", "listen at a loopback address, for example 127.0.0.1:10809"};

// Where the options say.
Result<nbd::Listener> listen_for_nbd(const Arguments& arguments);

// What is served, and what else ends it than a signal.
struct NbdService {
    nbd::Exports& exports;
    std::string what;  // "volume root"
    int signals = -1;
};
// Says where it is served, and does so until a signal, or until `over` ends. Loop thread only.
io::Task<void> serve_nbd(io::Loop& loop, const nbd::Listener& listener, NbdService service,
                         io::Task<void> over);
io::Task<void> serve_nbd(io::Loop& loop, const nbd::Listener& listener, NbdService service);

}  // namespace sheaf::cli
