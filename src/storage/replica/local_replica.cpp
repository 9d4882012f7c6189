#include "storage/replica/local_replica.h"

#include <algorithm>
#include <array>

#include "storage/aligned_buffer.h"
#include "storage/checksum.h"
#include "storage/replica/wire.h"

namespace sheaf::replica {

namespace {

constexpr std::uint32_t second_beginning = 0x53686561;

// A digest is made of the checksums of blocks, so that two copies need not send content to compare.
std::uint64_t digest_of(std::span<const std::byte> content) {
    std::uint32_t low = 0;
    std::uint32_t high = second_beginning;
    for (std::size_t at = 0; at < content.size(); at += unit) {
        const auto sum = storage::crc32c(content.subspan(at, unit));
        const auto bytes = std::as_bytes(std::span{&sum, 1});
        low = storage::crc32c(bytes, low);
        high = storage::crc32c(bytes, high);
    }
    return std::uint64_t{high} << 32 | low;
}

}  // namespace

// While one exists no seal is answered.
class LocalReplica::Use {
  public:
    explicit Use(LocalReplica& replica) : replica_(replica) { ++replica_.running_; }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() {
        --replica_.running_;
        replica_.ended_.wake();
    }

  private:
    LocalReplica& replica_;
};

class LocalReplica::Session final : public Replica {
  public:
    explicit Session(LocalReplica& replica) : replica_(replica) {}
    ~Session() override {
        if (replica_.owner_ == this) replica_.owner_ = nullptr;
    }

    io::Task<Sealed> seal(std::uint64_t epoch, std::uint64_t attempt) override {
        return replica_.seal(*this, epoch, attempt);
    }
    io::Task<Status> status() override { co_return replica_.status(); }
    io::Task<void> write(Stamp stamp, std::uint64_t offset, std::span<std::byte> content) override;
    io::Task<void> read(Stamp stamp, std::uint64_t offset, std::span<std::byte> into) override;
    io::Task<void> flush(Stamp stamp) override;
    io::Task<void> discard(Stamp stamp, Range range) override;
    io::Task<void> zero(Stamp stamp, Range range, storage::Space space) override;
    io::Task<void> set_generation(Stamp stamp) override;
    io::Task<void> snapshot(Stamp stamp, std::string name) override;
    io::Task<void> delete_snapshot(Stamp stamp, std::string name) override;
    io::Task<void> resize(Stamp stamp, std::uint64_t size) override;
    io::Task<std::vector<std::uint64_t>> digests(Stamp stamp, Range range) override;
    io::Task<std::uint64_t> moment(Stamp stamp) override;
    io::Task<void> settled(Stamp stamp, std::uint64_t moment) override;
    // A way to what is in this process has nothing that could hang.
    io::Task<void> shut_down() override { co_return; }

    std::uint64_t least_generation = 0;

