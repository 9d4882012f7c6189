#pragma once

// Why: an engine's way to one member: open or lost, how fast it has been, and how long it may be
// silent before it counts as lost.

#include <memory>

#include "io/time_limit.h"
#include "io/waiters.h"
#include "storage/replica/replica.h"

namespace sheaf::replica {

// How an engine reaches copies. Loop thread only.
class Ways {
  public:
    virtual ~Ways() = default;
    // A new way to the copy of this node. Takes as long as it takes; the caller gives it up.
    virtual io::Task<std::unique_ptr<Replica>> open(std::string node) = 0;
};

struct Patience {
    io::Duration least = std::chrono::milliseconds{200};
    io::Duration most = std::chrono::seconds{3};
};

// Loop thread only; loop and ways outlive it.
class MemberWay {
  public:
    MemberWay(io::Loop& loop, Ways& ways, std::string node, const Patience& patience)
        : loop_(loop), ways_(ways), node_(std::move(node)), patience_(patience) {}

    const std::string& node() const { return node_; }
    bool open() const { return open_; }
    std::uint64_t in_flight() const { return in_flight_; }
    // Grows with each time it is opened.
    std::uint64_t opened() const { return opened_; }

    // Opens it anew and seals the copy; what is in flight over the one before has ended first.
    io::Task<Sealed> reach(std::uint64_t epoch, std::uint64_t attempt);
    // Nothing more is asked over it.
    void lose() { open_ = false; }
    // Ends it, and all that waits for it.
    io::Task<void> shut_down();

    // Starts a request, and gives it up when it takes too long. The way is open.
    template <class T>
    io::Task<T> ask(io::Task<T> request) {
        const Use use{*this};
        const auto began = loop_.now();
        auto outcome = co_await io::within(loop_, limit(), std::move(request)).result();
        // What was given up takes longer than is known: the next one is given more time.
        if (outcome || outcome.error().kind() == Kind::timed_out) note_time(loop_.now() - began);
        co_return co_await std::move(outcome);
    }
    Replica& copy() { return *replica_; }
    io::Duration limit() const;

  private:
    class Use {
      public:
        explicit Use(MemberWay& way) : way_(way) { ++way_.in_flight_; }
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;
        ~Use() {
            --way_.in_flight_;
            way_.ended_.wake();
        }

      private:
        MemberWay& way_;
    };

    void note_time(io::Duration took);

    io::Loop& loop_;
    Ways& ways_;
    std::string node_;
    Patience patience_;
    std::unique_ptr<Replica> replica_;
    bool open_ = false;
    std::uint64_t opened_ = 0;
    std::uint64_t in_flight_ = 0;
    io::Waiters ended_;
    io::Duration usual_{};  // smoothed time of an answer
};

}  // namespace sheaf::replica
