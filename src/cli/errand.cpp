#include "cli/errand.h"

#include "cli/progress_line.h"
#include "storage/pool/volume_client.h"

namespace sheaf::cli {

namespace {

io::Task<void> keep_status(io::Task<pool::VolumeStatus> errand, pool::VolumeStatus& into) {
    into = co_await std::move(errand);
}

}  // namespace

Result<pool::VolumeStatus> run_errand(const Verb& verb, const Arguments& arguments,
                                      pool::ControlRequest request) {
    const auto pool = TRY(open_pool(arguments));
    const auto loop = TRY(io::make_loop());
    const auto& name = arguments.operand(0);
    ProgressLine line{name};
    pool::VolumeStatus status;
    pool::Errand errand{name, std::string{verb.name}, std::move(request)};
    TRY(io::run(*loop,
                keep_status(pool::run_errand(*loop, *pool, std::move(errand), line), status)));
    return status;
}

Result<std::uint64_t> parse_volume_size(const std::string& word) {
    const auto size = TRY(parse_size(word));
    if (size < volume::block_size || size > volume::most_bytes)
        return fail(Kind::invalid, "{} is not between 4K and 16T", word);
    if (size % volume::block_size != 0)
        return fail(Kind::invalid, "{} is not a multiple of 4K", word);
    return size;
}

}  // namespace sheaf::cli
