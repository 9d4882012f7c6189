#include "io/make_loop.h"

#include "io/pool_loop.h"
#include "io/uring_loop.h"

namespace sheaf::io {

Result<std::unique_ptr<Loop>> make_loop() {
    if (auto uring = UringLoop::create()) return *std::move(uring);
    return TRY(PoolLoop::create());
}

}  // namespace sheaf::io
