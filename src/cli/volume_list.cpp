#include <array>

#include "cli/pool_verb.h"
#include "cli/volume.h"
#include "cli/volume_replicas.h"
#include "storage/pool/summary.h"

namespace sheaf::cli {

namespace {

using pool::State;
using pool::Summary;

constexpr auto options =
    std::to_array<Option>({output_option, pool_option, kv_option, tls_cert_option, tls_key_option,
                           tls_ca_option, insecure_option});
constexpr auto operands = std::to_array<Operand>({{"NAME", "which volume"}});

struct VolumeList {
    std::vector<Summary> volumes;
};
BOOST_DESCRIBE_STRUCT(VolumeList, (), (volumes))

std::string state_of(const Summary& volume) {
    switch (volume.state) {
        case State::clean: return volume.holder.empty() ? "clean" : "clean, " + volume.holder;
        case State::in_use: return "in use by " + volume.holder;
        case State::not_closed: return "not closed cleanly";
        case State::damaged: return "damaged: " + volume.problem;
    }
    return {};
}

std::string words_of(const Summary& volume) {
    if (!volume.node) return state_of(volume);
    return fmt::format("copy of node {}, {}", *volume.node, state_of(volume));
}

Result<void> list(const Arguments& arguments) {
    if (arguments.has("kv")) return list_replicated(arguments);
    const auto format = TRY(parse_format(arguments));
    const auto pool = TRY(open_pool(arguments));
    const auto loop = TRY(io::make_loop());
    const VolumeList found{
        TRY(io::run(*loop, pool::summarize_all(*loop, *pool, pool::Shelf::volumes)))};
    if (format != Format::table) return print(document(encode(found), format));
    std::vector<std::vector<std::string>> rows{{"NAME", "SIZE", "USED", "STATE"}};
    for (const auto& volume : found.volumes)
        rows.push_back(
            {volume.name, human_size(volume.size), human_size(volume.used), words_of(volume)});
    return print(table(rows));
}

Result<void> show(const Arguments& arguments) {
    if (arguments.has("kv")) return show_replicated(arguments);
    const auto format = TRY(parse_format(arguments));
    const auto pool = TRY(open_pool(arguments));
    const auto loop = TRY(io::make_loop());
    const auto volume = TRY(
        io::run(*loop, pool::summarize(*loop, *pool, pool::Shelf::volumes, arguments.operand(0))));
    if (format != Format::table) return print(document(encode(volume), format));
    return print(table({{"name", volume.name},
                        {"size", human_size(volume.size)},
                        {"used", human_size(volume.used)},
                        {"shared", human_size(volume.shared)},
                        {"layers", fmt::format("{}", volume.layers)},
                        {"checksums", volume.checksums ? "on" : "off"},
                        {"created", volume.created},
                        {"state", words_of(volume)}}));
}

int list_main(std::span<char*> arguments) {
    return main_of(volume_list_verb, arguments, list);
}

int show_main(std::span<char*> arguments) {
    return main_of(volume_show_verb, arguments, show);
}

}  // namespace

constinit const Verb volume_list_verb = {
    .name = "volume list",
    .summary = "list the volumes of a pool",
    .options = options,
    .details = "With --kv those that have copies on several hosts.",
    .example = "sheaf volume list -o json | jq '.volumes[].name'",
    .main = list_main,
};

constinit const Verb volume_show_verb = {
    .name = "volume show",
    .summary = "say what is known of one volume",
    .options = options,
    .details =
        "Of \"used\", the space on the host's disk, \"shared\" is in layers that others have too.",
    .example = "sheaf volume show root",
    .main = show_main,
    .operands = operands,
};

}  // namespace sheaf::cli
