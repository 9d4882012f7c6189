#pragma once

// Why: whoever speaks a protocol over a connection does not care whether it is encrypted.

#include <memory>

#include "base/fd.h"
#include "io/loop.h"
#include "io/task.h"

namespace sheaf::io {

// A connection. One reader and one writer at a time. Loop thread only.
class ByteStream {
  public:
    ByteStream() = default;
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;
    virtual ~ByteStream() = default;

    // Gives the count, which may be short; 0 is the end.
    virtual Task<std::size_t> receive(std::span<std::byte> buffer) = 0;
    // All of it. After one that failed or was cancelled nothing more can be sent.
    virtual Task<void> send(std::span<const std::byte> bytes) = 0;
    // Whether the other end has closed, or the connection has failed, as far as is known here.
    virtual bool is_broken() const = 0;
};

// A connected stream socket as it is.
class SocketStream final : public ByteStream {
  public:
    SocketStream(Loop& loop, Fd socket) : loop_(loop), socket_(std::move(socket)) {}
    Task<std::size_t> receive(std::span<std::byte> buffer) override;
    Task<void> send(std::span<const std::byte> bytes) override;
    bool is_broken() const override;

  private:
    Loop& loop_;
    Fd socket_;
};

}  // namespace sheaf::io
