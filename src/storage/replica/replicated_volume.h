#pragma once

// Why: a disk whose content is on several hosts. A write is answered when every copy that the
// membership record counts has it; which copies count changes by compare-and-swap alone, and an
// engine that was superseded answers nothing any more. Rules: docs/formats/membership.md.

#include <list>

#include "storage/block.h"
#include "storage/replica/engine_member.h"
#include "storage/replica/engine_options.h"
#include "storage/replica/engine_request.h"
#include "storage/replica/record.h"
#include "storage/volume/range_lock.h"

namespace sheaf::replica {

// Loop thread only.
class ReplicatedVolume final : public storage::Block {
  public:
    // Activates the volume: ends when it is served, however long that takes. conflict: another
    // engine did so meanwhile. Loop, store and ways outlive it.
    static io::Task<std::unique_ptr<ReplicatedVolume>> open(io::Loop& loop, kv::Kv& store,
                                                            Ways& ways, EngineOptions options);
    ~ReplicatedVolume() override = default;  // after abandon()
    // Nothing is asked of it any more: makes what was answered stable and the copies known to be
    // alike, where that can be done at once, and ends.
    io::Task<void> shut_down();
    // Ends everything that runs. What was not answered may have been carried out, on some copies.
    io::Task<void> abandon();

    // Block. Waits without an error while too few copies or no store can be reached. conflict: the
    // engine was superseded, for good; io: no copy has what was answered and not flushed.
    storage::Geometry geometry() const override;
    io::Task<void> read(std::uint64_t offset, std::span<const iovec> vectors) override;
    io::Task<void> write(std::uint64_t offset, std::span<const iovec> vectors) override;
    io::Task<void> flush() override;
    io::Task<void> discard(std::uint64_t offset, std::uint64_t length) override;
    io::Task<void> zero(std::uint64_t offset, std::uint64_t length, storage::Space space) override;

    const Membership& membership() const { return record_.now(); }
    bool serving() const { return state_ == State::serving; }
    // Why it is over, where it is.
    const std::optional<Error>& ended() const { return ended_; }
    // Ends when it is over.
    io::Task<void> wait_ended();
    // As people are told of it.
    Attachment report() const;
    const EngineCounters& counters() const { return counters_; }
    // The record as it was activated, and whether no copy had all that was answered.
    const Membership& began_with() const { return first_; }
    bool began_from_loss() const { return began_from_loss_; }

  private:
    enum class State : std::uint8_t { starting, serving, stalled, ended };
    using Member = EngineMember;
    using Request = EngineRequest;
    using Place = std::list<Request>::iterator;

    ReplicatedVolume(io::Loop& loop, kv::Kv& store, Ways& ways, EngineOptions options);

    Stamp stamp() const { return {record_.now().epoch, record_.now().generation}; }
    Result<void> check(std::uint64_t offset, std::uint64_t length) const;
    io::Task<volume::RangeLock::Held> lock(Range range, volume::RangeLock::Mode mode);
    io::Task<void> serve();
    io::Task<void> submit(Place place);
    io::Task<void> carry_out(Place place);
    io::Task<void> perform(Request& request);
    io::Task<void> fill_edges(Request& request, std::uint64_t first);
    io::Task<bool> attempt(const Request& request);
    bool leaves_out(const Member& member, Deed deed) const;
    io::Task<void> ask(Member& member, const Request& request, Result<void>& outcome);
    io::Task<void> apply(Replica& copy, const Request& request);
    void note_missed(const Request& request);
    void lose(Member& member, const Error& error);
    void stall();
    void end(Error error);
    io::Task<void> read_blocks(std::uint64_t offset, std::span<std::byte> into);
    io::Task<void> read_any(std::uint64_t offset, std::span<std::byte> into);
    io::Task<void> heal(std::vector<Member*> damaged, std::uint64_t offset,
                        std::span<std::byte> content);
    Member* reader(const std::vector<Member*>& tried);
    std::uint64_t lag_of(const Member& member) const;

    // activation.cpp
    io::Task<void> activate();
    io::Task<void> take_epoch();
    io::Task<void> reach_counting();
    io::Task<void> reach(Member& member);
    bool enough_sealed();
    io::Task<void> make_alike();
    io::Task<void> copy(Member& source, Member& target, std::vector<Range> ranges);
    io::Task<void> copy_piece(Member& source, Member& target, Range piece);
    io::Task<void> settle_members();
    io::Task<void> adopt();
    io::Task<void> change(Membership next);
    std::vector<Member*> counting(bool open);
    bool unbroken(const Member& member) const;

    // mending.cpp
    io::Task<void> supervise();
    io::Task<void> mend();
    io::Task<void> mend_once();
    io::Task<void> remove(Member& member);
    io::Task<void> bring_back(Member& member);
    io::Task<void> look_at_record();
    io::Task<void> settle_marks();
    io::Task<void> settle_round();

    // rebuild.cpp
    class Still;
    io::Task<Still> still(Range piece);
    io::Task<void> lock_into(Range piece, std::optional<volume::RangeLock::Held>& into);
    io::Task<void> restore();
    io::Task<void> rebuild(Member& member);
    io::Task<void> take_in(Member& member);
    std::vector<Range> missing(const Member& member) const;
    io::Task<void> copy_missing(Member& member);
    io::Task<void> copy_still(Member& member, Range piece);
    io::Task<void> compare(Member& member);
    io::Task<void> promote(Member& member);

    io::Loop& loop_;
    Ways& ways_;
    EngineOptions options_;
    Record record_;
    volume::RangeLock record_lock_;  // one change of the record at a time
    std::list<Member> members_;
    State state_ = State::starting;
    std::uint64_t configuration_ = 0;  // grows whenever it stalls
    std::uint64_t attempts_ = 0;       // under way
    std::uint64_t seals_ = 0;
    std::uint64_t still_ = 0;           // pieces in which nothing may change
    io::TaskGroup* locking_ = nullptr;  // where a rebuild waits for blocks
    io::Waiters attempt_over_;
    io::Waiters request_over_;
    io::Waiters state_changed_;
    io::Event trouble_;
    volume::RangeLock blocks_;
    std::list<Request> requests_;
    std::optional<Error> ended_;
    Membership first_;
    bool began_from_loss_ = false;
    EngineCounters counters_;
    io::TaskGroup work_;
    io::TaskGroup background_;
};

}  // namespace sheaf::replica
