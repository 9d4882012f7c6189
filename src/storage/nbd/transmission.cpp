#include "storage/nbd/transmission.h"

#include <cerrno>

namespace sheaf::nbd {

Transmission::Transmission(io::Loop& loop, int descriptor, Input& input, Agreed agreed)
    : input_(input),
      service_(std::move(agreed)),
      replies_(loop, descriptor,
               [this](std::size_t count, std::size_t cost) { sent(count, cost); }) {}

io::Task<void> Transmission::run() {
    sending_.start(send());
    receiving_.start(receive());
    auto received = co_await receiving_.join().result();
    static_cast<void>(co_await work_.join().result());  // each of its tasks answers for itself
    replies_.finish();
    const auto sent = co_await sending_.join().result();
    // A client that breaks the protocol may be gone as well; the first is what it is told by.
    co_await std::move(received);
    co_await std::move(sent);
}

// Where nothing can be sent any more, nothing more is read.
io::Task<void> Transmission::send() {
    auto outcome = co_await replies_.run().result();
    receiving_.cancel();
    co_await std::move(outcome);
}

io::Task<void> Transmission::receive() {
    while (!disconnected_) {
        if (input_.buffered() < sizeof(RequestHeader)) {
            const auto more = co_await input_.fill(sizeof(RequestHeader));
            if (!more) co_return;
        }
        co_await take_request();
    }
}

io::Task<void> Transmission::take_request() {
    const auto header = input_.take<RequestHeader>();
    const std::uint32_t magic = header.magic;
    if (magic != request_magic) co_await fail(Kind::corrupt, "{:#x} where a request begins", magic);
    const auto request = parse_request(header);
    if (request.command == Command::disconnect) {
        disconnected_ = true;
        co_return;
    }
    ++counters_.requests;
    auto refusal = check(request, service_.offer());
    const auto cost = refusal ? 0 : cost_of(request, service_.offer());
    if (!fits(cost)) co_await room_for(cost);
    ++requests_;
    bytes_ += cost;
    if (refusal) {
        co_await refuse(request, *std::move(refusal));
        co_return;
    }
    const auto length = payload_of(request);
    storage::AlignedBuffer payload{
        align_up<std::size_t>(length, storage::AlignedBuffer::alignment)};
    const auto content = payload.bytes();
    if (content.size() < length) {
        bytes_ -= cost;
        co_await refuse(request, {WireError::memory, "no memory for what is to be written"});
        co_return;
    }
    co_await input_.receive(content.first(length));
    work_.start(carry_out(request, cost, std::move(payload)));
}

io::Task<void> Transmission::refuse(Request request, Refusal refusal) {
    ++counters_.refused;
    co_await input_.skip(payload_of(request));
    replies_.put({Reply::failure(request, refusal, service_.structured()), 0});
}

io::Task<void> Transmission::carry_out(Request request, std::size_t cost,
                                       storage::AlignedBuffer payload) {
    auto reply = co_await service_.carry_out(request, std::move(payload)).result();
    if (!reply) {
        const auto refusal = refusal_of(reply.error());
        if (counters_.failed++ == 0) counters_.first_failure = refusal.text;
        reply = Reply::failure(request, refusal, service_.structured());
    }
    replies_.put({*std::move(reply), cost});
}

// A single request may be as large as the bound.
bool Transmission::fits(std::size_t cost) const {
    return requests_ == 0 || (requests_ < most_requests && bytes_ + cost <= most_bytes);
}

io::Task<void> Transmission::room_for(std::size_t cost) {
    while (!fits(cost)) {
        room_.clear();
        co_await room_.wait();
    }
}

void Transmission::sent(std::size_t count, std::size_t cost) {
    requests_ -= count;
    bytes_ -= cost;
    room_.set();
}

}  // namespace sheaf::nbd
