#pragma once

// Why: a tap is the host's end of a guest's network cable. The keeper opens it by name, which needs
// permission; the process that runs the guest gets one descriptor a queue and can do no more with
// them than move frames and say which offloads the guest understands.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "net/port.h"

namespace sheaf::net {

// Opens at most `most_queues` queues of the existing tap `name`: one where it was not made with
// multi_queue. Every error names the tap and what is wrong with it. Blocks.
Result<std::vector<Fd>> open_tap(const std::string& name, std::size_t most_queues);

// Loop thread only.
class TapPort final : public Port {
  public:
    // Takes the descriptors of open_tap(), one a queue; they must be of one tap. One queue is in
    // use at first, and no offload is accepted. The loop outlives the port.
    static Result<std::unique_ptr<TapPort>> create(io::Loop& loop, std::vector<Fd> queues);

    std::size_t queue_count() const override { return queues_.size(); }
    PortQueue& queue(std::size_t index) override { return *queues_.at(index); }
    Result<void> use_queues(std::size_t count) override;
    Offloads offered() const override { return offered_; }
    Result<void> accept(const Offloads& offloads) override;

  private:
    // A frame costs one system call here and none of the loop's: the loop is only asked to wait
    // when there is nothing to do, and now and then, so that a flood does not starve the others.
    class Queue final : public PortQueue {
      public:
        enum class Use { out, in };
        Queue(io::Loop& loop, Fd tap) : loop_(loop), tap_(std::move(tap)) {}
        io::Task<std::size_t> receive(std::span<const iovec> vectors) override;
        io::Task<void> send(std::span<const iovec> vectors) override;
        Result<void> put(Use use);
        int descriptor() const { return tap_.get(); }

      private:
        io::Loop& loop_;
        Fd tap_;
        std::optional<Use> use_;  // none: not known yet
        unsigned received_in_a_row_ = 0;
        unsigned sent_in_a_row_ = 0;
    };

    TapPort() = default;

    std::vector<std::unique_ptr<Queue>> queues_;
    Offloads offered_;
};

}  // namespace sheaf::net
