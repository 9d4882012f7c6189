#include "storage/replica/remote_replica.h"

#include <algorithm>

#include "base/bytes.h"

namespace sheaf::replica {

namespace {

Header request_of(Type type, Stamp stamp) {
    Header header;
    header.type = type;
    header.epoch = stamp.epoch;
    header.generation = stamp.generation;
    return header;
}

Header request_of(Type type, Stamp stamp, Range range) {
    auto header = request_of(type, stamp);
    header.offset = range.offset;
    header.length = range.length;
    return header;
}

// How long the answer to a request is; none where it may be anything.
std::optional<std::size_t> answer_length(const Header& request) {
    switch (request.type) {
        case Type::hello:
        case Type::seal: return std::nullopt;
        case Type::read: return request.length;
        case Type::digests: return (request.length + digest_span - 1) / digest_span * 8;
        case Type::status: return 32;
        case Type::moment: return 8;
        default: return 0;
    }
}

}  // namespace

// A call that waits; forgotten when whoever waits goes away.
class RemoteReplica::Entry {
  public:
    Entry(RemoteReplica& replica, Call& call)
        : replica_(replica), sequence_(call.request.sequence) {
        replica_.calls_[sequence_] = &call;
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() {
        replica_.calls_.erase(sequence_);
        replica_.room_.wake();
    }

  private:
    RemoteReplica& replica_;
    std::uint64_t sequence_;
};

io::Task<std::unique_ptr<RemoteReplica>> RemoteReplica::open(io::Loop& loop,
                                                             std::unique_ptr<io::ByteStream> stream,
                                                             Hello hello) {
    auto replica = std::unique_ptr<RemoteReplica>{new RemoteReplica{loop, std::move(stream)}};
    replica->pumps_.start(replica->send());
    replica->pumps_.start(replica->receive());
    auto greeted = co_await replica->greet(std::move(hello)).result();
    if (!greeted) {
        co_await replica->shut_down();
        co_await std::move(greeted);
    }
    co_return replica;
}

io::Task<void> RemoteReplica::greet(Hello hello) {
    const auto words = encode(hello);
    const auto header = request_of(Type::hello, {});
    const auto answer = co_await call(header, words);
    welcome_ = co_await parse_welcome(answer);
}

io::Task<void> RemoteReplica::command_once(io::Loop& loop, std::unique_ptr<io::ByteStream> stream,
                                           Header header, CopyRequest request) {
    const auto replica = std::unique_ptr<RemoteReplica>{new RemoteReplica{loop, std::move(stream)}};
    replica->pumps_.start(replica->send());
    replica->pumps_.start(replica->receive());
    const auto words = encode(request);
    auto done = co_await replica->command(header, words).result();
    co_await replica->shut_down();
    co_await std::move(done);
}

io::Task<void> RemoteReplica::make_copy(io::Loop& loop, std::unique_ptr<io::ByteStream> stream,
                                        CopyRequest request, std::uint64_t size) {
    const auto header = request_of(Type::create, {}, {0, size});
    return command_once(loop, std::move(stream), header, std::move(request));
}

io::Task<void> RemoteReplica::remove_copy(io::Loop& loop, std::unique_ptr<io::ByteStream> stream,
                                          CopyRequest request) {
    const auto header = request_of(Type::remove, {});
    return command_once(loop, std::move(stream), header, std::move(request));
}

io::Task<void> RemoteReplica::shut_down() {
    fail_all(Error{Kind::unavailable, "the connection to the copy was closed"});
    pumps_.cancel();
    // How they ended is of no interest any more.
    static_cast<void>(co_await pumps_.join().result());
    stream_.reset();  // so that the other side sees it
}

// What waits is told first; what it does then may be to close this.
void RemoteReplica::fail_all(const Error& error) {
    if (!failed_) failed_.emplace(error);
    while (!calls_.empty()) {
        auto& call = *calls_.begin()->second;
        calls_.erase(calls_.begin());
        call.outcome = Failure{Error{*failed_}};
        call.done.set();
    }
    room_.wake();
}

io::Task<void> RemoteReplica::send() {
    auto nothing = [] {};
    const auto outcome = co_await output_.run(std::move(nothing)).result();
    if (!outcome) fail_all(Error{Kind::unavailable, outcome.error().text()});
}

io::Task<void> RemoteReplica::receive() {
    while (true) {
        auto message = co_await input_.next().result();
        auto why = std::string{"it was closed"};
        if (!message) {
            why = message.error().text();
        } else if (*message) {
            const auto taken = take(*std::move(*message));
            if (taken) continue;
            why = taken.error().text();
        }
        fail_all(Error{Kind::unavailable, "the connection to the copy: " + why});
        pumps_.cancel();
        co_return;
    }
}

Result<void> RemoteReplica::take(Message message) {
    const auto& header = message.header;
    const auto found = calls_.find(header.sequence);
    if (found == calls_.end()) {
        // Whoever asked has gone.
        if (header.is_reply() && header.sequence <= last_sequence_) return {};
        return fail(Kind::corrupt, "a reply to nothing");
    }
    auto& call = *found->second;
    TRY(check_reply(call.request, header));
    const auto length = answer_length(call.request);
    if (header.status == 0 && length && *length != message.payload.size())
        return fail(Kind::corrupt, "{} bytes in answer to a request to {}", message.payload.size(),
                    to_string(header.type));
    calls_.erase(found);
    if (header.status != 0) {
        call.outcome = failure_of(header, message.payload);
    } else {
        call.outcome = std::move(message.payload);
    }
    call.done.set();
    return {};
}

io::Task<Bytes> RemoteReplica::call(Header request, std::span<const std::byte> payload) {
    while (!failed_ && calls_.size() >= welcome_.requests) co_await room_.wait();
    if (failed_) co_await Failure{Error{*failed_}};
    request.sequence = ++last_sequence_;
    request.volume = welcome_.volume;
    Call call{request, Bytes{}, {}};
    const Entry entry{*this, call};
    output_.put(request, payload);
    co_await call.done.wait();
    co_return co_await std::move(call.outcome);
}

io::Task<void> RemoteReplica::command(Header request, std::span<const std::byte> payload) {
    const auto answer = co_await call(request, payload);
}

io::Task<Sealed> RemoteReplica::seal(std::uint64_t epoch, std::uint64_t attempt) {
    const auto header = request_of(Type::seal, {epoch, 0});
    const auto number = bytes_of(attempt);
    const auto answer = co_await call(header, number);
    auto sealed = co_await parse_sealed(answer);
    co_return sealed;
}

io::Task<Status> RemoteReplica::status() {
    const auto header = request_of(Type::status, {});
    const auto answer = co_await call(header, {});
    auto status = co_await parse_status(answer);
    co_return status;
}

io::Task<void> RemoteReplica::write(Stamp stamp, std::uint64_t offset,
                                    std::span<std::byte> content) {
    return command(request_of(Type::write, stamp, {offset, content.size()}), content);
}

io::Task<void> RemoteReplica::read(Stamp stamp, std::uint64_t offset, std::span<std::byte> into) {
    const auto header = request_of(Type::read, stamp, {offset, into.size()});
    const auto answer = co_await call(header, {});
    std::ranges::copy(answer, into.begin());
}

io::Task<void> RemoteReplica::flush(Stamp stamp) {
    return command(request_of(Type::flush, stamp));
}

io::Task<void> RemoteReplica::discard(Stamp stamp, Range range) {
    return command(request_of(Type::discard, stamp, range));
}

io::Task<void> RemoteReplica::zero(Stamp stamp, Range range, storage::Space space) {
    auto header = request_of(Type::zero, stamp, range);
    if (space == storage::Space::release) header.flags = flag_release;
    return command(header);
}

io::Task<void> RemoteReplica::set_generation(Stamp stamp) {
    return command(request_of(Type::generation, stamp));
}

io::Task<void> RemoteReplica::snapshot(Stamp stamp, std::string name) {
    const auto header = request_of(Type::snapshot, stamp);
    co_await command(header, as_bytes(name));
}

io::Task<void> RemoteReplica::delete_snapshot(Stamp stamp, std::string name) {
    const auto header = request_of(Type::delete_snapshot, stamp);
    co_await command(header, as_bytes(name));
}

io::Task<void> RemoteReplica::resize(Stamp stamp, std::uint64_t size) {
    return command(request_of(Type::resize, stamp, {0, size}));
}

io::Task<std::vector<std::uint64_t>> RemoteReplica::digests(Stamp stamp, Range range) {
    const auto header = request_of(Type::digests, stamp, range);
    const auto answer = co_await call(header, {});
    auto numbers = co_await parse_numbers(answer);
    co_return numbers;
}

io::Task<std::uint64_t> RemoteReplica::moment(Stamp stamp) {
    const auto header = request_of(Type::moment, stamp);
    const auto answer = co_await call(header, {});
    co_return load<std::uint64_t>(answer);
}

io::Task<void> RemoteReplica::settled(Stamp stamp, std::uint64_t moment) {
    return command(request_of(Type::settled, stamp, {moment, 0}));
}

}  // namespace sheaf::replica
