#include "storage/replica/server_session.h"

#include "base/bytes.h"
#include "base/utf8.h"

namespace sheaf::replica {

namespace {

constexpr std::uint32_t only_volume = 1;  // a connection is for one

std::size_t cost_of(const Header& header) {
    if (header.type == Type::read) return header.length;
    if (header.type == Type::digests) return header.length / digest_span * 8 + 8;
    return header.payload_length;
}

Stamp stamp_of(const Header& header) {
    return {header.epoch, header.generation};
}

}  // namespace

ServerSession::ServerSession(io::Loop& loop, std::unique_ptr<io::ByteStream> stream, Caller caller,
                             const Terms& terms)
    : loop_(loop),
      stream_(std::move(stream)),
      caller_(std::move(caller)),
      terms_(terms),
      input_(*stream_),
      output_(loop, *stream_) {}

io::Task<void> ServerSession::serve() {
    sending_.start(send());
    receiving_.start(receive());
    patience_.start(lose_patience());
    auto received = co_await receiving_.join().result();
    patience_.cancel();
    static_cast<void>(co_await patience_.join().result());  // its end was asked for
    static_cast<void>(co_await work_.join().result());      // each task answers for itself
    output_.finish();
    // Who is gone, or takes nothing any more, is not waited for.
    if (!received || ended_) sending_.cancel();
    io::TaskGroup farewell;
    farewell.start(end_sending());
    static_cast<void>(co_await sending_.join().result());
    farewell.cancel();
    static_cast<void>(co_await farewell.join().result());
    way_.reset();
    use_.reset();
    if (too_slow_) co_await fail(Kind::timed_out, "nobody said who it is in time");
    co_await std::move(received);
}

io::Task<void> ServerSession::send() {
    auto sent = [this] {
        in_flight_.requests -= answered_.requests;
        in_flight_.bytes -= answered_.bytes;
        answered_ = {};
        room_.set();
    };
    auto outcome = co_await output_.run(std::move(sent)).result();
    receiving_.cancel();
    co_await std::move(outcome);
}

io::Task<void> ServerSession::lose_patience() {
    co_await loop_.sleep(terms_.patience);
    if (known_) co_return;
    too_slow_ = true;
    receiving_.cancel();
}

// Who takes no answers is not waited for without end.
io::Task<void> ServerSession::end_sending() {
    co_await loop_.sleep(terms_.patience);
    sending_.cancel();
}

io::Task<void> ServerSession::receive() {
    while (!ended_) co_await take_request();
}

io::Task<void> ServerSession::room_for(std::size_t bytes) {
    while (in_flight_.requests > 0 &&
           (in_flight_.requests >= most_requests || in_flight_.bytes + bytes > most_in_flight)) {
        room_.clear();
        co_await room_.wait();
    }
}

io::Task<void> ServerSession::take_request() {
    const auto header = co_await input_.next_header();
    if (!header) {
        ended_ = true;
        co_return;
    }
    co_await check_request(*header);
    const auto first = is_first(header->type);
    if (first == (way_ != nullptr))
        co_await fail(Kind::corrupt, "{} where it does not belong", to_string(header->type));
    if (header->volume != (first ? 0 : only_volume))
        co_await fail(Kind::corrupt, "volume {} of a connection that has one", header->volume);
    const auto cost = cost_of(*header);
    co_await room_for(cost);
    auto payload = co_await input_.payload_of(*header);
    ++in_flight_.requests;
    in_flight_.bytes += cost;
    if (first) {
        co_await begin(*header, std::move(payload));
    } else {
        work_.start(carry_out(*header, std::move(payload), cost));
    }
}

// What a reply that is put costs is given back when it was sent.
void ServerSession::account_for(std::size_t bytes) {
    ++answered_.requests;
    answered_.bytes += bytes;
}

void ServerSession::fail_with(const Header& request, const Error& error) {
    auto reply = reply_to(request);
    reply.status = status_of(error.kind());
    output_.put(reply, as_bytes(utf8_prefix(error.text(), longest_sentence)));
}

// A refusal is told, and then the connection is over.
io::Task<void> ServerSession::begin(Header header, Bytes payload) {
    account_for(payload.size());
    auto begun = Result<void>{};
    if (header.type == Type::hello) {
        auto hello = co_await parse_hello(payload);
        begun = co_await greet(header, std::move(hello)).result();
    } else {
        auto request = co_await parse_copy_request(payload);
        begun = co_await do_once(header, std::move(request)).result();
    }
    if (begun) co_return;
    fail_with(header, begun.error());
    ended_ = true;
    output_.finish();
    static_cast<void>(co_await sending_.join().result());
    co_await std::move(begun);
}

io::Task<void> ServerSession::greet(Header header, Hello hello) {
    co_await check_version(hello.oldest_version, hello.newest_version);
    if (caller_.is && !caller_.is(hello.node))
        co_await fail(Kind::denied, "the certificate is not of {}", hello.node);
    use_ = co_await terms_.copies.open(hello.volume, std::move(hello.to));
    node_ = std::move(hello.node);
    way_ = use_->copy().session();
    const auto status = use_->copy().status();
    Welcome welcome;
    welcome.volume = only_volume;
    welcome.incarnation = status.incarnation;
    welcome.size = status.size;
    output_.put(reply_to(header), encode(welcome));
}

// Nothing follows it. It takes as long as it takes.
io::Task<void> ServerSession::do_once(Header header, CopyRequest request) {
    co_await check_version(request.oldest_version, request.newest_version);
    known_ = true;
    if (header.type == Type::create) {
        co_await terms_.copies.create(std::move(request), header.length);
    } else {
        co_await terms_.copies.remove(std::move(request));
    }
    output_.put(reply_to(header), {});
    ended_ = true;
    output_.finish();
    static_cast<void>(co_await sending_.join().result());
}

io::Task<void> ServerSession::carry_out(Header header, Bytes payload, std::size_t cost) {
    const auto outcome = co_await answer(header, payload).result();
    account_for(cost);
    if (outcome) {
        output_.put(reply_to(header), *outcome);
    } else {
        fail_with(header, outcome.error());
    }
}

io::Task<Bytes> ServerSession::answer(Header header, Bytes& payload) {
    co_await check_within(header, use_->copy().status().size);
    const auto stamp = stamp_of(header);
    Bytes answer;
    switch (header.type) {
        case Type::seal: answer = co_await seal(header, payload); break;
        case Type::status: {
            known_ = true;
            const auto status = co_await way_->status();
            answer = encode(status);
            break;
        }
        case Type::read:
            answer.resize(header.length);
            co_await way_->read(stamp, header.offset, answer);
            break;
        case Type::digests: {
            const Range range{header.offset, header.length};
            const auto digests = co_await way_->digests(stamp, range);
            answer = encode(digests);
            break;
        }
        case Type::moment: {
            const auto moment = co_await way_->moment(stamp);
            answer = encode(std::span{&moment, 1});
            break;
        }
        default: answer = co_await change(header, payload);
    }
    co_return answer;
}

io::Task<Bytes> ServerSession::seal(Header header, const Bytes& payload) {
    const auto attempt = load<std::uint64_t>(payload);
    co_await terms_.authority.check(use_->copy().volume().id(), node_, header.epoch);
    known_ = true;
    const auto sealed = co_await way_->seal(header.epoch, attempt);
    co_return encode(sealed);
}

// What is answered by nothing but that it is done.
io::Task<Bytes> ServerSession::change(Header header, Bytes& payload) {
    const auto stamp = stamp_of(header);
    const Range range{header.offset, header.length};
    std::string name;
    switch (header.type) {
        case Type::write: co_await way_->write(stamp, header.offset, payload); break;
        case Type::flush: co_await way_->flush(stamp); break;
        case Type::discard: co_await way_->discard(stamp, range); break;
        case Type::zero: {
            const auto release = (header.flags & flag_release) != 0;
            const auto space = release ? storage::Space::release : storage::Space::keep;
            co_await way_->zero(stamp, range, space);
            break;
        }
        case Type::generation: co_await way_->set_generation(stamp); break;
        case Type::snapshot:
            name = as_text(payload);
            co_await way_->snapshot(stamp, std::move(name));
            break;
        case Type::delete_snapshot:
            name = as_text(payload);
            co_await way_->delete_snapshot(stamp, std::move(name));
            break;
        case Type::resize: co_await way_->resize(stamp, header.length); break;
        case Type::settled: co_await way_->settled(stamp, header.offset); break;
        default: co_await fail(Kind::unsupported, "nobody can {}", to_string(header.type));
    }
    co_return Bytes{};
}

}  // namespace sheaf::replica
