#pragma once

// Why: one request of a driver, as two byte streams over guest memory: what the device reads and
// what it writes. Devices do no descriptor arithmetic. Destroying the chain hands it back.
//
//     auto header = co_await chain.readable().take<RequestHeader>();
//     co_await disk.read(at, chain.writable().vectors());
//     chain.set_written(length);

#include <sys/uio.h>

#include "base/bytes.h"

namespace sheaf::virtio {

class Queue;

// A run of guest memory pieces, consumed from the front (and, for trailers, the back). The
// pieces were checked to lie in guest memory; the guest may still change their content at will.
class Stream {
  public:
    Stream() = default;
    explicit Stream(std::span<iovec> vectors);

    std::size_t size() const { return size_; }                   // bytes left
    std::span<const iovec> vectors() const { return vectors_; }  // pieces left

    // Drops `length` bytes from the front; fails with invalid where there are fewer.
    Result<void> skip(std::size_t length);
    // Cuts the last `length` bytes off and gives them as a stream of their own. Where they are part
    // of the last piece, its second half is noted in the caller's `divided`; where they would
    // begin within an earlier one, this fails with unsupported.
    Result<Stream> split_last(std::size_t length, std::span<iovec, 1> divided);

    Result<void> copy_out(std::span<std::byte> to);         // consumes to.size() bytes
    Result<void> copy_in(std::span<const std::byte> from);  // overwrites and consumes

  protected:
    std::span<iovec> vectors_;
    std::size_t size_ = 0;
};

// What the driver filled for the device.
class Readable : public Stream {
  public:
    using Stream::Stream;
    template <WireStruct T>
    Result<T> take() {
        T value;
        TRY(copy_out(std::as_writable_bytes(std::span{&value, 1})));
        return value;
    }
};

// What the device fills for the driver.
class Writable : public Stream {
  public:
    using Stream::Stream;
    template <WireStruct T>
    Result<void> put(const T& value) {
        return copy_in(bytes_of(value));
    }
};

class Chain {
  public:
    Chain(Chain&& other) noexcept;
    Chain& operator=(Chain&& other) noexcept;
    ~Chain();  // puts the chain into the used ring with the count of set_written()

    Readable& readable() { return readable_; }
    Writable& writable() { return writable_; }

    // How many bytes of the writable part, from its start, now hold data (the used length).
    void set_written(std::uint32_t bytes) { written_ = bytes; }

  private:
    friend class Queue;
    Chain(Queue& queue, std::uint16_t head, Readable readable, Writable writable)
        : queue_(&queue), head_(head), readable_(readable), writable_(writable) {}

    Queue* queue_;
    std::uint16_t head_;
    std::uint32_t written_ = 0;
    Readable readable_;
    Writable writable_;
};

}  // namespace sheaf::virtio
