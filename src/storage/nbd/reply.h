#pragma once

// Why: what answers one request: headers and, between them, content that goes out from where the
// disk put it.

#include <span>
#include <vector>

#include "storage/aligned_buffer.h"
#include "storage/nbd/request.h"
#include "storage/nbd/wire_buffer.h"

struct iovec;

namespace sheaf::nbd {

class Reply {
  public:
    static Reply success(const Request& request);
    // Structured where that was agreed on.
    static Reply failure(const Request& request, const Refusal& refusal, bool structured);
    // Of a read, whole, with content from the beginning of `content`.
    static Reply read(const Request& request, storage::AlignedBuffer content, bool structured);
    // Structured, of chunks that are added and that finish() ends; of a read with its content.
    static Reply of_chunks(const Request& request);
    static Reply of_chunks(const Request& request, storage::AlignedBuffer content);

    // Ranges of the disk, within the request's.
    void add_data(std::uint64_t offset, std::uint32_t length);
    void add_hole(std::uint64_t offset, std::uint32_t length);
    void add_status(std::span<const std::byte> payload);
    void finish();

    // The bytes to send, added to `pieces`; valid while the reply lives and does not change.
    void append_to(std::vector<iovec>& pieces);

  private:
    struct Part {
        bool is_content;
        std::size_t offset;
        std::size_t length;
    };

    explicit Reply(const Request& request) : request_(request) {}
    void put_chunk(Chunk type, std::uint16_t flags, std::size_t length);
    void put_bytes(std::span<const std::byte> bytes);
    void put_content(std::uint64_t offset, std::uint32_t length);

    Request request_;
    WireBuffer headers_;
    std::optional<storage::AlignedBuffer> content_;
    std::vector<Part> parts_;
};

}  // namespace sheaf::nbd