  private:
    LocalReplica& replica_;
};

std::unique_ptr<Replica> LocalReplica::session() {
    return std::make_unique<Session>(*this);
}

Status LocalReplica::status() const {
    return {volume_.custody().stamp(), volume_.custody().incarnation(), volume_.geometry().size};
}

Result<void> LocalReplica::check(const Session& session, Stamp stamp) const {
    if (broken(mutation_, Mutation::epoch_not_checked)) return {};
    if (stamp.epoch < epoch_)
        return fail(Kind::conflict, "epoch {} was superseded by {}", stamp.epoch, epoch_);
    if (owner_ != &session)
        return fail(owner_ ? Kind::unavailable : Kind::denied,
                    "this way to the copy is not the one that is sealed");
    if (stamp.epoch > epoch_) return fail(Kind::denied, "epoch {} was not sealed", stamp.epoch);
    if (stamp.generation < session.least_generation)
        return fail(Kind::conflict, "generation {} is before {}", stamp.generation,
                    session.least_generation);
    return {};
}

Result<void> LocalReplica::check_seal(std::uint64_t epoch, std::uint64_t attempt) const {
    if (broken(mutation_, Mutation::epoch_not_checked)) return {};
    if (epoch == 0) return fail(Kind::invalid, "epoch 0 is that of nobody");
    if (epoch < epoch_) return fail(Kind::conflict, "epoch {} was superseded by {}", epoch, epoch_);
    if (epoch == epoch_ && attempt <= attempt_)
        return fail(Kind::unavailable, "a seal that came late");
    return {};
}

// From the first line on nothing of others counts; the answer comes when nothing of theirs runs.
io::Task<Sealed> LocalReplica::seal(Session& session, std::uint64_t epoch, std::uint64_t attempt) {
    co_await check_seal(epoch, attempt);
    const auto before = volume_.custody().stamp();
    epoch_ = epoch;
    attempt_ = attempt;
    owner_ = &session;
    session.least_generation = before.generation;
    if (epoch > before.epoch) co_await keep({epoch, before.generation});
    while (running_ > 0) co_await ended_.wait();
    if (epoch_ != epoch || owner_ != &session)
        co_await fail(Kind::unavailable, "another seal came meanwhile");
    co_return tell(before);
}

Sealed LocalReplica::tell(Stamp before) const {
    Sealed sealed;
    sealed.before = before;
    sealed.incarnation = volume_.custody().incarnation();
    sealed.size = volume_.geometry().size;
    sealed.marked = volume_.custody().marked();
    for (const auto& snapshot : volume_.snapshots()) sealed.snapshots.push_back(snapshot.name);
    return sealed;
}

// Never goes back: the order in which they are asked for is not that in which they are stored.
io::Task<void> LocalReplica::keep(Stamp stamp) {
    while (keeping_) co_await kept_.wait();
    auto& custody = volume_.custody();
    const auto now = custody.stamp();
    if (stamp.epoch < now.epoch || stamp.generation < now.generation || stamp == now) co_return;
    keeping_ = true;
    auto outcome = co_await custody.store(stamp).result();
    keeping_ = false;
    kept_.wake();
    co_await std::move(outcome);
}

io::Task<void> LocalReplica::Session::write(Stamp stamp, std::uint64_t offset,
                                            std::span<std::byte> content) {
    co_await replica_.check(*this, stamp);
    const Use use{replica_};
    const iovec piece{content.data(), content.size()};
    co_await replica_.volume_.write(offset, std::span{&piece, 1});
    if (broken(replica_.mutation_, Mutation::marks_taken_back_when_idle))
        replica_.volume_.custody().settled(replica_.loop_.now());
}

io::Task<void> LocalReplica::Session::read(Stamp stamp, std::uint64_t offset,
                                           std::span<std::byte> into) {
    co_await replica_.check(*this, stamp);
    const iovec piece{into.data(), into.size()};
    co_await replica_.volume_.read(offset, std::span{&piece, 1});
    // What another engine wrote meanwhile is not for this one.
    co_await replica_.check(*this, stamp);
}

io::Task<void> LocalReplica::Session::flush(Stamp stamp) {
    co_await replica_.check(*this, stamp);
    co_await replica_.volume_.flush();
}

io::Task<void> LocalReplica::Session::discard(Stamp stamp, Range range) {
    co_await replica_.check(*this, stamp);
    const Use use{replica_};
    co_await replica_.volume_.discard(range.offset, range.length);
}

io::Task<void> LocalReplica::Session::zero(Stamp stamp, Range range, storage::Space space) {
    co_await replica_.check(*this, stamp);
    const Use use{replica_};
    co_await replica_.volume_.zero(range.offset, range.length, space);
}

io::Task<void> LocalReplica::Session::set_generation(Stamp stamp) {
    co_await replica_.check(*this, stamp);
    const Use use{replica_};
    co_await replica_.keep(stamp);
}

io::Task<void> LocalReplica::Session::snapshot(Stamp stamp, std::string name) {
    co_await replica_.check(*this, stamp);
    const Use use{replica_};
    co_await replica_.volume_.snapshot(std::move(name));
}

io::Task<void> LocalReplica::Session::delete_snapshot(Stamp stamp, std::string name) {
    co_await replica_.check(*this, stamp);
    const Use use{replica_};
    co_await replica_.volume_.delete_snapshot(std::move(name));
}

io::Task<void> LocalReplica::Session::resize(Stamp stamp, std::uint64_t size) {
    co_await replica_.check(*this, stamp);
    const Use use{replica_};
    co_await replica_.volume_.resize(size);
}

io::Task<std::vector<std::uint64_t>> LocalReplica::Session::digests(Stamp stamp, Range range) {
    co_await replica_.check(*this, stamp);
    storage::AlignedBuffer buffer{digest_span};
    if (buffer.bytes().empty()) co_await fail(Kind::exhausted, "no memory for a digest");
    std::vector<std::uint64_t> digests;
    for (std::uint64_t at = 0; at < range.length; at += digest_span) {
        const auto part = buffer.bytes().first(std::min(digest_span, range.length - at));
        co_await read(stamp, range.offset + at, part);
        digests.push_back(digest_of(part));
    }
    co_return digests;
}

io::Task<std::uint64_t> LocalReplica::Session::moment(Stamp stamp) {
    co_await replica_.check(*this, stamp);
    co_return static_cast<std::uint64_t>(replica_.loop_.now().time_since_epoch().count());
}

io::Task<void> LocalReplica::Session::settled(Stamp stamp, std::uint64_t moment) {
    co_await replica_.check(*this, stamp);
    const io::TimePoint then{io::Duration{static_cast<io::Duration::rep>(moment)}};
    if (then > replica_.loop_.now()) co_await fail(Kind::invalid, "a moment that is to come");
    replica_.volume_.custody().settled(then);
}

}  // namespace sheaf::replica
