#include "vmm/debug/session.h"

#include <sys/socket.h>

namespace sheaf::vmm::debug {

namespace {

constexpr std::size_t input_room = 4096;
constexpr std::string_view while_it_runs = "E10";  // EBUSY
constexpr std::string_view machine_gone = "W00";

}  // namespace

Session::Session(const Surroundings& around, Fd socket)
    : around_(around),
      socket_(std::move(socket)),
      commands_(around.processors.debuggee()),
      buffer_(input_room) {}

io::Task<void> Session::run() {
    around_.processors.tell(&news_);
    auto receiving = io::TaskGroup{};
    receiving.start(receive());
    const auto outcome = co_await serve().result();
    receiving.cancel();
    static_cast<void>(co_await receiving.join().result());
    around_.processors.tell(nullptr);
    const auto kind = outcome ? std::nullopt : std::optional{outcome.error().kind()};
    if (kind == Kind::cancelled) co_return;
    if (kind && kind != Kind::io) {
        around_.log.warning("a debugger is hung up on", {{"reason", outcome.error().text()}});
    } else if (attached_ && !over_) {
        around_.log.warning("the debugger has gone; its breakpoints go, and the guest goes on");
    }
    if (attached_) co_await let_go();
}

io::Task<void> Session::receive() {
    while (true) {
        const auto count = co_await around_.loop.recv(socket_.get(), buffer_, 0).result();
        if (!count || *count == 0) {
            hung_up_ = true;
            news_.set();
            co_return;
        }
        input_ = std::span{buffer_}.first(*count);
        taken_.clear();
        news_.set();
        co_await taken_.wait();
    }
}

io::Task<void> Session::serve() {
    while (!over_ && !hung_up_) {
        co_await news_.wait();
        news_.clear();
        co_await tell_stop();
        co_await take_input();
    }
}

io::Task<void> Session::take_input() {
    while (!over_ && !input_.empty()) {
        auto frame = co_await reader_.next(input_);
        if (!frame) break;
        switch (frame->kind) {
            case Frame::Kind::acknowledged: break;
            case Frame::Kind::refused: co_await send(last_said_); break;
            case Frame::Kind::interrupt:
                if (!attached_ || !in_guest_) break;
                co_await stop_here();
                co_await say(commands_.stopped(0, {Cause::Kind::interrupt, 0}));
                break;
            case Frame::Kind::damaged:
                if (!acknowledges_) co_await fail(Kind::corrupt, "a packet with a wrong checksum");
                co_await send("-");
                break;
            case Frame::Kind::packet: co_await answer(std::move(frame->payload)); break;
        }
    }
    taken_.set();
}

io::Task<void> Session::tell_stop() {
    if (!attached_ || !in_guest_) co_return;
    const auto stop = around_.processors.next_stop();
    if (!stop) co_return;
    co_await stop_here();
    co_await say(commands_.stopped(stop->cpu, stop->cause));
}

io::Task<void> Session::stop_here() {
    co_await around_.processors.halt();
    in_guest_ = false;
}

io::Task<void> Session::answer(std::string packet) {
    if (acknowledges_) co_await send("+");
    const bool ends =
        packet.starts_with('D') || packet.starts_with('k') || packet.starts_with("vKill");
    // A debugger that waits for a stop has no other questions.
    if (attached_ && in_guest_ && !ends) {
        co_await say(std::string{while_it_runs});
        co_return;
    }
    if (in_guest_) co_await stop_here();
    attached_ = true;
    auto outcome = commands_.handle(packet);
    using Then = Outcome::Then;
    switch (outcome.then) {
        case Then::answer: co_await say(std::move(outcome.answer)); break;
        case Then::plain_answers:
            co_await say(std::move(outcome.answer));
            acknowledges_ = false;
            break;
        case Then::resume:
            in_guest_ = true;
            around_.processors.resume(outcome.go);
            break;
        case Then::detach:
            over_ = true;
            co_await say(std::move(outcome.answer));
            break;
        case Then::kill:
            over_ = true;
            if (!outcome.answer.empty()) co_await say(std::move(outcome.answer));
            around_.sink.ended({Ending::How::forced_off, "killed by the debugger"});
            break;
    }
}

io::Task<void> Session::say(std::string payload) {
    last_said_ = make_frame(payload);
    co_await send(last_said_);
}

io::Task<void> Session::send(std::string text) {
    auto rest = as_bytes(text);
    while (!rest.empty())
        rest = rest.subspan(co_await around_.loop.send(socket_.get(), rest, MSG_NOSIGNAL));
}

io::Task<void> Session::let_go() {
    if (in_guest_) co_await stop_here();
    auto& debuggee = around_.processors.debuggee();
    debuggee.breakpoints.clear(debuggee.memory);
    const auto go = std::vector<Go>(debuggee.registers.size(), Go::run);
    around_.processors.resume(go);
    in_guest_ = true;
}

void Session::machine_ended() {
    if (!attached_ || over_) return;
    const auto frame = make_frame(machine_gone);
    // A debugger that does not listen sees the end of the connection as well.
    static_cast<void>(
        ::send(socket_.get(), frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

}  // namespace sheaf::vmm::debug
