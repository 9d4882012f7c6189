#pragma once

// Why: the console of a guest inside its VMM process: a stream socket whose other end the keeper
// holds. vCPU threads print into a bounded room; one task carries it to the socket, another
// carries in what was typed.

#include <array>
#include <atomic>

#include "base/fd.h"
#include "base/units.h"
#include "devices/console/backend.h"
#include "devices/console/output.h"
#include "io/event.h"
#include "io/loop.h"
#include "io/task_group.h"

namespace sheaf::console {

class Channel final : public Backend {
  public:
    static constexpr std::size_t output_room = 64_KiB;
    static constexpr std::size_t input_room = 4_KiB;
    // How long output is gathered after some was sent: a serial port prints byte by byte, and a
    // system call for each would cost more than the guest's exits.
    static constexpr io::Duration gathering = std::chrono::microseconds{500};

    // Takes a connected stream socket. The channel is not destroyed before the loop has had its
    // last turn: threads post to it.
    Channel(io::Loop& loop, Fd socket);

    void write(std::span<const std::byte> bytes) override;
    std::size_t read(std::span<std::byte> bytes) override;
    void listen(Listener* listener) override;

    // Carries bytes both ways until cancelled. A closed socket is not an error: output then goes
    // nowhere. Loop thread, once.
    io::Task<void> run();
    // Sends what is still there, for at most `limit`. After run() has ended. Loop thread.
    io::Task<void> drain(io::Duration limit);

    // Bytes of output that made room for newer ones. Any thread.
    std::uint64_t lost() const { return output_.lost(); }

  private:
    // Tells a task of the loop, from any thread, that there is work: once, however often it is
    // rung before the task looks.
    class Bell {
      public:
        explicit Bell(io::Loop& loop) : loop_(loop) {}
        void ring();
        io::Task<void> wait();

      private:
        io::Loop& loop_;
        std::atomic<bool> rung_ = false;
        io::Event event_;
    };

    io::Task<void> carry_output();
    io::Task<void> carry_input();
    io::Task<bool> send_some();  // false: nothing is left to send
    io::Task<void> send_rest();

    io::Loop& loop_;
    Fd socket_;
    Output output_;
    std::array<std::byte, 4_KiB> sending_;
    std::span<std::byte> unsent_;  // the rest of sending_
    Bell output_bell_;
    Bell room_bell_;
    std::mutex mutex_;
    ByteRing input_;      // under mutex_, as is hungry_
    bool hungry_ = true;  // a read() came back short: the listener waits to be told
    Listener* listener_ = nullptr;
};

}  // namespace sheaf::console
