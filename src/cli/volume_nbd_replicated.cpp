#include "cli/volume_nbd_replicated.h"

#include "base/bytes.h"
#include "cli/nbd_service.h"
#include "cli/pool_verb.h"
#include "cli/stop_signal.h"
#include "storage/nbd/volume_exports.h"
#include "storage/replica/announcement.h"
#include "storage/replica/messages.h"
#include "storage/replica/node_ways.h"
#include "storage/replica/open_copy.h"

namespace sheaf::cli {

namespace {

constexpr std::string_view our_verb = "volume nbd";

// The engine under the volume's name.
class EngineExports final : public nbd::Exports {
  public:
    EngineExports(replica::ReplicatedVolume& engine, std::string name, bool read_only)
        : engine_(engine), name_(std::move(name)), read_only_(read_only) {}

    std::vector<nbd::Listed> list() override { return {{name_, "the volume as it is"}}; }
    io::Task<nbd::Export> open(std::string name) override {
        if (!name.empty() && name != name_)
            co_await fail(Kind::not_found, "no export {:?}; this server has volume {}", name,
                          name_);
        nbd::Export exported;
        exported.name = name_;
        exported.description = "the volume as it is";
        exported.block = &engine_;
        exported.read_only = read_only_;
        exported.fast_zero_unit = volume::block_size;
        co_return exported;
    }

