#include "cli/errand.h"

#include "storage/pool/name.h"
#include "storage/pool/volume_client.h"

namespace sheaf::cli {

Result<pool::VolumeStatus> run_errand(const Verb& verb, const Arguments& arguments,
                                      pool::ControlRequest request) {
    const auto pool = TRY(open_pool(arguments));
    const auto loop = TRY(io::make_loop());
    ShownWork shown{request.request == pool::ControlVerb::flatten ? "copying" : "merging"};
    pool::Errand errand{arguments.operand(0), std::string{verb.name}, std::move(request)};
    return io::run(*loop, pool::run_errand(*loop, *pool, std::move(errand), shown));
}

Result<std::uint64_t> parse_volume_size(const std::string& word) {
    const auto size = TRY(parse_size(word));
    if (size < volume::block_size || size > volume::most_bytes)
        return fail(Kind::invalid, "{} is not between 4K and 16T", word);
    if (size % volume::block_size != 0)
        return fail(Kind::invalid, "{} is not a multiple of 4K", word);
    return size;
}

Result<NameAndSnapshot> parse_name_and_snapshot(std::string_view noun, const std::string& word) {
    const auto at = word.find('@');
    NameAndSnapshot parsed{word.substr(0, at), {}};
    TRY(pool::check_name(noun, parsed.name));
    if (at == word.npos) return parsed;
    parsed.snapshot = word.substr(at + 1);
    TRY(pool::check_name("snapshot", parsed.snapshot));
    return parsed;
}

}  // namespace sheaf::cli
