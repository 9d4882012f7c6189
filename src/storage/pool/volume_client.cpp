#include "storage/pool/volume_client.h"

#include "base/json.h"
#include "storage/pool/control_socket.h"

namespace sheaf::pool {

namespace {

constexpr auto progress_interval = std::chrono::milliseconds{500};

io::Task<void> watch(io::Loop& loop, const volume::Volume& engine, ProgressSink& sink) {
    while (true) {
        if (engine.merging()) {
            const auto merged = engine.merge_progress();
            sink.progressed({merged.done, merged.total});
        }
        co_await loop.sleep(progress_interval);
    }
}

// What merging is left is done before the volume is given up: nobody else would.
io::Task<VolumeStatus> work(OpenVolume& volume, ControlRequest request) {
    NoUser user;
    std::unique_ptr<volume::View> pinned;
    auto performing = perform(volume.engine(), user, std::move(request), pinned);
    auto status = co_await std::move(performing);
    if (!volume.engine().merging()) co_return status;
    co_await volume.engine().wait_idle();
    ControlRequest again;
    auto looking = perform(volume.engine(), user, again, pinned);
    co_return co_await std::move(looking);
}

io::Task<VolumeStatus> do_here(io::Loop& loop, const Pool& pool, Holding holding,
                               ControlRequest request, ProgressSink& sink) {
    auto volume = co_await OpenVolume::open(loop, pool, std::move(holding));
    io::TaskGroup watching;
    watching.start(watch(loop, volume->engine(), sink));
    auto status = co_await work(*volume, std::move(request)).result();
    watching.cancel();
    static_cast<void>(co_await watching.join().result());
    auto closed = co_await volume->shut_down().result();
    auto found = co_await std::move(status);
    co_await std::move(closed);
    co_return found;
}

Failure went_away() {
    return fail(Kind::unavailable, "the process that has the volume open went away");
}

io::Task<void> check_hello(LineChannel& channel) {
    const auto line = co_await channel.receive();
    if (!line) co_await went_away();
    const auto hello = co_await decode<ControlHello>(*line);
    if (hello.version != control_version)
        co_await fail(Kind::unsupported,
                      "the process that has it open speaks version {}, this program {}",
                      hello.version, control_version);
}

io::Task<VolumeStatus> read_answer(LineChannel& channel, ProgressSink& sink) {
    while (true) {
        const auto line = co_await channel.receive();
        if (!line) co_await went_away();
        auto reply = co_await decode<ControlReply>(*line);
        if (reply.progress) sink.progressed(*reply.progress);
        if (reply.error)
            co_await Failure{
                Error{parse_kind(reply.error->kind).value_or(Kind::io), reply.error->detail}};
        if (reply.result) co_return *std::move(reply.result);
    }
}

Failure told_of(const Errand& errand, Error error) {
    const auto prefix = "volume " + errand.volume;
    if (error.text().starts_with(prefix)) return Failure{std::move(error)};
    return Failure{std::move(error).within(prefix)};
}

}  // namespace

// Who holds the lock serves, or is about to end; then the next one to hold it does. One that holds
// it and refuses twice serves nobody.
io::Task<VolumeStatus> run_errand(io::Loop& loop, const Pool& pool, Errand errand,
                                  ProgressSink& sink) {
    std::optional<Holder> refused_by;
    while (true) {
        auto held = co_await pool.try_hold(Shelf::volumes, errand.volume, errand.verb);
        if (held) {
            auto doing = do_here(loop, pool, *std::move(held), errand.request, sink);
            auto status = co_await std::move(doing).result();
            if (!status) co_await told_of(errand, std::move(status).error());
            co_return *std::move(status);
        }
        const auto directory = co_await pool.find(Shelf::volumes, errand.volume);
        const auto holder = co_await holder_of(directory);
        auto socket = connect_to_control(directory);
        if (socket) {
            LineChannel channel{loop, *std::move(socket)};
            const auto greeted = co_await check_hello(channel).result();
            if (greeted) {
                co_await channel.send(encode(errand.request));
                auto status = co_await read_answer(channel, sink).result();
                if (!status) co_await told_of(errand, std::move(status).error());
                co_return *std::move(status);
            }
            if (greeted.error().kind() == Kind::unsupported)
                co_await told_of(errand, Error{greeted.error()});
        }
        if (holder && holder == refused_by)
            co_await fail(Kind::conflict, "volume {}: in use by {}, which takes no requests",
                          errand.volume, holder->text());
        refused_by = holder;
    }
}

}  // namespace sheaf::pool
