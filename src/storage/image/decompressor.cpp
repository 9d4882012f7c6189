#include "storage/image/decompressor.h"

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include "base/bytes.h"

namespace sheaf::image {

namespace {

// Raw deflate with the window that QEMU writes.
constexpr int window_bits = -12;

class Zlib final : public Decompressor {
  public:
    Zlib() = default;
    ~Zlib() override {
        if (ready_) ::inflateEnd(&stream_);
    }
    bool prepare() {
        ready_ = ::inflateInit2(&stream_, window_bits) == Z_OK;
        return ready_;
    }

    Result<void> expand(std::span<const std::byte> from, std::span<std::byte> into) override {
        if (::inflateReset(&stream_) != Z_OK)
            return fail(Kind::corrupt, "the decompressor cannot begin again");
        stream_.next_in = octets(from);
        stream_.avail_in = static_cast<uInt>(from.size());
        stream_.next_out = octets(into);
        stream_.avail_out = static_cast<uInt>(into.size());
        const auto status = ::inflate(&stream_, Z_FINISH);
        // Z_BUF_ERROR: the stream has more, or less, than what fills the cluster.
        if ((status == Z_STREAM_END || status == Z_BUF_ERROR) && stream_.avail_out == 0) return {};
        return fail(Kind::corrupt, "a compressed cluster is damaged (deflate)");
    }

  private:
    z_stream stream_{};
    bool ready_ = false;
};

class Zstd final : public Decompressor {
  public:
    bool prepare() {
        constexpr int most_window_log = 23;  // 8 MiB; clusters have 2 MiB at most
        return context_ && !ZSTD_isError(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax,
                                                                most_window_log));
    }

    Result<void> expand(std::span<const std::byte> from, std::span<std::byte> into) override {
        static_cast<void>(ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only));
        auto input = ZSTD_inBuffer{from.data(), from.size(), 0};
        auto output = ZSTD_outBuffer{into.data(), into.size(), 0};
        while (output.pos < output.size) {
            const auto before = input.pos + output.pos;
            const auto status = ZSTD_decompressStream(context_.get(), &output, &input);
            if (ZSTD_isError(status) || input.pos + output.pos == before)
                return fail(Kind::corrupt, "a compressed cluster is damaged (zstd)");
        }
        return {};
    }

  private:
    struct Free {
        void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
    };
    std::unique_ptr<ZSTD_DCtx, Free> context_{ZSTD_createDCtx()};
};

template <class Method>
Result<std::unique_ptr<Decompressor>> prepared() {
    auto made = std::make_unique<Method>();
    if (!made->prepare()) return fail(Kind::exhausted, "no memory for a decompressor");
    return made;
}

}  // namespace

Result<std::unique_ptr<Decompressor>> Decompressor::create(Compression compression) {
    return compression == Compression::zstd ? prepared<Zstd>() : prepared<Zlib>();
}

}  // namespace sheaf::image
