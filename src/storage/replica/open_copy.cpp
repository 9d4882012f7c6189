#include "storage/replica/open_copy.h"

#include "storage/pool/engine.h"

namespace sheaf::replica {

// Nobody is served by a control socket: what a volume is asked there, a copy does for its engine
// alone. Whoever looks finds the lock held and nobody listening.
io::Task<std::unique_ptr<OpenCopy>> OpenCopy::open(io::Loop& loop, const pool::Pool& pool,
                                                   pool::Holding holding) {
    auto opened = std::unique_ptr<OpenCopy>{new OpenCopy{std::move(holding)}};
    opened->volume_ =
        co_await pool::open_volume(loop, pool, opened->holding_, opened->layers_, pool::Part::copy);
    opened->copy_ = std::make_unique<LocalReplica>(loop, *opened->volume_);
    static_cast<void>(opened->holding_.lock().begin_serving());
    co_return opened;
}

io::Task<void> OpenCopy::shut_down() {
    static_cast<void>(holding_.lock().end_serving());
    copy_.reset();
    const auto volume = std::exchange(volume_, nullptr);
    auto closed = co_await volume->shut_down().result();
    if (!closed) co_await Failure{std::move(closed).error().within("volume " + name())};
}

}  // namespace sheaf::replica
