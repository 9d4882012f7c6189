#include "devices/console/channel.h"

#include <sys/socket.h>

#include <array>
#include <utility>

namespace sheaf::console {

Channel::Channel(io::Loop& loop, Fd socket)
    : loop_(loop),
      socket_(std::move(socket)),
      output_(output_room),
      output_bell_(loop),
      room_bell_(loop),
      input_(input_room) {}

void Channel::Bell::ring() {
    if (rung_.exchange(true)) return;
    loop_.post([this] { event_.set(); });
}

// Whatever rings after this returned rings again.
io::Task<void> Channel::Bell::wait() {
    co_await event_.wait();
    event_.clear();
    rung_.store(false);
}

void Channel::write(std::span<const std::byte> bytes) {
    output_.write(bytes);
    output_bell_.ring();
}

std::size_t Channel::read(std::span<std::byte> bytes) {
    std::size_t count = 0;
    bool was_full = false;
    {
        const std::lock_guard lock{mutex_};
        was_full = input_.room() == 0;
        count = input_.take(bytes);
        if (count < bytes.size()) hungry_ = true;
    }
    if (was_full && count > 0) room_bell_.ring();
    return count;
}

void Channel::listen(Listener* listener) {
    listener_ = listener;
    bool tell = false;
    {
        const std::lock_guard lock{mutex_};
        tell = input_.size() > 0;
        hungry_ = !tell;
    }
    if (tell && listener_) listener_->input_available();
}

io::Task<void> Channel::run() {
    io::TaskGroup carriers;
    carriers.start(carry_output());
    carriers.start(carry_input());
    co_await carriers.join();
}

// What was taken out of the room stays here until it is sent: a cancelled send loses nothing.
io::Task<bool> Channel::send_some() {
    if (unsent_.empty()) unsent_ = std::span{sending_}.first(output_.take(sending_));
    if (unsent_.empty()) co_return false;
    const auto sent = co_await loop_.send(socket_.get(), unsent_, MSG_NOSIGNAL).result();
    if (!sent && sent.error().kind() == Kind::cancelled) co_await Failure{sent.error()};
    // A reader that went away must not end the guest: what it would have read is dropped.
    unsent_ = unsent_.subspan(sent.value_or(unsent_.size()));
    co_return true;
}

io::Task<void> Channel::carry_output() {
    while (true) {
        co_await output_bell_.wait();
        co_await send_rest();
        co_await loop_.sleep(gathering);
    }
}

io::Task<void> Channel::carry_input() {
    std::array<std::byte, input_room> buffer;
    while (true) {
        std::size_t room = 0;
        {
            const std::lock_guard lock{mutex_};
            room = input_.room();
        }
        if (room == 0) {
            co_await room_bell_.wait();
            continue;
        }
        const auto free = std::span{buffer}.first(room);
        const auto count = co_await loop_.recv(socket_.get(), free, 0).result();
        if (!count && count.error().kind() == Kind::cancelled) co_await Failure{count.error()};
        if (!count || *count == 0) co_return;  // nobody types any more
        bool tell = false;
        {
            const std::lock_guard lock{mutex_};
            input_.put(std::span{buffer}.first(*count));
            tell = std::exchange(hungry_, false);
        }
        if (tell && listener_) listener_->input_available();
    }
}

namespace {

io::Task<void> cancel_after(io::Loop& loop, io::Duration limit, io::TaskGroup& group) {
    co_await loop.sleep(limit);
    group.cancel();
}

}  // namespace

io::Task<void> Channel::drain(io::Duration limit) {
    io::TaskGroup sending;
    io::TaskGroup clock;
    sending.start(send_rest());
    clock.start(cancel_after(loop_, limit, sending));
    static_cast<void>(co_await sending.join().result());
    clock.cancel();
    static_cast<void>(co_await clock.join().result());
}

io::Task<void> Channel::send_rest() {
    bool more = true;
    while (more) more = co_await send_some();
}

}  // namespace sheaf::console
