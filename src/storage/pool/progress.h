#pragma once

// Why: long work says how far it has come to whoever shows it, a terminal or a client.

#include "storage/pool/control_protocol.h"

namespace sheaf::pool {

class ProgressSink {
  public:
    virtual ~ProgressSink() = default;
    virtual void progressed(const ControlProgress& progress) = 0;
};

}  // namespace sheaf::pool
