#include "storage/replica/pool_copies.h"

#include "io/make_loop.h"
#include "storage/pool/engine.h"

namespace sheaf::replica {

namespace {

using pool::Shelf;

constexpr std::string_view our_verb = "replica serve";

// Which volume of the pool is this node's copy with that id. Blocks.
Result<std::string> find_copy(const pool::Pool& pool, const volume::Id& id) {
    for (auto& name : TRY(pool.names(Shelf::volumes))) {
        const auto directory = pool.find(Shelf::volumes, name);
        if (!directory) continue;
        const auto about = pool::read_volume_about(*directory);
        if (about && about->node && about->id == pool::to_text(id)) return std::move(name);
    }
    return fail(Kind::not_found, "no such volume is here");
}

Result<void> check_node(const pool::Pool& pool, const std::string& name, const std::string& node) {
    const auto directory = TRY(pool.find(Shelf::volumes, name));
    const auto about = TRY(pool::read_volume_about(directory));
    if (about.node == node) return {};
    return fail(Kind::denied, "volume {}: the copy in this pool is of node {}, not {}", name,
                about.node.value_or("?"), node);
}

Result<pool::Holding> hold_copy(const pool::Pool& pool, const volume::Id& id,
                                const std::string& node) {
    const auto name = TRY(find_copy(pool, id));
    TRY(check_node(pool, name, node));
    return pool.hold(Shelf::volumes, name, our_verb, pool::Part::copy);
}

// What is there of that name and is this very copy is made already.
Result<void> make(const pool::Pool& pool, pool::NewCopy wanted) {
    const auto there = find_copy(pool, wanted.id);
    if (there && *there == wanted.name) return check_node(pool, wanted.name, wanted.node);
    const auto loop = TRY(io::make_loop());
    return io::run(*loop, pool::create_copy(*loop, pool, std::move(wanted)));
}

Result<void> remove_it(const pool::Pool& pool, const CopyRequest& gone) {
    const auto name = find_copy(pool, gone.volume);
    if (!name && name.error().kind() == Kind::not_found) return {};
    const auto held = TRY(hold_copy(pool, gone.volume, gone.node));
    return pool.remove(held, Shelf::volumes);
}

}  // namespace

class PoolCopies::Use final : public CopyUse {
  public:
    Use(PoolCopies& copies, const volume::Id& id, Entry& entry)
        : copies_(copies), id_(id), entry_(entry) {
        ++entry_.uses;
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() override {
        if (--entry_.uses == 0) copies_.let_go(id_);
    }
    LocalReplica& copy() override { return entry_.copy->copy(); }

  private:
    PoolCopies& copies_;
    volume::Id id_;
    Entry& entry_;
};

// Keeps an entry, also one that failed.
class PoolCopies::Waiting {
  public:
    explicit Waiting(Entry& entry) : entry_(entry) { ++entry_.waiting; }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() { --entry_.waiting; }

  private:
    Entry& entry_;
};

// Whoever comes while it is being opened hears how that ended; who comes later has it tried again.
io::Task<std::unique_ptr<CopyUse>> PoolCopies::open(volume::Id volume, std::string node) {
    if (!node.empty() && node != setting_.node)
        co_await fail(Kind::denied, "this is node {}, not {}", setting_.node, node);
    std::erase_if(entries_, [](const auto& entry) {
        return entry.second.state == State::failed && entry.second.waiting == 0;
    });
    const auto [place, is_new] = entries_.try_emplace(volume);
    auto& entry = place->second;
    if (is_new) work_.start(open_entry(volume, entry));
    const Waiting waiting{entry};
    while (entry.state != State::open) {
        if (entry.state == State::failed) co_await Failure{Error{*entry.error}};
        co_await changed_.wait();
    }
    co_return std::make_unique<Use>(*this, volume, entry);
}

// In a task of its own: a connection that ends meanwhile does not leave half of it.
io::Task<void> PoolCopies::open_entry(volume::Id id, Entry& entry) {
    auto opened = co_await open_copy(id).result();
    entry.state = opened ? State::open : State::failed;
    if (opened) {
        entry.copy = *std::move(opened);
        setting_.authority.add(id, entry.copy->name());
    } else {
        entry.error.emplace(opened.error());
    }
    changed_.wake();
    if (entry.state == State::open && entry.uses == 0) let_go(id);
}

io::Task<std::unique_ptr<OpenCopy>> PoolCopies::open_copy(volume::Id id) {
    auto take = [&pool = setting_.pool, id, node = setting_.node] {
        return hold_copy(pool, id, node);
    };
    auto held = co_await setting_.side.call(std::move(take));
    co_return co_await OpenCopy::open(setting_.loop, setting_.pool, std::move(held));
}

void PoolCopies::let_go(const volume::Id& id) {
    auto& entry = entries_.at(id);
    entry.state = State::closing;
    work_.start(close_entry(id, entry));
}

// One that could not be closed is recovered by its next opening, as after a crash.
io::Task<void> PoolCopies::close_entry(volume::Id id, Entry& entry) {
    const auto closed = co_await entry.copy->shut_down().result();
    if (!closed)
        setting_.logger.error("a copy could not be closed",
                              {{"volume", entry.copy->name()}, {"reason", closed.error().text()}});
    entry.copy.reset();
    if (entry.waiting == 0) {
        entries_.erase(id);
        changed_.wake();
        co_return;
    }
    entry.state = State::opening;
    work_.start(open_entry(id, entry));
}

// The record of copies, where it asks for this of this node; denied where it does not.
io::Task<CopiesRecord> PoolCopies::expect(CopyRequest request, CopiesState state) {
    if (request.node != setting_.node)
        co_await fail(Kind::denied, "this is node {}, not {}", setting_.node, request.node);
    auto key = copies_key(request.name);
    const auto found = co_await setting_.store.get(std::move(key));
    if (!found) co_await fail(Kind::denied, "the store has no volume {}", request.name);
    auto record = co_await parse_copies(found->value);
    if (record.id != text_of(request.volume) || record.state != state || !record.find(request.node))
        co_await fail(Kind::denied, "the store does not ask for that of the copy of {}",
                      request.name);
    co_return record;
}

io::Task<void> PoolCopies::create(CopyRequest wanted, std::uint64_t size) {
    const auto record = co_await expect(wanted, CopiesState::creating);
    if (record.size != size)
        co_await fail(Kind::denied, "{} bytes of a volume of {}", size, record.size);
    pool::NewCopy copy{wanted.name, wanted.volume, size, wanted.node};
    auto work = [&pool = setting_.pool, copy = std::move(copy)] { return make(pool, copy); };
    co_await setting_.side.call(std::move(work));
    setting_.logger.info("a copy was made", {{"volume", wanted.name}});
}

io::Task<void> PoolCopies::remove(CopyRequest gone) {
    static_cast<void>(co_await expect(gone, CopiesState::deleting));
    while (true) {
        const auto found = entries_.find(gone.volume);
        if (found == entries_.end() || found->second.state == State::failed) break;
        if (found->second.state == State::open)
            co_await fail(Kind::conflict, "volume {}: an engine has it open", gone.name);
        co_await changed_.wait();
    }
    auto work = [&pool = setting_.pool, gone] { return remove_it(pool, gone); };
    co_await setting_.side.call(std::move(work));
    setting_.logger.info("a copy was removed", {{"volume", gone.name}});
}

io::Task<void> PoolCopies::shut_down() {
    static_cast<void>(co_await work_.join().result());  // each tells its own
}

}  // namespace sheaf::replica
