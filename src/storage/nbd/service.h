#pragma once

// Why: what each command does to the disk, apart from how requests come and replies go.

#include "storage/nbd/negotiation.h"
#include "storage/nbd/reply.h"
#include "storage/nbd/request.h"

namespace sheaf::nbd {

// Carries out requests on one export for one client. Loop thread only.
class Service {
  public:
    // Reads of at least so much look for holes first.
    static constexpr std::uint32_t sparse_read = 64_KiB;

    explicit Service(Agreed agreed);

    const Offer& offer() const { return offer_; }
    const Export& exported() const { return agreed_.exported; }
    bool structured() const { return agreed_.structured; }

    // Of a request that check() has passed; `payload` is the content of a write. Fails as the disk
    // does.
    io::Task<Reply> carry_out(Request request, storage::AlignedBuffer payload);

  private:
    io::Task<Reply> read(Request request);
    io::Task<Reply> read_sparse(Request request, storage::AlignedBuffer content);
    io::Task<Reply> write(Request request, storage::AlignedBuffer payload);
    io::Task<Reply> flush(Request request);
    io::Task<Reply> trim(Request request);
    io::Task<Reply> write_zeroes(Request request);
    io::Task<Reply> finish(Request request);

    Agreed agreed_;
    storage::Block& block_;
    Offer offer_;
};

}  // namespace sheaf::nbd
