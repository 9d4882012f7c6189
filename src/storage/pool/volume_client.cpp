#include "storage/pool/volume_client.h"

#include "base/json.h"
#include "storage/pool/control_socket.h"

namespace sheaf::pool {

namespace {

constexpr auto progress_interval = std::chrono::milliseconds{500};
constexpr auto patience = std::chrono::seconds{2};
constexpr auto look_interval = std::chrono::milliseconds{10};

io::Task<void> watch(io::Loop& loop, const volume::Volume& engine, ProgressSink& sink) {
    const Conversation nothing_else;
    while (true) {
        const auto progress = progress_of(engine, nothing_else);
        if (progress) sink.progressed(*progress);
        co_await loop.sleep(progress_interval);
    }
}

// Whether it leaves something to be merged away, which nobody does while the volume is at rest.
bool leaves_work(ControlVerb verb) {
    return verb == ControlVerb::snapshot_delete || verb == ControlVerb::snapshot_revert;
}

io::Task<VolumeStatus> work(io::Loop& loop, OpenVolume& volume, ControlRequest request) {
    NoUser user;
    Conversation alone;
    const Workplace here{loop, volume.engine(), user};
    co_await volume.serve();
    const auto unfinished = leaves_work(request.request);
    auto status = co_await perform(here, std::move(request), alone);
    if (!unfinished) co_return status;
    co_await volume.engine().wait_idle();
    co_return co_await perform(here, ControlRequest{}, alone);
}

io::Task<VolumeStatus> do_here(io::Loop& loop, const Pool& pool, Holding holding,
                               ControlRequest request, ProgressSink& sink) {
    NoUser user;
    auto volume = co_await OpenVolume::open(loop, pool, std::move(holding), user);
    io::TaskGroup watching;
    watching.start(watch(loop, volume->engine(), sink));
    auto status = co_await work(loop, *volume, std::move(request)).result();
    watching.cancel();
    static_cast<void>(co_await watching.join().result());  // its end was asked for
    auto closed = co_await volume->shut_down().result();
    auto found = co_await std::move(status);
    co_await std::move(closed);
    co_return found;
}

Failure went_away() {
    return fail(Kind::unavailable, "the process that has the volume open went away");
}

io::Task<void> be_greeted(LineChannel& channel) {
    const auto line = co_await channel.receive();
    if (!line) co_await went_away();
    co_await check_hello(*line);
}

// None where nobody greets: whoever was about to has ended, or does not serve.
io::Task<std::optional<LineChannel>> connect(io::Loop& loop, const Directory& directory) {
    auto socket = connect_to_control(directory);
    if (!socket) co_return std::nullopt;
    LineChannel channel{loop, *std::move(socket), control_reply_limit};
    auto greeted = co_await be_greeted(channel).result();
    if (greeted) co_return std::move(channel);
    if (greeted.error().kind() == Kind::unsupported) co_await std::move(greeted);
    co_return std::nullopt;
}

}  // namespace

// Who holds the lock serves, or is about to end; then the next one to hold it does. Of one that was
// killed the kernel takes the socket before the lock, and says of neither when. One that goes on
// refusing serves nobody.
io::Task<Reached> reach(io::Loop& loop, const Pool& pool, Shelf shelf, std::string name,
                        std::string verb) {
    const auto what = fmt::format("{} {}", noun_of(shelf), name);
    std::optional<Holder> refused_by;
    io::TimePoint since{};
    Reached reached;
    while (true) {
        reached.held = co_await pool.try_hold(shelf, name, verb);
        if (reached.held) co_return reached;
        const auto directory = co_await pool.find(shelf, name);
        const auto holder = co_await holder_of(directory);
        auto connected = co_await connect(loop, directory).result();
        if (!connected) co_await told_of(what, Error{connected.error()});
        reached.engine = *std::move(connected);
        reached.holder = holder.value_or(Holder{}).text();
        if (reached.engine) co_return reached;
        if (!holder || holder != refused_by) since = loop.now();
        if (loop.now() - since > patience)
            co_await fail(Kind::conflict, "{}: in use by {}, which takes no requests", what,
                          reached.holder);
        refused_by = holder;
        co_await loop.sleep(look_interval);
    }
}

io::Task<VolumeStatus> ask(LineChannel& engine, ControlRequest request, ProgressSink& sink) {
    co_await engine.send(encode(request));
    while (true) {
        const auto line = co_await engine.receive();
        if (!line) co_await went_away();
        auto reply = co_await parse_reply(*line);
        if (reply.progress) sink.progressed(*reply.progress);
        if (reply.error)
            co_await Failure{
                Error{parse_kind(reply.error->kind).value_or(Kind::io), reply.error->detail}};
        if (reply.result) co_return *std::move(reply.result);
    }
}

Failure told_of(const std::string& what, Error error) {
    if (error.text().starts_with(what + ":")) return Failure{std::move(error)};
    return Failure{std::move(error).within(what)};
}

io::Task<VolumeStatus> run_errand(io::Loop& loop, const Pool& pool, Errand errand,
                                  ProgressSink& sink) {
    auto reached = co_await reach(loop, pool, Shelf::volumes, errand.volume, errand.verb);
    auto doing = reached.held ? do_here(loop, pool, *std::move(reached.held), errand.request, sink)
                              : ask(*reached.engine, errand.request, sink);
    auto status = co_await std::move(doing).result();
    if (!status) co_await told_of("volume " + errand.volume, Error{status.error()});
    co_return *std::move(status);
}

}  // namespace sheaf::pool
