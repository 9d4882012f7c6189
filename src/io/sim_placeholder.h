#pragma once

// Why: the code under simulation owns its descriptors as Fd and closes them like any other. So a
// simulated descriptor is one end of a real socket pair that carries nothing; the simulation keeps
// the other end, and learns from it when the last owner has closed.

#include "base/fd.h"

namespace sheaf::io {

struct SimPlaceholder {
    static Result<SimPlaceholder> create();
    bool closed() const;  // whether `given`, once handed out, has been closed by its owner

    Fd given;
    Fd kept;
};

}  // namespace sheaf::io