  private:
    replica::ReplicatedVolume& engine_;
    std::string name_;
    bool read_only_;
};

struct Wanted {
    std::string name;
    std::string node;
    std::string pool;  // empty: there is no copy here
    bool read_only = false;
    int signals = -1;
};

Result<Wanted> parse(const Arguments& arguments) {
    Wanted wanted;
    wanted.name = arguments.operand(0);
    wanted.node = TRY(arguments.one("node"));
    if (wanted.node.empty()) return fail(Kind::invalid, "--node is missing");
    TRY_WITHIN(replica::check_node_name(wanted.node), "--node");
    wanted.pool = TRY(arguments.one("pool"));
    wanted.read_only = arguments.has("readonly");
    return wanted;
}

io::Task<replica::CopiesRecord> find_copies(kv::Kv& store, std::string name) {
    auto key = replica::copies_key(name);
    const auto found = co_await store.get(std::move(key));
    if (!found) co_await fail(Kind::not_found, "volume {}: the store has none of that name", name);
    auto record = co_await replica::parse_copies(found->value);
    if (record.state != replica::CopiesState::kept)
        co_await fail(Kind::conflict, "volume {}: was begun or deleted, and not to the end", name);
    co_return record;
}

// None where another process serves it: then it is reached as those of other nodes are.
Result<std::optional<pool::Holding>> hold_here(const pool::Pool& pool, const Wanted& wanted,
                                               const replica::CopiesRecord& record) {
    const auto directory = TRY(pool.find(pool::Shelf::volumes, wanted.name));
    const auto about = TRY(pool::read_volume_about(directory));
    if (about.id != record.id || about.node != wanted.node)
        return fail(Kind::invalid, "volume {}: what is in pool {} is no copy of node {}",
                    wanted.name, pool.path(), wanted.node);
    return pool.try_hold(pool::Shelf::volumes, wanted.name, our_verb, pool::Part::copy);
}

io::Task<std::unique_ptr<replica::OpenCopy>> open_here(io::Loop& loop, const pool::Pool* pool,
                                                       const Wanted& wanted,
                                                       replica::CopiesRecord record) {
    if (!pool) co_return nullptr;
    auto held = co_await hold_here(*pool, wanted, record);
    if (!held) co_return nullptr;
    co_return co_await replica::OpenCopy::open(loop, *pool, *std::move(held));
}

io::Task<void> end_on_signal(io::Loop& loop, int signals, io::TaskGroup& work) {
    co_await wait_for_signal(loop, signals);
    work.cancel();
}

io::Task<void> keep_engine(io::Task<std::unique_ptr<replica::ReplicatedVolume>> opening,
                           std::unique_ptr<replica::ReplicatedVolume>& into) {
    into = co_await std::move(opening);
}

// May take long, where too few copies are there; a signal ends that. None: it did.
io::Task<std::unique_ptr<replica::ReplicatedVolume>> activate(
    io::Loop& loop, int signals, io::Task<std::unique_ptr<replica::ReplicatedVolume>> opening) {
    std::unique_ptr<replica::ReplicatedVolume> engine;
    io::TaskGroup work;
    io::TaskGroup waiting;
    work.start(keep_engine(std::move(opening), engine));
    waiting.start(end_on_signal(loop, signals, work));
    auto opened = co_await work.join().result();
    const auto told_to_end = work.cancelled();
    waiting.cancel();
    static_cast<void>(co_await waiting.join().result());  // its end was asked for
    if (!told_to_end) co_await std::move(opened);
    co_return engine;
}

io::Task<void> announce_and_serve(io::Loop& loop, kv::Kv& store, replica::ReplicatedVolume& engine,
                                  const nbd::Listener& listener, const Wanted& wanted) {
    EngineExports exports{engine, wanted.name, wanted.read_only};
    replica::Announcement announcement{loop, store, wanted.name, engine};
    io::TaskGroup telling;
    telling.start(announcement.run());
    NbdService service{exports, "volume " + wanted.name, wanted.signals};
    auto served =
        co_await serve_nbd(loop, listener, std::move(service), engine.wait_ended()).result();
    telling.cancel();
    static_cast<void>(co_await telling.join().result());  // its end was asked for
    co_await announcement.end();
    co_await std::move(served);
    if (engine.ended()) co_await Failure{Error{*engine.ended()}.within("volume " + wanted.name)};
}

io::Task<void> serve_engine(io::Loop& loop, ClusterAccess& access, const Wanted& wanted,
                            const nbd::Listener& listener, replica::NodeWays& ways) {
    replica::EngineOptions options;
    options.volume = wanted.name;
    options.node = wanted.node;
    const auto drawn = co_await pool::make_id();
    options.instance = load<std::uint64_t>(std::as_bytes(std::span{drawn}).first(8)) >> 1;
    auto opening = replica::ReplicatedVolume::open(loop, access.store(), ways, std::move(options));
    const auto engine = co_await activate(loop, wanted.signals, std::move(opening));
    if (!engine) co_return;
    auto served =
        co_await announce_and_serve(loop, access.store(), *engine, listener, wanted).result();
    co_await engine->shut_down();
    co_await std::move(served);
}

io::Task<void> serve(io::Loop& loop, ClusterAccess& access, const Wanted& wanted,
                     const nbd::Listener& listener, const pool::Pool* pool) {
    const auto record = co_await find_copies(access.store(), wanted.name);
    const auto here = co_await open_here(loop, pool, wanted, record);
    replica::NodeWays ways{access.dialer(), record, wanted.node, here ? &here->copy() : nullptr};
    auto served = co_await serve_engine(loop, access, wanted, listener, ways).result();
    auto closed = Result<void>{};
    if (here) closed = co_await here->shut_down().result();
    co_await std::move(served);
    co_await std::move(closed);
}

io::Task<void> serve_as_it_is(io::Loop& loop, const pool::Pool& pool, pool::Holding held,
                              const Arguments& arguments, int signals) {
    const auto listener = co_await listen_for_nbd(arguments);
    const auto copy = co_await replica::OpenCopy::open(loop, pool, std::move(held));
    const auto& name = arguments.operand(0);
    nbd::VolumeExports exports{copy->volume(), name, true};
    NbdService service{exports, "the copy of volume " + name, signals};
    auto served = co_await serve_nbd(loop, listener, std::move(service)).result();
    auto closed = co_await copy->shut_down().result();
    co_await std::move(served);
    co_await std::move(closed);
}

}  // namespace

Result<void> serve_replicated(const Arguments& arguments) {
    auto wanted = TRY(parse(arguments));
    const auto cluster = TRY(parse_cluster_options(arguments));
    const auto listener = TRY(listen_for_nbd(arguments));
    std::unique_ptr<pool::Pool> pool;
    if (!wanted.pool.empty()) pool = TRY(pool::Pool::open(wanted.pool));
    const auto loop = TRY(io::make_loop());
    const auto signals = TRY(open_stop_signals());
    wanted.signals = signals.get();
    auto work = [&](ClusterAccess& access) {
        return serve(*loop, access, wanted, listener, pool.get());
    };
    return io::run(*loop, with_cluster(*loop, cluster, std::move(work)));
}

Result<void> serve_copy(const Arguments& arguments) {
    const auto pool = TRY(open_pool(arguments));
    auto held =
        TRY(pool->hold(pool::Shelf::volumes, arguments.operand(0), our_verb, pool::Part::copy));
    const auto loop = TRY(io::make_loop());
    const auto signals = TRY(open_stop_signals());
    return io::run(*loop, serve_as_it_is(*loop, *pool, std::move(held), arguments, signals.get()));
}

}  // namespace sheaf::cli
