#include <array>

#include "cli/pool_verb.h"
#include "cli/volume.h"
#include "storage/pool/engine.h"
#include "storage/pool/name.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"size", "SIZE", "what a guest sees, for example 10G; at most 16T"},
    {"checksum", "on|off", "whether every block is checked when it is read (default: on)"},
    pool_option,
});
constexpr auto operands = std::to_array<Operand>({{"NAME", "what it is to be called"}});

Result<std::uint64_t> parse_volume_size(const std::string& word) {
    const auto size = TRY(parse_size(word));
    if (size < volume::block_size || size > volume::most_bytes)
        return fail(Kind::invalid, "{} is not between 4K and 16T", word);
    if (size % volume::block_size != 0)
        return fail(Kind::invalid, "{} is not a multiple of 4K", word);
    return size;
}

Result<volume::Checksums> parse_checksum(const std::string& word) {
    if (word == "on") return volume::Checksums::on;
    if (word == "off") return volume::Checksums::off;
    return fail(Kind::invalid, "--checksum is \"on\" or \"off\", not \"{}\"", word);
}

// Everything a person may have got wrong is looked at before a pool is made.
Result<void> create(const Arguments& arguments) {
    pool::NewVolume wanted;
    wanted.name = arguments.operand(0);
    TRY(pool::check_name("volume", wanted.name));
    if (!arguments.has("size")) return fail(Kind::invalid, "--size is missing");
    wanted.size = TRY_WITHIN(parse_volume_size(TRY(arguments.one("size"))), "--size");
    wanted.checksums = TRY(parse_checksum(TRY(arguments.one("checksum", "on"))));
    const auto pool = TRY(pool::Pool::open_or_make(TRY(pool_path(arguments))));
    const auto loop = TRY(io::make_loop());
    return io::run(*loop, pool::create_volume(*loop, *pool, std::move(wanted)));
}

int create_main(std::span<char*> arguments) {
    return main_of(volume_create_verb, arguments, create);
}

}  // namespace

constinit const Verb volume_create_verb = {
    .name = "volume create",
    .summary = "make a new volume",
    .options = options,
    .details =
        "It takes no space until it is written. The pool is made where there is none, if the\n"
        "directory above it exists. Nothing is left where it fails.",
    .example = "sheaf volume create root --size 10G --pool /srv/pool",
    .main = create_main,
    .operands = operands,
};

}  // namespace sheaf::cli
