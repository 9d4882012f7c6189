#pragma once

// Why: a copy on another host, or in another process, as if it were here. Requests are many at
// once; the connection is one, and when it ends everything that waits for it has failed. Whoever
// owns it connects again, or does not.

#include <map>

#include "io/event.h"
#include "io/task_group.h"
#include "io/waiters.h"
#include "storage/replica/wire_input.h"
#include "storage/replica/wire_output.h"

namespace sheaf::replica {

// Loop thread only. A request that is cancelled may have been carried out, or may still be.
class RemoteReplica final : public Replica {
  public:
    // Says hello over a connection that is open. Fails as the other side does, with unavailable
    // where the connection ends, with corrupt where it speaks something else; bounding the time is
    // the caller's.
    static io::Task<std::unique_ptr<RemoteReplica>> open(io::Loop& loop,
                                                         std::unique_ptr<io::ByteStream> stream,
                                                         Hello hello);
    ~RemoteReplica() override = default;  // after shut_down()

    // Has a copy made, of so many bytes, or removed; the connection is for this alone. Both are
    // done already where there is what they would leave.
    static io::Task<void> make_copy(io::Loop& loop, std::unique_ptr<io::ByteStream> stream,
                                    CopyRequest request, std::uint64_t size);
    static io::Task<void> remove_copy(io::Loop& loop, std::unique_ptr<io::ByteStream> stream,
                                      CopyRequest request);

    const Welcome& welcome() const { return welcome_; }

    io::Task<Sealed> seal(std::uint64_t epoch, std::uint64_t attempt) override;
    io::Task<Status> status() override;
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
    io::Task<void> shut_down() override;

  private:
    struct Call {
        Header request;
        Result<Bytes> outcome;
        io::Event done;
    };
    class Entry;

    RemoteReplica(io::Loop& loop, std::unique_ptr<io::ByteStream> stream)
        : stream_(std::move(stream)), input_(*stream_), output_(loop, *stream_) {}

    static io::Task<void> command_once(io::Loop& loop, std::unique_ptr<io::ByteStream> stream,
                                       Header header, CopyRequest request);
    io::Task<Bytes> call(Header request, std::span<const std::byte> payload);
    io::Task<void> command(Header request, std::span<const std::byte> payload = {});
    io::Task<void> greet(Hello hello);
    io::Task<void> receive();
    io::Task<void> send();
    Result<void> take(Message message);
    void fail_all(const Error& error);

    std::unique_ptr<io::ByteStream> stream_;
    WireInput input_;
    WireOutput output_;
    Welcome welcome_;
    std::uint64_t last_sequence_ = 0;
    std::map<std::uint64_t, Call*> calls_;
    io::Waiters room_;
    std::optional<Error> failed_;
    io::TaskGroup pumps_;
};

}  // namespace sheaf::replica
