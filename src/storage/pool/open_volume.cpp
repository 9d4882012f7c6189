#include "storage/pool/open_volume.h"

#include "storage/pool/control_socket.h"
#include "storage/pool/engine.h"

namespace sheaf::pool {

io::Task<std::unique_ptr<OpenVolume>> OpenVolume::open(io::Loop& loop, const Pool& pool,
                                                       Holding holding, VolumeUser& user) {
    auto volume = std::unique_ptr<OpenVolume>{new OpenVolume{loop, std::move(holding), user}};
    volume->engine_ = co_await open_volume(loop, pool, volume->holding_, volume->layers_);
    co_return volume;
}

io::Task<void> OpenVolume::serve() {
    auto listener = co_await listen_for_control(holding_.directory());
    const ControlServer::Served served{*engine_, user_, holding_.name()};
    server_.emplace(loop_, std::move(listener), served);
    co_await holding_.lock().begin_serving();
}

io::Task<void> OpenVolume::shut_down() {
    // Whoever is refused from now on waits for the lock.
    static_cast<void>(holding_.lock().end_serving());
    static_cast<void>(remove_control(holding_.directory()));
    if (server_) co_await server_->stop();
    const auto engine = std::exchange(engine_, nullptr);
    auto outcome = co_await engine->shut_down().result();
    if (!outcome) co_await Failure{std::move(outcome).error().within("volume " + holding_.name())};
}

}  // namespace sheaf::pool
